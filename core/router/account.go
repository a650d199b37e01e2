package router

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
)

// accountState is a stage in the life of an Account. The value only increases.
type accountState uint32

const (
	resolving accountState = iota // whether the account exists is being looked up; stanzas wait in the queue
	draining                      // the lookup has finished; the queued stanzas are being delivered
	open                          // stanzas are delivered at once
	closed                        // dropped from the directory; it accepts neither stanzas nor sessions
)

// Account holds the sessions of one account and the data that features cache about it. It is created by
// the first stanza or session that needs it and dropped by Host.Sweep after it has been idle; the cached
// data is dropped with it. With several nodes, one node at a time would own an account.
type Account struct {
	host  *Host
	jid   jid.JID // bare
	state atomic.Uint32
	used  atomic.Bool // found or changed since the last call of Host.Sweep

	sessions atomic.Pointer[[]*Bound] // copy on write: the slice is never modified
	cells    []cell                   // by index of the slot

	mu      sync.Mutex
	loaded  chan struct{} // closed when known and err are set; nil unless somebody waits
	known   bool          // the account exists, or the lookup failed
	err     error         // of the lookup
	removed bool          // the account is being deleted
	queue   queue
}

func newAccount(h *Host, bare jid.JID) *Account {
	return &Account{host: h, jid: bare, cells: make([]cell, h.slots)}
}

// JID returns the bare JID.
func (a *Account) JID() jid.JID { return a.jid }

// Host returns the host that serves the account.
func (a *Account) Host() *Host { return a.host }

// Sessions returns the account's sessions; a nil account has none. The slice is shared and must not be
// modified.
func (a *Account) Sessions() []*Bound {
	if a == nil {
		return nil
	}
	if list := a.sessions.Load(); list != nil {
		return *list
	}
	return nil
}

// Session returns the session with a full JID, or nil.
func (a *Account) Session(full jid.JID) *Bound { return find(a.Sessions(), full) }

// add adds a session. errClosed means that the account was dropped and the caller has to acquire it again.
// Account.mu orders this with markRemoved: an account that is being deleted gets no new session.
func (a *Account) add(b *Bound, c BindOptions) (old *Bound, err error) {
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

// remove removes this very session; it does nothing if another session has replaced it.
func (a *Account) remove(b *Bound) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.Sessions()
	at := slices.Index(list, b)
	if at < 0 {
		return
	}
	a.used.Store(true) // the client may reconnect soon: keep the cached data for a while
	if len(list) == 1 {
		a.sessions.Store(nil)
		return
	}
	rest := slices.Concat(list[:at], list[at+1:])
	a.sessions.Store(&rest)
}

// idle closes the account if it has no session and was not used since the previous call, and reports
// whether it did.
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

// markRemoved makes the account refuse new sessions and returns the present ones.
func (a *Account) markRemoved() []*Bound {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.removed = true
	return a.Sessions()
}

// exists reports whether stanzas are delivered by the rules for an existing account. A failed lookup
// counts as existing: the handling of the stanza then returns the error of the lookup to the sender.
func (a *Account) exists() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known && !a.removed
}
