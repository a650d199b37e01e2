package router

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Batch belongs to one reader. It remembers which queues were appended to, so that
// each is flushed once after all that was read has been routed.
type Batch struct {
	ctx     context.Context // the connection's own
	session *Bound          // whose reader it is, where it is a session's
	wait    *safeWait       // of an endpoint
	touched []*sink
	given   []*sink // for whose sockets wait waits
}

// NewBatch makes the batch of a connection whose base context is ctx.
func NewBatch(ctx context.Context) *Batch { return &Batch{ctx: ctx} }

// Flush sends all that was appended since the last Flush.
func (b *Batch) Flush() {
	for i, s := range b.touched {
		s.dirty.Store(false) // before Flush: what comes later is the next batch's
		s.Flush()
		b.touched[i] = nil
	}
	b.touched = b.touched[:0]
	for i, s := range b.given {
		if to, ok := s.Queued.(Settler); ok {
			b.wait.awaitSocket(to)
		}
		b.given[i] = nil
	}
	b.given = b.given[:0]
}

func (b *Batch) context() context.Context {
	if b == nil {
		return context.Background()
	}
	return b.ctx
}

// sender is the session that a stanza is of, nil where it is not that of the batch's reader.
func (b *Batch) sender(st *stanza.Stanza) *Bound {
	if b == nil || b.session == nil || b.session.jid.Bare() != st.From.Bare() {
		return nil
	}
	return b.session
}

// beginWrite announces a write that has to be committed before what is sent is safe.
func (b *Batch) beginWrite() func(error) {
	if b == nil || b.wait == nil {
		return func(error) {}
	}
	return b.wait.beginWrite()
}

// sink is a queue with a mark that some batch is going to flush it.
type sink struct {
	Queued
	dirty atomic.Bool
}

func (s *sink) deliver(b *Batch, st *stanza.Stanza) {
	s.Deliver(st)
	if b == nil {
		s.Flush()
		return
	}
	if b.wait != nil && !slices.Contains(b.given, s) {
		b.given = append(b.given, s)
	}
	if s.dirty.CompareAndSwap(false, true) {
		b.touched = append(b.touched, s)
	}
	if own := b.session; own != nil && &own.sink == s && own.patient != nil && own.patient.Behind() {
		b.Flush() // others must not wait with it
		own.patient.AwaitRead(b.ctx)
	}
}

// Patient is a Session whose own reader may be made to wait. What a session asks for can
// be more than its queue holds, such as a page of an archive; as it is its own reader
// that fills the queue then, it waits for its client instead of cutting it off.
type Patient interface {
	// Behind reports whether the queue is so full that AwaitRead should be called.
	Behind() bool
	// AwaitRead returns when the client has read, or is found not to read.
	AwaitRead(ctx context.Context)
}
