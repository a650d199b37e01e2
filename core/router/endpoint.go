package router

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of an endpoint's queue; further stanzas are answered with resource-constraint.
const (
	endpointStanzas = 20_000
	endpointBytes   = 32 << 20
)

// Endpoint is a Destination for a domain that is served by a part of this process, such as a gateway. It
// queues stanzas for one handler.
type Endpoint struct {
	domain jid.JID
	router *Router
	log    *slog.Logger
	keeper atomic.Bool // of its senders' archives

	mu     sync.Mutex
	handle func(*stanza.Stanza)
	queue  []*stanza.Stanza
	bytes  int
	closed bool
	wake   chan struct{}
}

// Endpoint attaches a new endpoint to a domain. Stanzas are queued until Run is called.
func (r *Router) Endpoint(domain jid.JID) (*Endpoint, error) {
	e := &Endpoint{domain: domain, router: r, log: r.log.With("endpoint", domain.String()), wake: make(chan struct{}, 1)}
	if err := r.Attach(domain, e); err != nil {
		return nil, err
	}
	return e, nil
}

// Domain returns the endpoint's domain.
func (e *Endpoint) Domain() jid.JID { return e.domain }

// Handle sets the function that Run calls for each stanza, in the order of arrival and in one goroutine.
// It must not block for long. Call Handle before Run.
func (e *Endpoint) Handle(f func(*stanza.Stanza)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handle = f
}

// ArchiveForSenders makes the endpoint archive the messages that accounts send to it, in its own transaction, under
// the Entry that they have: what it does not accept is not archived as sent. Call it before Run.
func (e *Endpoint) ArchiveForSenders() { e.keeper.Store(true) }

// Send routes a stanza that is from this domain. A stanza from another domain is a programming error: it
// is logged and dropped.
func (e *Endpoint) Send(st *stanza.Stanza) {
	if e.isOwn(st) {
		e.router.Route(st)
	}
}

// isOwn reports whether a stanza is from this domain, and logs an error if not.
func (e *Endpoint) isOwn(st *stanza.Stanza) bool {
	if st.From.Domain() == e.domain.String() {
		return true
	}
	e.log.Error("stanza from a foreign domain refused", "from", st.From)
	return false
}

// Collect returns functions for a goroutine that sends many stanzas in a row. send routes a stanza but
// only appends to the receivers' queues; flush flushes them. Call both from one goroutine.
func (e *Endpoint) Collect() (send func(*stanza.Stanza), flush func()) {
	b := NewBatch(context.Background())
	return func(st *stanza.Stanza) {
		if e.isOwn(st) {
			e.router.RouteIn(b, st)
		}
	}, b.Flush
}

// Deliver implements Destination: it queues a stanza for the handler.
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

// Run calls the handler for each stanza until ctx ends or Close is called. Then it detaches the domain and
// answers the stanzas that are still queued with an error.
func (e *Endpoint) Run(ctx context.Context) error {
	defer e.shutDown()
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

// Close detaches the domain at once and makes Run return after it has handled the queued stanzas.
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

// call calls the handler for one stanza. After a panic the stanza is answered with an error, and Run goes
// on.
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

func (e *Endpoint) shutDown() {
	e.Close()
	left, _ := e.take()
	for _, st := range left {
		e.router.Bounce(nil, st, stanza.ServiceUnavailable(""))
	}
}
