package router

import (
	"hash/maphash"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
)

const shards = 64

// directory has the accounts that this process deals with.
type directory struct {
	seed   maphash.Seed
	shards [shards]shard
}

type shard struct {
	mu       sync.RWMutex
	accounts map[string]*Account // by bare address
}

func newDirectory() *directory {
	d := &directory{seed: maphash.MakeSeed()}
	for i := range d.shards {
		d.shards[i].accounts = map[string]*Account{}
	}
	return d
}

func (d *directory) shard(bare string) *shard {
	return &d.shards[maphash.String(d.seed, bare)%shards]
}

// find is the account of an address in whatever state, or nil. It does not allocate.
func (d *directory) find(address jid.JID) *Account {
	key := address.Bare().String()
	s := d.shard(key)
	s.mu.RLock()
	a := s.accounts[key]
	s.mu.RUnlock()
	if a != nil && !a.used.Load() {
		a.used.Store(true)
	}
	return a
}

// enter is find, or adds a new account, which the caller has to resolve.
func (d *directory) enter(h *Host, address jid.JID) (a *Account, added bool) {
	if a := d.find(address); a != nil {
		return a, false
	}
	bare := address.Bare()
	key := bare.String()
	s := d.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.accounts[key]; a != nil {
		return a, false
	}
	a = newAccount(h, bare)
	a.used.Store(true)
	s.accounts[key] = a
	return a, true
}

// leave drops exactly that account.
func (d *directory) leave(a *Account) {
	key := a.jid.String()
	s := d.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accounts[key] == a {
		delete(s.accounts, key)
	}
}

// each goes through all accounts until f returns false.
func (d *directory) each(f func(*Account) bool) {
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.RLock()
		all := make([]*Account, 0, len(s.accounts))
		for _, a := range s.accounts {
			all = append(all, a)
		}
		s.mu.RUnlock()
		for _, a := range all {
			if !f(a) {
				return
			}
		}
	}
}

// sweep drops the accounts that nobody has used since it was called last.
func (d *directory) sweep() {
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		for key, a := range s.accounts {
			if a.idle() {
				delete(s.accounts, key)
			}
		}
		s.mu.Unlock()
	}
}
