package offline

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/router"
)

// account is the data about one account that the feature caches in a slot.
type account struct {
	order sync.Mutex // makes the decision to store or to deliver atomic; taken before mu

	mu      sync.Mutex
	counted bool // used and limit are loaded
	used    Usage
	limit   Usage
	state   state
}

// state is the state of the delivery of stored messages.
type state uint8

const (
	idle            state = iota
	delivering            // stored messages are being delivered to a session
	deliveringAgain       // as delivering, and then the store is read once more
)

// of returns the account's slot value.
func (o *Offline) of(ctx context.Context, a *router.Account) (*account, error) {
	return o.accounts.Get(ctx, a)
}

// reserve counts a message of that size and returns true if the limits allow it.
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

// release undoes reserve for n messages.
func (o *Offline) release(a *router.Account, n int, size int64) {
	e := o.accounts.Loaded(a)
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.used = Usage{e.used.Messages - n, e.used.Bytes - size}
	if e.used.Messages <= 0 {
		e.counted = false // loaded anew by the next reserve, so that an error in counting does not last
	}
}

// start begins a delivery. It returns false if one is running; that one then reads the store once more.
func (e *account) start() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != idle {
		e.state = deliveringAgain
		return false
	}
	e.state = delivering
	return true
}

// repeat makes a running delivery read the store once more.
func (e *account) repeat() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == delivering {
		e.state = deliveringAgain
	}
}

// stop ends a delivery that has failed.
func (e *account) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state = idle
}

// again reports whether to read the store once more. If not, the delivery ends and ended is called.
func (e *account) again(ended func()) bool {
	e.order.Lock()
	defer e.order.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == deliveringAgain {
		e.state = delivering
		return true
	}
	e.state = idle
	ended()
	return false
}
