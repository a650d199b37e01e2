package router

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// What an endpoint keeps while its handler is busy; further stanzas are refused.
const (
	endpointStanzas = 20_000
	endpointBytes   = 32 << 20
)

// Endpoint is a domain that is served by a part of this process, such as a gateway.
type Endpoint struct {
	domain jid.JID
	router *Router
	log    *slog.Logger

	mu     sync.Mutex
	handle func(*stanza.Stanza)
	queue  []*stanza.Stanza
	bytes  int
	closed bool
	wake   chan struct{}
}

// Endpoint attaches a new endpoint to a domain. What arrives waits until Run is called.
func (r *Router) Endpoint(domain jid.JID) (*Endpoint, error) {
	e := &Endpoint{domain: domain, router: r, log: r.log.With("endpoint", domain.String()), wake: make(chan struct{}, 1)}
	if err := r.Attach(domain, e); err != nil {
		return nil, err
	}
	return e, nil
}

// Domain is the endpoint's address.
func (e *Endpoint) Domain() jid.JID { return e.domain }

// Handle sets who gets the stanzas for the domain; it must be called before Run. The
// function is called by one goroutine, in the order of arrival, and must not block long.
func (e *Endpoint) Handle(f func(*stanza.Stanza)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handle = f
}

// Send routes a stanza of this domain; one from another domain is a fault of the
// caller, which is logged and goes nowhere.
func (e *Endpoint) Send(st *stanza.Stanza) {
	if e.own(st) {
		e.router.Route(st)
	}
}

func (e *Endpoint) own(st *stanza.Stanza) bool {
	if st.From.Domain() == e.domain.String() {
		return true
	}
	e.log.Error("stanza from a foreign domain refused", "from", st.From)
	return false
}

// Collect is for a worker that sends much in a row. What send routes is only appended to
// the receivers' queues until flush is called; both belong to one goroutine.
func (e *Endpoint) Collect() (send func(*stanza.Stanza), flush func()) {
	b := NewBatch(context.Background())
	return func(st *stanza.Stanza) {
		if e.own(st) {
			e.router.RouteIn(b, st)
		}
	}, b.Flush
}

// Deliver queues a stanza for the handler; see Destination.
func (e *Endpoint) Deliver(st *stanza.Stanza) {
	size := len(st.Payload) + len(st.Extra) + 256
	e.mu.Lock()
	full := len(e.queue) >= endpointStanzas || e.bytes+size > endpointBytes
	if !full && !e.closed {
		e.queue = append(e.queue, st)
		e.bytes += size
	}
	closed := e.closed
	e.mu.Unlock()
	switch {
	case closed:
		e.router.Bounce(nil, st, stanza.ServiceUnavailable(""))
	case full:
		e.router.Counters.Overflow.Add(1)
		e.router.Bounce(nil, st, stanza.ResourceConstraint(""))
	default:
		e.signal()
	}
}

func (e *Endpoint) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run calls the handler until ctx ends or Close is called, then gives the domain back
// and answers what is left.
func (e *Endpoint) Run(ctx context.Context) error {
	defer e.shut()
	for {
		batch, closed := e.take()
		for i, st := range batch {
			if ctx.Err() != nil {
				e.putBack(batch[i:])
				return nil
			}
			e.call(st)
		}
		if len(batch) > 0 {
			continue
		}
		if closed {
			return nil
		}
		select {
		case <-e.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// Close makes Run return after what has arrived is handled; the domain is given back at once.
func (e *Endpoint) Close() {
	e.router.Detach(e.domain)
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.signal()
}

func (e *Endpoint) take() (batch []*stanza.Stanza, closed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	batch, e.queue, e.bytes = e.queue, nil, 0
	return batch, e.closed
}

func (e *Endpoint) putBack(rest []*stanza.Stanza) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue = append(rest, e.queue...)
}

// call runs the handler; a panic costs one stanza.
func (e *Endpoint) call(st *stanza.Stanza) {
	defer func() {
		if v := recover(); v != nil {
			e.log.Error("panic in handler", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			e.router.Bounce(nil, st, stanza.InternalServerError())
		}
	}()
	e.mu.Lock()
	handle := e.handle
	e.mu.Unlock()
	if handle == nil {
		e.router.Bounce(nil, st, stanza.ServiceUnavailable(""))
		return
	}
	handle(st)
}

func (e *Endpoint) shut() {
	e.Close()
	left, _ := e.take()
	for _, st := range left {
		e.router.Bounce(nil, st, stanza.ServiceUnavailable(""))
	}
}
