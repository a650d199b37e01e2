package stream

import (
	"io"
	"time"
)

// Flush sees to it that what waits is written soon. It does not block: what the socket
// does not take at once is left to a goroutine.
func (q *Queue) Flush() {
	q.mu.Lock()
	if q.busy || q.err != nil || q.pending == nil {
		q.mu.Unlock()
		return
	}
	q.busy = true
	more := false
	if q.try != nil {
		var done bool
		if done, more = q.flushHere(); done {
			return
		}
	}
	q.writers.Add(1)
	q.mu.Unlock()
	go q.write(more)
}

// flushHere writes as far as that does not block. Where it is not done the lock is held
// and a goroutine must go on, more telling that the connection has bytes in hand.
func (q *Queue) flushHere() (done, more bool) {
	for range maxRounds {
		b := q.take()
		if b == nil {
			q.rest()
			due := q.due()
			q.mu.Unlock()
			tell(due)
			return true, false
		}
		try := q.try
		q.mu.Unlock()
		more, err := try.TryWrite(*b)
		n := len(*b)
		keep(b)
		q.mu.Lock()
		if err != nil {
			q.rest()
			q.failAndUnlock(err)
			return true, false
		}
		if more {
			return false, true
		}
		q.wrote(n)
	}
	return false, false
}

// take is what waits, nil for nothing. The lock is held.
func (q *Queue) take() *[]byte {
	b := q.pending
	if b == nil || q.err != nil {
		return nil
	}
	q.pending, q.writing = nil, len(*b)
	return b
}

func (q *Queue) wrote(n int) {
	q.written += int64(n)
	q.writing -= n
	if q.writing == 0 {
		q.extra = 0
	}
}

// rest ends a writer's turn. The lock is held.
func (q *Queue) rest() {
	q.busy = false
	if q.idle != nil {
		close(q.idle)
		q.idle = nil
	}
}

// write empties the queue and ends. more tells that the connection has bytes in hand.
func (q *Queue) write(more bool) {
	defer q.writers.Done()
	for {
		q.mu.Lock()
		conn, try := q.conn, q.try
		var b *[]byte
		if !more {
			if b = q.take(); b == nil {
				q.rest()
				q.mu.Unlock()
				return
			}
		}
		n := q.writing
		q.mu.Unlock()

		var err error
		switch {
		case more:
			more, err = false, q.drain(try)
			if err != nil {
				n = 0 // how much of it was taken is not known
			}
		case try != nil:
			if more, err = try.TryWrite(*b); more || err != nil {
				n = 0
			}
			keep(b)
		default:
			_ = conn.SetWriteDeadline(time.Now().Add(q.limits.Write)) // the write tells
			n, err = conn.Write(*b)
			if err == nil && n < len(*b) {
				err = io.ErrShortWrite
			}
			keep(b)
		}

		q.mu.Lock()
		q.wrote(n)
		if err != nil {
			q.rest()
			q.failAndUnlock(err)
			return
		}
		due := q.due()
		q.mu.Unlock()
		tell(due)
	}
}

// drain waits for the socket, but not for ever. A deadline that stayed behind would end
// attempts that come later.
func (q *Queue) drain(conn *Conn) error {
	_ = conn.SetWriteDeadline(time.Now().Add(q.limits.Write)) // the write tells
	err := conn.Drain()
	_ = conn.SetWriteDeadline(time.Time{})
	return err
}
