package router

import (
	"errors"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Errors of Directory.Add.
var (
	ErrConflict = errors.New("resource is in use")
	ErrTooMany  = errors.New("account has too many sessions")
)

// Directory answers which sessions an account has. Several nodes would share one; a
// session of another node is then a Bound like any other.
type Directory interface {
	// Add enters a session. Where its address is in use the old one is replaced and
	// returned, or ErrConflict without replace; max 0 means no limit.
	Add(b *Bound, max int, replace bool) (old *Bound, err error)
	// Remove takes out exactly that session; false where it is not there (any more).
	Remove(*Bound) bool
	// Sessions lists the sessions of a bare address. The slice is shared: read it only.
	Sessions(bare jid.JID) []*Bound
	// Each goes through all sessions of this node until f returns false.
	Each(f func(*Bound) bool)
}

const shards = 64

// memory is the Directory of a single node.
type memory struct {
	seed   maphash.Seed
	shards [shards]shard
}

type shard struct {
	mu       sync.RWMutex
	accounts map[string][]*Bound // values are never changed, only replaced
}

// NewDirectory makes a Directory that lives in this process.
func NewDirectory() Directory {
	m := &memory{seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].accounts = map[string][]*Bound{}
	}
	return m
}

func (m *memory) shard(bare string) *shard {
	return &m.shards[maphash.String(m.seed, bare)%shards]
}

func (m *memory) Sessions(bare jid.JID) []*Bound {
	key := bare.Bare().String()
	s := m.shard(key)
	s.mu.RLock()
	list := s.accounts[key]
	s.mu.RUnlock()
	return list
}

func (m *memory) Add(b *Bound, max int, replace bool) (*Bound, error) {
	key := b.jid.Bare().String()
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.accounts[key]
	at := slices.IndexFunc(list, func(o *Bound) bool { return o.jid == b.jid })
	if at >= 0 {
		if !replace {
			return nil, ErrConflict
		}
		old := list[at]
		list = slices.Clone(list)
		list[at] = b
		s.accounts[key] = list
		return old, nil
	}
	if max > 0 && len(list) >= max {
		return nil, ErrTooMany
	}
	s.accounts[key] = append(list[:len(list):len(list)], b)
	return nil, nil
}

func (m *memory) Remove(b *Bound) bool {
	key := b.jid.Bare().String()
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.accounts[key]
	at := slices.Index(list, b)
	if at < 0 {
		return false
	}
	if len(list) == 1 {
		delete(s.accounts, key)
		return true
	}
	s.accounts[key] = slices.Concat(list[:at], list[at+1:])
	return true
}

func (m *memory) Each(f func(*Bound) bool) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.RLock()
		var all []*Bound
		for _, list := range s.accounts {
			all = append(all, list...)
		}
		s.mu.RUnlock()
		for _, b := range all {
			if !f(b) {
				return
			}
		}
	}
}

// find is the session of a full address, or nil.
func find(sessions []*Bound, full jid.JID) *Bound {
	for _, b := range sessions {
		if b.jid == full {
			return b
		}
	}
	return nil
}
