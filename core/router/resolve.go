package router

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// What may wait for one account that is being resolved; further stanzas are refused.
const (
	maxQueued      = 1000
	maxQueuedBytes = 1 << 20
)

// errClosed says that an account was dropped since it was found.
var errClosed = errors.New("the account was dropped")

// Location is where an account is: here, or (the zero value) nowhere. With several nodes it may
// be a link to another one.
type Location struct{ Account *Account }

// mode is what is to be done with a stanza for an account.
type mode uint8

const (
	arriving  mode = iota // the delivery rules
	returning             // the rules, without a session that could not take it; see Host.Return
	keeping               // no session gets it; see Host.Keep
)

// queue has the stanzas for an account that is being resolved, in the order of arrival.
type queue struct {
	items []queued
	bytes int
}

type queued struct {
	st   *stanza.Stanza
	mode mode
	wait *safeWait // of the sender's batch, nil where nobody waits
	done func(error)
}

// Local is the account of an address if it is resolved here, else nil. It neither allocates
// nor waits.
func (h *Host) Local(address jid.JID) *Account {
	a := h.directory.find(address)
	if a == nil {
		return nil
	}
	if s := accountState(a.state.Load()); s != open && s != draining {
		return nil
	}
	return a
}

// Acquire resolves an account: it may read from the database, or wait for somebody who does so
// already. It does not wait for the stanzas that wait for the same account.
func (h *Host) Acquire(ctx context.Context, address jid.JID) (Location, error) {
	a, err := h.acquire(ctx, address, nil)
	return Location{a}, err
}

// acquire is Acquire; proof says since when the caller knows that the account exists, by
// Host.Removals, nil where it does not.
func (h *Host) acquire(ctx context.Context, address jid.JID, proof *uint64) (*Account, error) {
	a, added := h.directory.enter(h, address)
	if added {
		// The account is in the directory before the removals are compared: a later one finds it there.
		if proof != nil && *proof == h.removals.Load() {
			a.finish(true, nil)
		} else {
			h.load(ctx, a)
		}
		h.drain(a, func() {})
	} else if err := a.await(ctx); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.err != nil:
		return nil, a.err
	case !a.known || a.removed:
		return nil, nil
	}
	return a, nil
}

// await waits until the account has been looked up.
func (a *Account) await(ctx context.Context) error {
	a.mu.Lock()
	if accountState(a.state.Load()) != resolving {
		a.mu.Unlock()
		return nil
	}
	if a.loaded == nil {
		a.loaded = make(chan struct{})
	}
	loaded := a.loaded
	a.mu.Unlock()
	select {
	case <-loaded:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// resolve delivers a stanza to an account that is not resolved. The first stanza for it looks
// the account up, in its sender's goroutine; those that come meanwhile wait in the account's
// queue and not their senders, and are delivered by the first sender's goroutine.
func (h *Host) resolve(b *Batch, st *stanza.Stanza, m mode) {
	for {
		a, added := h.directory.enter(h, st.To)
		if added {
			h.load(b.context(), a)
			h.drain(a, func() { h.handle(b, a, st, m) })
			return
		}
		switch err := a.enqueue(b, st, m); {
		case err == nil:
			return
		case errors.Is(err, errOpen):
			h.handle(b, a, st, m)
			return
		case errors.Is(err, errFull):
			h.router.Counters.Overflow.Add(1)
			h.router.Bounce(b, st, stanza.ResourceConstraint(""))
			return
		}
	}
}

var (
	errOpen = errors.New("the account takes stanzas")
	errFull = errors.New("too much waits for the account")
)

// enqueue adds a stanza to the queue of an account that is being resolved.
func (a *Account) enqueue(b *Batch, st *stanza.Stanza, m mode) error {
	size := len(st.Payload) + len(st.Extra) + 256
	a.mu.Lock()
	defer a.mu.Unlock()
	switch accountState(a.state.Load()) {
	case open:
		return errOpen
	case closed:
		return errClosed
	}
	if len(a.queue.items) >= maxQueued || a.queue.bytes+size > maxQueuedBytes {
		return errFull
	}
	q := queued{st: st, mode: m, done: b.beginWrite()}
	if b != nil {
		q.wait = b.wait
	}
	a.queue.items = append(a.queue.items, q)
	a.queue.bytes += size
	return nil
}

// load looks up whether the account exists.
func (h *Host) load(ctx context.Context, a *Account) {
	finished := false
	defer func() {
		if !finished { // a panic of whoever looks it up
			a.finish(true, errors.New("account not looked up"))
		}
	}()
	known, err := h.look(context.WithoutCancel(ctx), a.jid) // others wait for it too
	if err != nil {
		h.log.Error("account not looked up", "account", a.jid, "err", err)
		known, err = true, fmt.Errorf("look up %s: %w", a.jid, err)
	}
	finished = true
	a.finish(known, err)
}

func (h *Host) look(ctx context.Context, account jid.JID) (bool, error) {
	if h.accounts == nil {
		return true, nil
	}
	return h.accounts.Exists(ctx, account)
}

// finish ends looking up.
func (a *Account) finish(known bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known, a.err = known, err
	a.state.Store(uint32(draining))
	if a.loaded != nil {
		close(a.loaded)
		a.loaded = nil
	}
}

// drain calls first and delivers what waited for an account. Then the account is open, or dropped
// where it does not exist or could not be looked up.
func (h *Host) drain(a *Account, first func()) {
	ended := false
	defer func() {
		if !ended { // a panic while a stanza was delivered, which is logged further up
			h.directory.leave(a)
			h.abandon(a)
		}
	}()
	first()
	kept := true
	for {
		a.mu.Lock()
		list := a.queue.items
		a.queue = queue{}
		if stay := a.known && a.err == nil && !a.removed; len(list) == 0 && (stay || !kept) {
			state := closed
			if stay && kept {
				state = open
			}
			a.state.Store(uint32(state))
			a.mu.Unlock()
			ended = true
			return
		}
		a.mu.Unlock()
		if len(list) == 0 { // nobody finds it any more; who has found it may still add to the queue
			h.directory.leave(a)
			kept = false
		}
		for _, q := range list {
			b := NewBatch(context.Background())
			b.wait = q.wait
			h.handle(b, a, q.st, q.mode)
			b.Flush()
			q.done(nil)
		}
	}
}

// abandon answers what still waits for an account that is given up.
func (h *Host) abandon(a *Account) {
	a.mu.Lock()
	list := a.queue.items
	a.queue = queue{}
	a.state.Store(uint32(closed))
	a.mu.Unlock()
	for _, q := range list {
		h.router.Bounce(nil, q.st, stanza.InternalServerError())
		q.done(errClosed)
	}
}
