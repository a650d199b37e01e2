package offline

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/router"
)

// account is what is kept in memory about one account.
type account struct {
	order sync.Mutex // held while it is decided whether a session is served; taken before mu

	mu      sync.Mutex
	counted bool // used and limit are known
	used    Usage
	limit   Usage
	state   state
}

// state is how far giving out is.
type state uint8

const (
	resting     state = iota
	giving            // messages are being given to a session
	givingAgain       // and once more afterwards
)

// of is the account's entry.
func (o *Offline) of(ctx context.Context, a *router.Account) (*account, error) {
	return o.accounts.Get(ctx, a)
}

// reserve counts a message of that size where there is room for it.
func (o *Offline) reserve(ctx context.Context, a *router.Account, size int64) (bool, error) {
	e, err := o.of(ctx, a)
	if err != nil {
		return false, err
	}
	e.mu.Lock()
	counted := e.counted
	e.mu.Unlock()
	var used, limit Usage
	if !counted {
		if used, limit, err = o.store.OfflineUsage(ctx, a.JID()); err != nil {
			return false, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.counted {
		e.counted, e.used, e.limit = true, used, limit
	}
	if !o.fits(e.used, e.limit, size) {
		return false, nil
	}
	e.used = Usage{e.used.Messages + 1, e.used.Bytes + size}
	return true, nil
}

// release is the reverse of reserve, for several messages.
func (o *Offline) release(a *router.Account, n int, size int64) {
	e := o.accounts.Loaded(a)
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.used = Usage{e.used.Messages - n, e.used.Bytes - size}
	if e.used.Messages <= 0 {
		e.counted = false // counted anew, so that no mistake lasts
	}
}

// start begins giving out; false where that is under way already, and will be done once more.
func (e *account) start() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != resting {
		e.state = givingAgain
		return false
	}
	e.state = giving
	return true
}

// onceMore has messages that are being given out read again.
func (e *account) onceMore() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == giving {
		e.state = givingAgain
	}
}

// stop ends giving out where it has failed.
func (e *account) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state = resting
}

// again reports whether to give out once more; if not it is ended, and ended is called.
func (e *account) again(ended func()) bool {
	e.order.Lock()
	defer e.order.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == givingAgain {
		e.state = giving
		return true
	}
	e.state = resting
	ended()
	return false
}
