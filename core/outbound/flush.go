package outbound

import (
	"io"
	"time"
)

// Flush writes the pending bytes without blocking. A goroutine writes what the socket does not
// accept at once.
func (q *Queue) Flush() {
	q.mu.Lock()
	if q.busy || q.err != nil || q.pending == nil {
		q.mu.Unlock()
		return
	}
	q.busy = true
	more := false
	if q.out.tries() {
		var done bool
		if done, more = q.flushHere(); done {
			return
		}
	}
	q.writers.Add(1)
	q.mu.Unlock()
	go q.write(more)
}

// flushHere writes as much as possible without blocking, and is called with the lock held. If done it has
// unlocked q. Otherwise q is locked and a goroutine must continue; more means that the socket still holds bytes to drain.
func (q *Queue) flushHere() (done, more bool) {
	for range maxRounds {
		b := q.take()
		if b == nil {
			q.writerDone()
			due := q.release()
			q.mu.Unlock()
			notify(due)
			return true, false
		}
		q.mu.Unlock()
		more, err := q.out.tryWrite(*b)
		n := len(*b)
		recycle(b)
		q.mu.Lock()
		if err != nil {
			q.writerDone()
			q.failAndUnlock(err)
			return true, false
		}
		if more {
			return false, true
		}
		q.addWritten(n)
	}
	return false, false
}

// take removes and returns the pending bytes, nil if there are none. The caller holds the lock.
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

func (q *Queue) addWritten(n int) {
	q.written += int64(n)
	q.writing -= n
	if q.writing == 0 {
		q.extra = 0
	}
}

// writerDone lets another goroutine write, and wakes those that wait in Sync. The caller holds the lock.
func (q *Queue) writerDone() {
	q.busy = false
	if q.idle != nil {
		close(q.idle)
		q.idle = nil
	}
}

// write is the queue's goroutine. It ends when the queue is empty. more means that the socket still holds bytes.
func (q *Queue) write(more bool) {
	defer q.writers.Done()
	for {
		q.mu.Lock()
		var b *[]byte
		if !more {
			if b = q.take(); b == nil {
				q.writerDone()
				q.mu.Unlock()
				return
			}
		}
		n := q.writing
		q.mu.Unlock()

		var err error
		switch {
		case more:
			more, err = false, q.drain()
			if err != nil {
				n = 0 // the number of bytes written is not known
			}
		case q.out.tries():
			if more, err = q.out.tryWrite(*b); more || err != nil {
				n = 0
			}
			recycle(b)
		default:
			n, err = q.writeBlocking(*b)
			recycle(b)
		}

		q.mu.Lock()
		q.addWritten(n)
		if err != nil {
			q.writerDone()
			q.failAndUnlock(err)
			return
		}
		due := q.release()
		q.mu.Unlock()
		notify(due)
	}
}

// writeBlocking writes to a transport without non-blocking writes. It returns the number of bytes written.
func (q *Queue) writeBlocking(b []byte) (n int, err error) {
	until := time.Now().Add(q.limits.Write)
	if f := q.out.frames; f != nil {
		_ = f.SetWriteDeadline(until) // the write fails as well
		if err := f.WriteFrames(b, q.out.bounds.writing); err != nil {
			return 0, err // the number of bytes written is not known
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

// drain waits until the socket has accepted all bytes, at most for limits.Write. It removes the deadline, which would
// end later writes.
func (q *Queue) drain() error {
	var s interface {
		Drain() error
		SetWriteDeadline(t time.Time) error
	} = q.out.try
	if q.out.framed != nil {
		s = q.out.framed
	}
	_ = s.SetWriteDeadline(time.Now().Add(q.limits.Write)) // the write fails as well
	err := s.Drain()
	_ = s.SetWriteDeadline(time.Time{})
	return err
}
