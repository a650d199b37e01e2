package store

import (
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
)

// maxQueue is how many functions and rows may wait for the writer before more are refused.
const maxQueue = 1 << 16

// paceLimit is how many may wait before Pace holds back those who bring more.
const paceLimit = 1 << 13

// Errors of a write that was not tried.
var (
	ErrClosed   error = &Unavailable{what: errors.New("the store is closed")}
	ErrOverload error = &Unavailable{what: errors.New("too many writes are waiting"), advice: "the disk is too slow for so much"}
)

// write is one function that waits for its turn.
type write struct {
	fn   func(*sql.Tx) error
	done func(error)
	// single says that fn is one statement and nothing else, which needs no savepoint: SQLite
	// undoes a statement that breaks a constraint, and goes on.
	single bool
	size   int   // rows, of a batch; 0 is one
	err    error // for done, once the group has been committed
}

func (w *write) count() int { return max(1, w.size) }

// queue is what waits for the writer, in order.
type queue struct {
	mu     sync.Mutex
	ready  sync.Cond
	items  []*write
	rows   int // of all items
	closed bool

	waiting atomic.Int64  // rows
	below   chan struct{} // closed when fewer than paceLimit wait; nil where nobody waits for that
}

func newQueue() *queue {
	q := &queue{}
	q.ready.L = &q.mu
	return q
}

// push never waits. A write that is refused for overload keeps its place, so that
// its done is called by the writer's goroutine like any other.
func (q *queue) push(w *write) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if q.rows >= maxQueue {
		w.fn, w.err = nil, ErrOverload
	}
	q.items = append(q.items, w)
	q.grown(w.count())
	return nil
}

// grown is called with the lock held after n rows were added.
func (q *queue) grown(n int) {
	q.rows += n
	q.waiting.Store(int64(q.rows))
	q.ready.Signal()
}

// isLast reports whether w is what was queued last and has not been taken. The lock is held.
func (q *queue) isLast(w *write) bool {
	return len(q.items) > 0 && q.items[len(q.items)-1] == w
}

// cancel takes w out where its turn has not come yet.
func (q *queue) cancel(w *write) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.items {
		if q.items[i] == w {
			q.items = append(q.items[:i], q.items[i+1:]...)
			q.rows -= w.count()
			q.waiting.Store(int64(q.rows))
			return true
		}
	}
	return false
}

// take moves writes of about n rows to dst. With wait it sleeps until there is one, and then
// gives none only when the queue is closed and empty.
func (q *queue) take(dst []*write, n int, wait bool) []*write {
	q.mu.Lock()
	defer q.mu.Unlock()
	for wait && len(q.items) == 0 && !q.closed {
		q.ready.Wait()
	}
	taken, rows := 0, 0
	for ; taken < len(q.items) && rows < n; taken++ {
		rows += q.items[taken].count()
	}
	dst = append(dst, q.items[:taken]...)
	rest := copy(q.items, q.items[taken:])
	clear(q.items[rest:])
	q.items = q.items[:rest]
	q.rows -= rows
	q.waiting.Store(int64(q.rows))
	if q.below != nil && q.rows < paceLimit {
		close(q.below)
		q.below = nil
	}
	return dst
}

// belowPaceLimit is closed when fewer than paceLimit wait; nil where that is so already.
func (q *queue) belowPaceLimit() <-chan struct{} {
	if q.waiting.Load() < paceLimit {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.rows < paceLimit {
		return nil
	}
	if q.below == nil {
		q.below = make(chan struct{})
	}
	return q.below
}

// close refuses further pushes and reports whether it was open.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := !q.closed
	q.closed = true
	q.ready.Broadcast()
	return was
}
