package stream

import (
	"io"
	"time"
)

// Flush makes pending bytes be written soon. It does not block: what the socket
// does not take at once is left to a goroutine.
func (q *Queue) Flush() {
	q.mu.Lock()
	if q.busy || q.err != nil || q.pending == nil {
		q.mu.Unlock()
		return
	}
	q.busy = true
	more := false
	if q.out.try != nil {
		var done bool
		if done, more = q.flushHere(); done {
			return
		}
	}
	q.writers.Add(1)
	q.mu.Unlock()
	go q.write(more)
}

// flushHere writes as far as that does not block. If it is not done the lock is held
// and a goroutine must go on; more means that the socket still holds bytes.
func (q *Queue) flushHere() (done, more bool) {
	for range maxRounds {
		b := q.take()
		if b == nil {
			q.rest()
			due := q.release()
			q.mu.Unlock()
			notify(due)
			return true, false
		}
		q.mu.Unlock()
		more, err := q.out.try.TryWrite(*b)
		n := len(*b)
		recycle(b)
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

// take removes the pending bytes, nil if there are none. The lock is held.
func (q *Queue) take() *[]byte {
	b := q.pending
	if b == nil || q.err != nil {
		return nil
	}
	q.pending, q.writing = nil, len(*b)
	if f := q.out.bounds; f != nil {
		f.pending, f.writing = f.writing[:0], f.pending
	}
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

// write empties the queue and ends. more means that the socket still holds bytes.
func (q *Queue) write(more bool) {
	defer q.writers.Done()
	for {
		q.mu.Lock()
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
		switch try := q.out.try; {
		case more:
			more, err = false, q.drain(try)
			if err != nil {
				n = 0 // how much of it was taken is not known
			}
		case try != nil:
			if more, err = try.TryWrite(*b); more || err != nil {
				n = 0
			}
			recycle(b)
		default:
			n, err = q.writeBlocking(*b)
			recycle(b)
		}

		q.mu.Lock()
		q.wrote(n)
		if err != nil {
			q.rest()
			q.failAndUnlock(err)
			return
		}
		due := q.release()
		q.mu.Unlock()
		notify(due)
	}
}

// writeBlocking writes to a transport that cannot be asked not to block. It returns how many bytes were taken.
func (q *Queue) writeBlocking(b []byte) (n int, err error) {
	until := time.Now().Add(q.limits.Write)
	if f := q.out.frames; f != nil {
		_ = f.SetWriteDeadline(until) // the write fails as well
		if err := f.WriteFrames(b, q.out.bounds.writing); err != nil {
			return 0, err // how much of it was taken is not known
		}
		return len(b), nil
	}
	_ = q.out.stream.SetWriteDeadline(until) // the write fails as well
	n, err = q.out.stream.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

// drain waits for the socket until the write deadline. A deadline that stayed set would end
// later attempts.
func (q *Queue) drain(s Socket) error {
	_ = s.SetWriteDeadline(time.Now().Add(q.limits.Write)) // the write fails as well
	err := s.Drain()
	_ = s.SetWriteDeadline(time.Time{})
	return err
}
