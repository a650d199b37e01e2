package router

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
)

// accountState is where an Account is in its life. It only rises.
type accountState uint32

const (
	resolving accountState = iota // its existence is being looked up; stanzas wait in its queue
	draining                      // looked up; the queue is being worked off
	open                          // stanzas are delivered at once
	closed                        // dropped from the directory; nobody may add anything to it
)

// Account is an account of a host while this process deals with it: its sessions and what
// features keep about it in memory. It is made when the first stanza or session needs it, and
// dropped some time after the last; what features keep is dropped with it. In a cluster one
// node at a time would have it.
type Account struct {
	host  *Host
	jid   jid.JID // bare
	state atomic.Uint32
	used  atomic.Bool // since the last sweep for idle accounts

	sessions atomic.Pointer[[]*Bound] // replaced, never changed
	cells    []cell                   // by index of the slot

	mu      sync.Mutex
	loaded  chan struct{} // closed when known and err are set; nil unless somebody waits
	known   bool          // there is such an account, or that could not be looked up
	err     error         // of looking it up
	removed bool          // it is being deleted
	queue   queue
}

func newAccount(h *Host, bare jid.JID) *Account {
	return &Account{host: h, jid: bare, cells: make([]cell, h.slots)}
}

// JID is the account's bare address.
func (a *Account) JID() jid.JID { return a.jid }

// Host is the host that the account is of.
func (a *Account) Host() *Host { return a.host }

// Sessions lists the sessions; the slice is shared: read it only. No account (nil) has none.
func (a *Account) Sessions() []*Bound {
	if a == nil {
		return nil
	}
	if list := a.sessions.Load(); list != nil {
		return *list
	}
	return nil
}

// Session is the session of a full address, or nil.
func (a *Account) Session(full jid.JID) *Bound { return find(a.Sessions(), full) }

// add enters a session under its address. errClosed says that the account has to be acquired
// anew. An account that is being deleted takes none: that is decided here, under its lock.
func (a *Account) add(b *Bound, c Claim) (old *Bound, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.removed || accountState(a.state.Load()) == closed {
		return nil, errClosed
	}
	list := a.Sessions()
	if at := slices.IndexFunc(list, func(o *Bound) bool { return o.jid == b.jid }); at >= 0 {
		if !c.Replace {
			return nil, ErrConflict
		}
		old = list[at]
		list = slices.Clone(list)
		list[at] = b
	} else {
		if c.Max > 0 && len(list) >= c.Max {
			return nil, ErrTooMany
		}
		list = append(list[:len(list):len(list)], b)
	}
	b.account = a
	a.sessions.Store(&list)
	return old, nil
}

// remove takes out exactly that session, if it is still there.
func (a *Account) remove(b *Bound) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.Sessions()
	at := slices.Index(list, b)
	if at < 0 {
		return
	}
	a.used.Store(true) // what is kept about it may be needed soon
	if len(list) == 1 {
		a.sessions.Store(nil)
		return
	}
	rest := slices.Concat(list[:at], list[at+1:])
	a.sessions.Store(&rest)
}

// idle closes an account that has neither sessions nor been used since the last call.
func (a *Account) idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.Sessions()) > 0 || accountState(a.state.Load()) != open {
		return false
	}
	if a.used.Swap(false) {
		return false
	}
	a.state.Store(uint32(closed))
	return true
}

// markRemoved lets nobody bind a session any more, and lists those that there are.
func (a *Account) markRemoved() []*Bound {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.removed = true
	return a.Sessions()
}

// exists reports whether stanzas are delivered as to an account. One that could not be looked up
// counts: its stanza meets the same failure later, and the sender gets that error.
func (a *Account) exists() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known && !a.removed
}
