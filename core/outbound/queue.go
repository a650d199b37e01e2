package outbound

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Errors of a Queue.
var (
	ErrSlow   = errors.New("outbound: peer reads too slowly")
	ErrClosed = errors.New("outbound: queue closed")
	ErrFull   = errors.New("outbound: too many unwritten stanzas")
)

// Limits bound a Queue. Bytes and Write have the values of DefaultLimits where they are zero.
type Limits struct {
	Bytes  int           // that may be unwritten; with more the queue fails with ErrSlow
	Write  time.Duration // how long one write may take
	Retain RetainLimits  // of Queue.Retain
}

// DefaultLimits returns the limits of a client session.
func DefaultLimits() Limits { return Limits{Bytes: 1 << 20, Write: 30 * time.Second} }

// Queue is the output of one connection. Append never blocks; Flush writes all pending bytes in one
// write. If the peer does not read, the queue fills up to its limit and then fails permanently: see NewQueue.
//
// On a framed transport the bytes of one call of Append are one frame.
type Queue struct {
	limits Limits
	onFail func(err error, unwritten int)

	mu       sync.Mutex
	out      output
	pending  *[]byte // nil while nothing is pending
	writing  int     // bytes that a writer has taken from pending and not finished
	extra    int     // bytes that may be unwritten beyond the limit, see Append
	busy     bool    // a caller of Flush or the queue's goroutine is writing
	err      error   // why the queue has failed or was aborted
	closed   bool
	idle     chan struct{} // closed when busy becomes false; nil unless Sync waits
	written  int64
	retained retained
	writers  sync.WaitGroup
}

// output is the transport of a queue: either stream or frames is set.
type output struct {
	stream Writer
	try    Socket                   // stream, if it has non-blocking writes
	ahead  interface{ Touch() int } // stream or frames, if it can read ahead what a write uses
	frames FrameWriter
	framed FrameSocket  // frames, if it has non-blocking writes
	bounds *frameBounds // of frames
}

// frameBounds are the ends of frames within the bytes of a queue.
type frameBounds struct {
	content          string // namespace that each stanza declares (RFC 7395 §3.3.3)
	pending, writing []int
}

var queueBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

const (
	// maxKeptBuffer is the largest buffer that goes back to the pool.
	maxKeptBuffer = 64 << 10
	// maxRounds limits how often one Flush writes bytes that other goroutines append meanwhile.
	maxRounds = 4
)

// NewQueue returns a queue for a stream without frames; with a Socket it rarely needs a
// goroutine. onFail, which may be nil, is called at most once, without a lock, by the
// goroutine that detects the failure: with ErrSlow or the error of the write, and with the number of bytes that were
// accepted and not written. It should close the transport and must not block.
func NewQueue(t Writer, limits Limits, onFail func(err error, unwritten int)) *Queue {
	out := output{stream: t}
	if s, ok := t.(Socket); ok && s.CanTry() {
		out.try = s
	}
	out.ahead, _ = t.(interface{ Touch() int })
	return newQueue(out, limits, onFail)
}

// NewFrameQueue returns a queue for a framed stream whose stanzas are in the namespace content.
func NewFrameQueue(t FrameWriter, content string, limits Limits, onFail func(err error, unwritten int)) *Queue {
	out := output{frames: t, bounds: &frameBounds{content: content}}
	if s, ok := t.(FrameSocket); ok && s.CanTry() {
		out.framed = s
	}
	out.ahead, _ = t.(interface{ Touch() int })
	return newQueue(out, limits, onFail)
}

// tries reports whether there are non-blocking writes.
func (o *output) tries() bool { return o.try != nil || o.framed != nil }

// tryWrite is Socket.TryWrite of what take has returned.
func (o *output) tryWrite(b []byte) (more bool, err error) {
	if o.framed != nil {
		return o.framed.TryWriteFrames(b, o.bounds.writing)
	}
	return o.try.TryWrite(b)
}

func newQueue(out output, limits Limits, onFail func(err error, unwritten int)) *Queue {
	d := DefaultLimits()
	if limits.Bytes <= 0 {
		limits.Bytes = d.Bytes
	}
	if limits.Write <= 0 {
		limits.Write = d.Write
	}
	return &Queue{limits: limits, onFail: onFail, out: out}
}

// Append calls f to append to the pending bytes. False means that the queue is closed or has failed and
// nothing was added. f must only append to dst and must not use the queue.
//
// An empty queue accepts any size: a long roster is the answer to a request and does not mean that the
// peer reads slowly. The limit applies to what is appended after it.
func (q *Queue) Append(f func(dst []byte) []byte) bool {
	q.mu.Lock()
	if !q.append(f) {
		q.failIfSlow()
		return false
	}
	q.mu.Unlock()
	return true
}

// append is Append with the lock held. After false, err is nil if the limit is exceeded or the queue
// is closed: see failIfSlow.
func (q *Queue) append(f func(dst []byte) []byte) bool {
	if q.err != nil || q.closed {
		return false
	}
	if q.pending == nil {
		q.pending = queueBuffers.Get().(*[]byte)
	}
	before := len(*q.pending)
	*q.pending = f(*q.pending)
	after := len(*q.pending)
	if before == 0 && q.writing == 0 && after > q.limits.Bytes {
		q.extra = after
	}
	if after+q.writing > q.limits.Bytes+q.extra {
		*q.pending = (*q.pending)[:before]
		return false
	}
	if b := q.out.bounds; b != nil && after > before {
		b.pending = append(b.pending, after)
	}
	return true
}

// failIfSlow unlocks the queue after append has returned false. If the reason was the limit, the queue fails with ErrSlow.
func (q *Queue) failIfSlow() {
	if q.err != nil || q.closed {
		q.mu.Unlock()
		return
	}
	q.failAndUnlock(ErrSlow)
}

// AppendBytes adds b to the pending bytes.
func (q *Queue) AppendBytes(b []byte) bool {
	return q.Append(func(dst []byte) []byte { return append(dst, b...) })
}

// AppendStanza adds a stanza to the pending bytes. After Release it adds nothing and returns false.
func (q *Queue) AppendStanza(st *stanza.Stanza) bool {
	content := q.content()
	q.mu.Lock()
	if q.retained.released {
		q.mu.Unlock()
		return false
	}
	if !q.append(func(dst []byte) []byte { return st.AppendXML(dst, content) }) {
		q.failIfSlow()
		return false
	}
	u := q.retained.unacked
	if u == nil {
		q.mu.Unlock()
		return true
	}
	a := u.Add(st)
	if a.Request {
		q.append(appendRequest)
	}
	q.mu.Unlock()
	u.After(a, st)
	return true
}

// AppendShared is AppendStanza with another to; it keeps nothing. Where stanzas are kept until acknowledged it does nothing: false.
func (q *Queue) AppendShared(st *stanza.Stanza, to jid.JID) bool {
	content := q.content()
	q.mu.Lock()
	kept := q.retained.released || q.retained.unacked != nil
	if !kept && !q.append(func(dst []byte) []byte { return st.AppendXMLTo(dst, content, to) }) {
		q.failIfSlow()
		return false
	}
	q.mu.Unlock()
	return !kept
}

// content returns the namespace that each stanza must declare (RFC 7395 §3.3.3), "" on a stream without frames.
func (q *Queue) content() string {
	if b := q.out.bounds; b != nil {
		return b.content
	}
	return ""
}

// Touch reads memory that Append and Flush use, so that the processor has it then. What it returns means nothing.
func (q *Queue) Touch() int {
	if q.out.ahead == nil {
		return q.limits.Bytes
	}
	return q.limits.Bytes + q.out.ahead.Touch()
}

// Pending returns the number of bytes that have been appended and not yet written.
func (q *Queue) Pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.unwritten()
}

func (q *Queue) unwritten() int {
	n := q.writing
	if q.pending != nil {
		n += len(*q.pending)
	}
	return n
}

// Sync flushes and waits until all bytes are written, the queue fails, or ctx ends.
func (q *Queue) Sync(ctx context.Context) error {
	for {
		q.Flush()
		q.mu.Lock()
		if q.err != nil || !q.busy && q.pending == nil {
			err := q.err
			q.mu.Unlock()
			return err
		}
		if q.idle == nil {
			q.idle = make(chan struct{})
		}
		idle := q.idle
		q.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close makes Append return false and writes the pending bytes until ctx ends. If ctx ends first,
// the caller closes the transport, which ends the write, and may then call Wait.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	return q.Sync(ctx)
}

// Wait returns when no goroutine of the queue runs.
func (q *Queue) Wait() { q.writers.Wait() }

func (q *Queue) drop() {
	if q.pending != nil {
		recycle(q.pending)
		q.pending = nil
	}
}

// failAndUnlock makes the queue fail with err, unlocks it, and calls onFail and the callbacks.
func (q *Queue) failAndUnlock(err error) {
	if q.err != nil {
		q.mu.Unlock()
		return
	}
	unwritten := q.unwritten()
	q.err = err
	q.drop()
	f, due := q.onFail, q.release()
	q.mu.Unlock()
	if f != nil {
		f(err, unwritten)
	}
	notify(due)
}

// recycle returns a buffer to the pool.
func recycle(b *[]byte) {
	if cap(*b) <= maxKeptBuffer {
		*b = (*b)[:0]
		queueBuffers.Put(b)
	}
}
