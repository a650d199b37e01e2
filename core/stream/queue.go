package stream

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Errors of a Queue.
var (
	ErrSlow   = errors.New("stream: peer reads too slowly")
	ErrClosed = errors.New("stream: queue closed")
)

// QueueLimits bound a Queue. Zero fields take the values of DefaultQueue.
type QueueLimits struct {
	Bytes int           // that may wait; more is a slow reader
	Write time.Duration // how long one write may take
}

// DefaultQueue is what a client session gets.
func DefaultQueue() QueueLimits { return QueueLimits{Bytes: 1 << 20, Write: 30 * time.Second} }

// Queue is what waits to be written to one connection. Append never blocks; Flush hands
// all that waits to the socket in one write. When the peer does not read, the queue fills
// up to its limit, and then it fails once and for all: see NewQueue.
type Queue struct {
	limits QueueLimits
	onFail func(err error, unwritten int)

	mu      sync.Mutex
	conn    net.Conn
	try     *Conn   // conn, where it can write without blocking
	pending *[]byte // nil while nothing waits
	writing int     // bytes that a writer has in hand
	extra   int     // what may wait beyond the limit, see Append
	busy    bool    // somebody writes: a flusher or our goroutine
	err     error   // why nothing is accepted any more
	closed  bool
	idle    chan struct{} // closed when busy ends; made where somebody waits
	written int64
	waits   []wait // for written to grow, in order
	writers sync.WaitGroup
}

var queueBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

const (
	// maxKeptBuffer is the largest buffer that goes back to the pool.
	maxKeptBuffer = 64 << 10
	// maxRounds is how often a flusher writes what others append meanwhile.
	maxRounds = 4
)

// NewQueue makes a queue for conn; with a *Conn it mostly does without a goroutine.
// onFail, which may be nil, is called at most once, from whatever goroutine notices,
// without a lock: with ErrSlow or the error of the write, and how many bytes were
// accepted but not written. It should close conn and must not block.
func NewQueue(conn net.Conn, limits QueueLimits, onFail func(err error, unwritten int)) *Queue {
	d := DefaultQueue()
	if limits.Bytes <= 0 {
		limits.Bytes = d.Bytes
	}
	if limits.Write <= 0 {
		limits.Write = d.Write
	}
	q := &Queue{limits: limits, onFail: onFail}
	q.use(conn)
	return q
}

func (q *Queue) use(conn net.Conn) {
	q.conn, q.try = conn, nil
	if c, ok := conn.(*Conn); ok && c.CanTry() {
		q.try = c
	}
}

// Append lets f add to what waits. False means that the queue is closed or has failed and
// nothing was added. f must only append to dst and must not use the queue.
//
// What finds the queue empty is taken whatever its size: a long roster is the answer to a
// question, and no sign of a slow reader. The limit is for what comes after it.
func (q *Queue) Append(f func(dst []byte) []byte) bool {
	q.mu.Lock()
	if q.err != nil || q.closed {
		q.mu.Unlock()
		return false
	}
	if q.pending == nil {
		q.pending = queueBuffers.Get().(*[]byte)
	}
	before := len(*q.pending)
	*q.pending = f(*q.pending)
	if before == 0 && q.writing == 0 && len(*q.pending) > q.limits.Bytes {
		q.extra = len(*q.pending)
	}
	if len(*q.pending)+q.writing <= q.limits.Bytes+q.extra {
		q.mu.Unlock()
		return true
	}
	*q.pending = (*q.pending)[:before]
	q.failAndUnlock(ErrSlow)
	return false
}

// AppendBytes adds b to what waits.
func (q *Queue) AppendBytes(b []byte) bool {
	return q.Append(func(dst []byte) []byte { return append(dst, b...) })
}

// Pending is how many bytes have been accepted and not yet been taken by the socket.
func (q *Queue) Pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting()
}

func (q *Queue) waiting() int {
	n := q.writing
	if q.pending != nil {
		n += len(*q.pending)
	}
	return n
}

// Written counts the bytes that the socket has taken.
func (q *Queue) Written() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.written
}

// wait is somebody who waits until so much is written.
type wait struct {
	until int64
	done  func(written bool)
}

// Notify calls done once the socket has taken all that was appended before, or the queue
// has failed without that: at once, or from the goroutine that notices.
func (q *Queue) Notify(done func(written bool)) {
	q.mu.Lock()
	if n := q.waiting(); q.err == nil && n > 0 {
		q.waits = append(q.waits, wait{q.written + int64(n), done})
		q.mu.Unlock()
		return
	}
	written := q.err == nil
	q.mu.Unlock()
	done(written)
}

// due takes out those who need not wait any longer; their until is 0 where it is in vain.
// The lock is held.
func (q *Queue) due() []wait {
	n := 0
	for n < len(q.waits) && (q.err != nil || q.waits[n].until <= q.written) {
		n++
	}
	if n == 0 {
		return nil
	}
	due := q.waits[:n:n]
	for i := range due {
		if due[i].until > q.written {
			due[i].until = 0
		}
	}
	if q.waits = q.waits[n:]; len(q.waits) == 0 {
		q.waits = nil
	}
	return due
}

func tell(due []wait) {
	for _, w := range due {
		w.done(w.until > 0)
	}
}

// Err is why the queue has failed, nil while it has not.
func (q *Queue) Err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// Swap makes the queue write to another connection from now on. What waited must have
// been written before, see Sync. A *Conn that turns to TLS needs no Swap.
func (q *Queue) Swap(conn net.Conn) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return q.err
	}
	if q.busy || q.pending != nil {
		return errors.New("stream: swap of a queue that is not empty")
	}
	q.use(conn)
	return nil
}

// Sync flushes and waits until the socket has taken all, or the queue has failed.
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

// Close accepts nothing more and writes what waits until ctx ends. Where ctx ended first
// the caller closes the connection, which ends the write, and may Wait.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	return q.Sync(ctx)
}

// Abort drops what waits and accepts nothing more; it tells how many bytes that were,
// those in a writer's hands included. onFail is not called.
func (q *Queue) Abort() int {
	q.mu.Lock()
	n := q.waiting()
	q.closed = true
	if q.err == nil {
		q.err = ErrClosed
	}
	q.drop()
	due := q.due()
	q.mu.Unlock()
	tell(due)
	return n
}

// Wait returns when no goroutine of the queue runs.
func (q *Queue) Wait() { q.writers.Wait() }

func (q *Queue) drop() {
	if q.pending != nil {
		keep(q.pending)
		q.pending = nil
	}
}

// failAndUnlock ends the queue because of err.
func (q *Queue) failAndUnlock(err error) {
	if q.err != nil {
		q.mu.Unlock()
		return
	}
	unwritten := q.waiting()
	q.err = err
	q.drop()
	f, due := q.onFail, q.due()
	q.mu.Unlock()
	if f != nil {
		f(err, unwritten)
	}
	tell(due)
}

func keep(b *[]byte) {
	if cap(*b) <= maxKeptBuffer {
		*b = (*b)[:0]
		queueBuffers.Put(b)
	}
}
