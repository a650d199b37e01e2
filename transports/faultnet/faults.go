package faultnet

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// Fault is what happens to one call of a client.
type Fault struct {
	Err error // given back; nil is that all goes well
	// Done means that the call has its effect before Err: the answer is lost.
	Done bool
	// Wait is received from before anything happens.
	Wait <-chan struct{}
	// After is received from before the call returns.
	After <-chan struct{}
	// Delay is how long the call takes to return after it had its effect.
	Delay time.Duration
}

// faults is how the world misbehaves.
type faults struct {
	next []Fault
	down bool
	past <-chan struct{} // what History waits for
	bad  map[transports.RoomID]error

	eventDelay time.Duration
	nonce      string // of the last attempt to send
	// MaxReactions is how many reactions one person may set on a message; 0 is any number.
	MaxReactions int
}

var errAway = transports.Later(0, errors.New("the network is away"))

// Fault prepares what happens to the next writing calls, one for each.
func (w *World) Fault(list ...Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = append(w.next, list...)
}

// Outage makes the network go away and come back. Nothing that happens meanwhile is
// delivered; when it is back, the clients report that they may have missed something.
func (w *World) Outage(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down == on {
		return
	}
	w.down = on
	for s := range w.clients {
		if on {
			w.push(s, func(context.Context) { s.sink.State(transports.Connecting, errAway) })
		} else {
			w.push(s, func(context.Context) { s.sink.State(transports.Online, nil); s.sink.Resynced() })
		}
	}
}

// DelayEvents makes events come later than they happen.
func (w *World) DelayEvents(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.eventDelay = d
}

// LastNonce is the ClientID of the last message that a client has tried to send.
func (w *World) LastNonce() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nonce
}

func (w *World) noteNonce(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nonce = id
}

// HoldHistory makes History wait until c is closed.
func (w *World) HoldHistory(c <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.past = c
}

// FailHistory makes History of a room end with an error; nil ends that.
func (w *World) FailHistory(room transports.RoomID, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bad == nil {
		w.bad = map[transports.RoomID]error{}
	}
	w.bad[room] = err
}

// Revoke makes a person's token invalid, in the middle of the client.
func (w *World) Revoke(user transports.UserID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tokens, user)
	for s := range w.clients {
		if s.user == user {
			w.push(s, func(context.Context) { s.sink.State(transports.NeedsLogin, errRevoked) })
		}
	}
}

var errRevoked = transports.Relink("the token was revoked", nil)

// call checks that a client may call at all.
func (w *World) call(ctx context.Context, s *client) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.callLocked(ctx, s)
}

func (w *World) callLocked(ctx context.Context, s *client) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case w.down:
		return errAway
	case s.token == "" || w.tokens[s.user] != s.token:
		return errRevoked
	}
	return nil
}

// do runs a call that reads.
func (w *World) do(ctx context.Context, s *client, f func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.callLocked(ctx, s); err != nil {
		return err
	}
	return f()
}

// write runs a call that changes something, with the fault that was prepared for it.
func (w *World) write(ctx context.Context, s *client, f func() error) error {
	w.mu.Lock()
	var fault Fault
	if len(w.next) > 0 {
		fault, w.next = w.next[0], w.next[1:]
	}
	w.mu.Unlock()
	if err := wait(ctx, fault.Wait); err != nil {
		return err
	}
	w.mu.Lock()
	err := w.callLocked(ctx, s)
	if err == nil && (fault.Err == nil || fault.Done) {
		err = f()
	}
	w.mu.Unlock()
	if err := wait(ctx, fault.After); err != nil {
		return err
	}
	if fault.Delay > 0 {
		delayed := make(chan struct{})
		time.AfterFunc(fault.Delay, func() { close(delayed) })
		if err := wait(ctx, delayed); err != nil {
			return err
		}
	}
	if fault.Err != nil {
		return fault.Err
	}
	return err
}

func (w *World) awaitPast(ctx context.Context) error {
	w.mu.Lock()
	past := w.past
	w.mu.Unlock()
	return wait(ctx, past)
}

func wait(ctx context.Context, c <-chan struct{}) error {
	if c == nil {
		return nil
	}
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *World) attach(s *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clients[s] = true
}

func (w *World) detach(s *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.clients, s)
}

// deliver sends an event to a client, unless the network is away. The lock is held.
func (w *World) deliver(s *client, e transports.Event) {
	switch {
	case w.down:
	case w.eventDelay > 0:
		s.late = append(s.late, e)
		time.AfterFunc(w.eventDelay, func() { w.deliverLate(s) })
	default:
		w.push(s, func(ctx context.Context) { s.post(ctx, e) })
	}
}

func (w *World) redeliver(s *client, e transports.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.clients[s] {
		w.deliver(s, e)
	}
}

// deliverLate sends a client the first event that is late: they stay in order.
func (w *World) deliverLate(s *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := s.late[0]
	s.late = s.late[1:]
	w.push(s, func(ctx context.Context) { s.post(ctx, e) })
}

func (w *World) push(s *client, f func(context.Context)) {
	s.queue = append(s.queue, f)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
