package router

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Batch collects the queues that one connection's reader has appended to, so that each queue is flushed
// once after all stanzas of one read have been routed. It belongs to one goroutine.
type Batch struct {
	ctx       context.Context // base context of the connection
	session   *Bound          // the session of the connection; nil before binding and for components
	writes    Writes          // of the stanza that is being handled; may be nil
	wait      *safeWait       // writes, for Endpoint.SendAll; nil otherwise
	unflushed []*sink
	awaited   []*sink // queues whose writes wait has to wait for

	gathered gathered // requests that wait for those that came with them

	// queuedFrom is the session that sent the stanza, where another goroutine than its reader delivers it.
	queuedFrom *Bound
}

// NewBatch returns a Batch for a connection with the base context ctx.
func NewBatch(ctx context.Context) *Batch { return &Batch{ctx: ctx} }

// Writes learns which database writes a stanza causes, without which it is not safe.
type Writes interface {
	// BeginWrite registers a write; the returned function ends it.
	BeginWrite() func(error)
}

// SetWrites sets what learns of the writes of the stanzas that follow.
func (b *Batch) SetWrites(w Writes) { b.writes = w }

// Flush handles the requests that were gathered, and flushes every queue that was appended to since the last Flush.
func (b *Batch) Flush() {
	b.runGroup()
	for i, s := range b.unflushed {
		s.dirty.Store(false) // before Flush: a stanza that is appended meanwhile needs another flush
		s.Flush()
		b.unflushed[i] = nil
	}
	b.unflushed = b.unflushed[:0]
	for i, s := range b.awaited {
		if to, ok := s.Queued.(WriteNotifier); ok {
			b.wait.awaitSocket(to)
		}
		b.awaited[i] = nil
	}
	b.awaited = b.awaited[:0]
}

func (b *Batch) context() context.Context {
	if b == nil {
		return context.Background()
	}
	return b.ctx
}

// sender returns the session that sent st: that of the batch, if st is from its account; else nil.
func (b *Batch) sender(st *stanza.Stanza) *Bound {
	if b == nil {
		return nil
	}
	session := b.session
	if session == nil {
		session = b.queuedFrom
	}
	if session == nil || session.jid.Bare() != st.From.Bare() {
		return nil
	}
	return session
}

// beginWrite registers a database write; see Writes. The returned function ends it.
func (b *Batch) beginWrite() func(error) {
	if b == nil || b.writes == nil {
		return func(error) {}
	}
	return b.writes.BeginWrite()
}

// sink is a queue; dirty is true while some batch is going to flush it.
type sink struct {
	Queued
	recorder Recorder // what Queued is too; nil if it is none
	dirty    atomic.Bool
}

func (s *sink) deliver(b *Batch, st *stanza.Stanza) {
	switch {
	case s.recorder == nil:
		s.Deliver(st)
	case b == nil:
		s.recorder.DeliverRecorded(st, nil)
	default:
		s.recorder.DeliverRecorded(st, b.writes)
	}
	s.appended(b)
}

// appended sees to it that what was delivered is flushed.
func (s *sink) appended(b *Batch) {
	if b == nil {
		s.Flush()
		return
	}
	if b.wait != nil && !slices.Contains(b.awaited, s) {
		b.awaited = append(b.awaited, s)
	}
	if s.dirty.CompareAndSwap(false, true) {
		b.unflushed = append(b.unflushed, s)
	}
	if own := b.session; own != nil && &own.sink == s && own.waiter != nil && own.waiter.QueueNearlyFull() {
		b.Flush() // the other receivers get their stanzas before this goroutine waits
		own.waiter.WaitForClient(b.ctx)
	}
}

// QueueWaiter is implemented by sessions whose reader can wait until the client has read. The answer to
// one request, such as a page of an archive, may be larger than the session's queue. The session's own
// reader fills the queue then, so it waits instead of disconnecting the client.
type QueueWaiter interface {
	// QueueNearlyFull reports whether WaitForClient should be called before more is delivered.
	QueueNearlyFull() bool
	// WaitForClient returns when the client has read from the queue, or when it turns out that it does not
	// read.
	WaitForClient(ctx context.Context)
}
