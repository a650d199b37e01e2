package router

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of the queue of an account that is being resolved; further stanzas are refused.
const (
	maxQueued      = 1000
	maxQueuedBytes = 1 << 20
)

// errClosed means that an account was dropped after it had been found in the directory.
var errClosed = errors.New("the account was dropped")

// Location says where an account is: in this process, or nowhere (the zero value: there is no such
// account). With several nodes it could name another node.
type Location struct{ Account *Account }

// mode says how a stanza for an account is handled.
type mode uint8

const (
	arriving  mode = iota // by the delivery rules
	returning             // again by the delivery rules, after its session has ended; see Host.Return
	keeping               // delivered to no session; see Host.Keep
)

// queue holds the stanzas for an account that is being resolved, in the order of arrival.
type queue struct {
	items []queued
	bytes int
}

type queued struct {
	st     *stanza.Stanza
	mode   mode
	sender *Bound // the session that sent it; nil if none did
	done   func(error)
	// Of the sender's batch.
	writes Writes
	wait   *safeWait
}

// Local returns the account of an address if it is loaded, else nil. It neither allocates nor waits.
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

// Acquire looks an account up and loads it. It may read from the database, or wait for another goroutine
// that does so already; it does not wait for the delivery of queued stanzas.
func (h *Host) Acquire(ctx context.Context, address jid.JID) (Location, error) {
	a, err := h.acquire(ctx, address, nil)
	return Location{a}, err
}

// acquire is Acquire. A non-nil proof is the value of Host.Removals at a time when the account existed: if
// no account was removed since, the lookup is skipped.
func (h *Host) acquire(ctx context.Context, address jid.JID, proof *uint64) (*Account, error) {
	a, added := h.directory.findOrAdd(h, address)
	if added {
		// The account is in the directory before the removals are compared: a later one finds it there.
		if proof != nil && *proof == h.revocations.count.Load() {
			a.finish(true, nil)
		} else {
			h.load(ctx, a)
		}
		h.drain(a)
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

// resolve delivers a stanza to an account that is not loaded. The stanza and those that arrive meanwhile are queued,
// so that their senders wait neither for a slow database nor for each other: see lookups.
func (h *Host) resolve(b *Batch, st *stanza.Stanza, m mode) {
	for {
		a, added := h.directory.findOrAdd(h, st.To)
		err := a.enqueue(b, st, m)
		if added {
			h.router.lookups.run(func() {
				h.load(context.Background(), a)
				h.drain(a)
			})
		}
		switch {
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
	errOpen = errors.New("the account is open")
	errFull = errors.New("the queue of the account is full")
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
	q := queued{st: st, mode: m, sender: b.sender(st), done: b.beginWrite()}
	if b != nil {
		q.wait, q.writes = b.wait, b.writes
	}
	a.queue.items = append(a.queue.items, q)
	a.queue.bytes += size
	return nil
}

// load looks up whether the account exists.
func (h *Host) load(ctx context.Context, a *Account) {
	finished := false
	defer func() {
		if !finished { // h.accounts has panicked
			a.finish(true, errors.New("account not looked up"))
		}
	}()
	known, err := h.lookUp(context.WithoutCancel(ctx), a.jid) // other callers wait for the result too
	if err != nil {
		h.log.Error("account not looked up", "account", a.jid, "err", err)
		known, err = true, fmt.Errorf("look up %s: %w", a.jid, err)
	}
	finished = true
	a.finish(known, err)
}

func (h *Host) lookUp(ctx context.Context, account jid.JID) (bool, error) {
	if h.accounts == nil {
		return true, nil
	}
	return h.accounts.Exists(ctx, account)
}

// finish sets the result of the lookup.
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

// drain delivers the queued stanzas. After that the account is open, or dropped if it does not exist or the lookup
// failed.
func (h *Host) drain(a *Account) {
	ended := false
	var list []queued // taken from the queue and not delivered yet
	defer func() {
		if !ended { // a delivery has panicked; the caller logs it
			h.directory.remove(a)
			h.abandon(a, list)
		}
	}()
	kept := true
	for {
		a.mu.Lock()
		list = a.queue.items
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
		if len(list) == 0 { // removed first, then drained once more: a goroutine that has found it before may still append
			h.directory.remove(a)
			kept = false
		}
		for ; len(list) > 0; list = list[1:] {
			q := list[0]
			b := NewBatch(context.Background())
			b.wait, b.writes, b.queuedFrom = q.wait, q.writes, q.sender
			h.handle(b, a, q.st, q.mode)
			b.Flush()
			q.done(nil)
		}
	}
}

// abandon closes an account after a panic and answers a list of stanzas, and those in its queue, with an error.
func (h *Host) abandon(a *Account, list []queued) {
	a.mu.Lock()
	list = append(list, a.queue.items...)
	a.queue = queue{}
	a.state.Store(uint32(closed))
	a.mu.Unlock()
	for _, q := range list {
		h.router.Bounce(nil, q.st, stanza.InternalServerError())
		q.done(errClosed)
	}
}
