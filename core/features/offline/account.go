package offline

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// account is the data about one account that the feature caches in a slot.
type account struct {
	order sync.Mutex // makes the decision to store or to deliver atomic; taken before mu

	mu        sync.Mutex
	counted   bool // usage is loaded
	usage     usage
	state     state
	delivered map[string]mark // stored messages that were given to a session, by id
	deleted   []string        // those of delivered that are deleted, but may be in what a delivery is reading
}

// mark says what has become of a stored message that was given to a session.
type mark struct {
	to       *router.Bound // the session; nil: it did not take the message
	deleting bool          // the session's socket has taken the message, and its deletion has begun
}

// usage is what is stored for an account, by sender, and its limit.
type usage struct {
	all, limit Usage
	senders    map[jid.JID]Usage
}

// state is the state of the delivery of stored messages.
type state uint8

const (
	idle            state = iota
	delivering            // stored messages are being delivered to a session
	deliveringAgain       // as delivering, and then the store is read once more
)

// of returns the feature's data about an account.
func (o *Offline) of(ctx context.Context, a *router.Account) (*account, error) {
	return o.accounts.Get(ctx, a)
}

// reserve counts a message of a sender (a bare JID) and returns true if the limits allow it.
func (o *Offline) reserve(ctx context.Context, a *router.Account, sender jid.JID, size int64) (bool, error) {
	e, err := o.of(ctx, a)
	if err != nil {
		return false, err
	}
	e.mu.Lock()
	counted := e.counted
	e.mu.Unlock()
	var now usage
	if !counted {
		if now, err = o.load(ctx, a.JID()); err != nil {
			return false, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.counted {
		e.counted, e.usage = true, now
	}
	if !o.fits(&e.usage, sender, size) {
		return false, nil
	}
	e.usage.add(sender, 1, size)
	return true, nil
}

// load reads the usage of an account.
func (o *Offline) load(ctx context.Context, account jid.JID) (usage, error) {
	senders, limit, err := o.store.OfflineUsage(ctx, account)
	u := usage{limit: limit, senders: map[jid.JID]Usage{}}
	for sender, has := range senders {
		u.add(sender, has.Messages, has.Bytes)
	}
	return u, err
}

// add counts n messages of a sender.
func (u *usage) add(sender jid.JID, n int, size int64) {
	u.all = Usage{u.all.Messages + n, u.all.Bytes + size}
	has := u.senders[sender]
	if has = (Usage{has.Messages + n, has.Bytes + size}); has.Messages > 0 {
		u.senders[sender] = has
	} else {
		delete(u.senders, sender)
	}
}

// release undoes reserve for one message.
func (o *Offline) release(a *router.Account, sender jid.JID, size int64) {
	if e := o.accounts.Loaded(a); e != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.release(sender, size)
	}
}

func (e *account) release(sender jid.JID, size int64) {
	if !e.counted {
		return
	}
	e.usage.add(sender, -1, -size)
	if e.usage.all.Messages <= 0 {
		e.counted, e.usage = false, usage{} // loaded anew by the next reserve, so that an error in counting does not last
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
	e.end()
}

// end ends a delivery. The caller holds mu.
func (e *account) end() {
	e.state = idle
	e.forgetDeleted()
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
	e.end()
	ended()
	return false
}
