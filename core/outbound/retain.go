package outbound

import (
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/unacked"
)

// RetainLimits bound the stanzas of Queue.Retain. If they are zero, Retain returns ErrFull.
type RetainLimits struct {
	Stanzas int
	Bytes   int // sum of RetainedSize
}

// RetainedSize returns the size of a stanza that counts against RetainLimits.Bytes.
func RetainedSize(st *stanza.Stanza) int { return unacked.Size(st) }

// Retained is a stanza that is not written. Done, which may be nil, is called with nil when it is, and with an error by code that took it
// from Unwritten and cannot send it. Begun, set by Unwritten, means that the socket had it when the connection ended: the peer may too.
type Retained struct {
	Stanza *stanza.Stanza
	Done   func(error)
	Begun  bool
}

// Retain appends a stanza and keeps it until it is written. Then Done is called without
// a lock, by the goroutine that wrote it. If the connection ends before that, Done is not called:
// Unwritten returns the stanza, so that it can be sent on another connection. ErrFull means that the
// limit of retained stanzas is reached and that nothing was appended; any other error means that the queue
// is closed or has failed. From Manage or Resume on a stanza is kept until it is acknowledged instead, and Done is not called.
func (q *Queue) Retain(s Retained) error {
	st, content := s.Stanza, q.content()
	st.DropTree() // it is kept until the peer reads
	q.mu.Lock()
	if q.retained.unacked != nil || q.retained.released {
		q.mu.Unlock()
		if !q.AppendStanza(st) {
			return ErrClosed
		}
		return nil
	}
	r, size := &q.retained, RetainedSize(st)
	if q.err == nil && (r.stanzas >= q.limits.Retain.Stanzas || r.bytes+size > q.limits.Retain.Bytes) {
		q.mu.Unlock()
		return ErrFull
	}
	if !q.append(func(dst []byte) []byte { return st.AppendXML(dst, content) }) {
		q.failIfSlow()
		return ErrClosed
	}
	r.list = append(r.list, entry{end: q.written + int64(q.unwritten()), st: st, done: s.Done})
	r.stanzas++
	r.bytes += size
	q.mu.Unlock()
	return nil
}

// Unwritten removes the retained stanzas that are not written and returns them in order. Call it after the
// queue has failed or been closed. A stanza that was written in part counts as unwritten.
func (q *Queue) Unwritten() []Retained {
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []Retained
	for _, e := range q.retained.list {
		if e.st != nil {
			list = append(list, Retained{e.st, e.done, e.end <= q.written+int64(q.writing)})
		}
	}
	q.retained = retained{unacked: q.retained.unacked, released: q.retained.released}
	return list
}

// Notify calls done with true when all bytes appended before are written, or with false when the queue
// has failed: at once, or later in the goroutine that writes.
func (q *Queue) Notify(done func(written bool)) {
	q.mu.Lock()
	if n := q.unwritten(); q.err == nil && n > 0 {
		q.retained.list = append(q.retained.list, entry{end: q.written + int64(n), outcome: done})
		q.mu.Unlock()
		return
	}
	written := q.err == nil
	q.mu.Unlock()
	done(written)
}

// retained is the list of stanzas and callbacks that wait for bytes to be written.
type retained struct {
	list           []entry // by end
	stanzas, bytes int
	unacked        *unacked.List // what waits for acknowledgements; nil without stream management
	released       bool          // Release was called
}

// entry is a stanza of Retain or a callback of Notify. It is due when written reaches end.
type entry struct {
	end     int64
	st      *stanza.Stanza
	done    func(error)
	outcome func(written bool)
}

// dueCallback is a callback to be called without the lock.
type dueCallback struct {
	done    func(error)
	outcome func(written bool)
	written bool
}

// release removes the entries whose bytes are written, and after a failure all callbacks of Notify. The caller
// holds the lock, and after unlocking passes the result to notify.
func (q *Queue) release() []dueCallback {
	r := &q.retained
	if len(r.list) == 0 {
		return nil
	}
	var due []dueCallback
	keep := r.list[:0]
	for _, e := range r.list {
		written := e.end <= q.written
		switch {
		case e.st != nil && written:
			r.stanzas--
			r.bytes -= RetainedSize(e.st)
			if e.done != nil {
				due = append(due, dueCallback{done: e.done})
			}
		case e.outcome != nil && (written || q.err != nil):
			due = append(due, dueCallback{outcome: e.outcome, written: written})
		default:
			keep = append(keep, e)
		}
	}
	clear(r.list[len(keep):])
	if r.list = keep; len(keep) == 0 && cap(keep) > maxIdleEntries {
		r.list = nil
	}
	return due
}

// maxIdleEntries is the largest capacity of the list that an empty queue keeps allocated.
const maxIdleEntries = 64

func notify(due []dueCallback) {
	for _, n := range due {
		if n.done != nil {
			n.done(nil)
		} else {
			n.outcome(n.written)
		}
	}
}
