package router

import (
	"hash/maphash"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
)

const shards = 64

// directory holds the loaded accounts of a host.
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

// find returns the account of an address in any state, or nil. It does not allocate.
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

// findOrAdd is find, but adds an account where there is none; the caller then has to resolve it.
func (d *directory) findOrAdd(h *Host, address jid.JID) (a *Account, added bool) {
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

// remove removes this very account; it does nothing if another one has taken its place.
func (d *directory) remove(a *Account) {
	key := a.jid.String()
	s := d.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accounts[key] == a {
		delete(s.accounts, key)
	}
}

// each calls f for every account until f returns false.
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

// sweep removes the accounts that were idle since the previous call.
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
