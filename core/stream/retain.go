package stream

import "github.com/dragoman-im/dragoman/core/stanza"

// RetainLimits bound the stanzas that a Queue keeps. Without them it keeps none.
type RetainLimits struct {
	Stanzas int
	Bytes   int // of their payloads, with an allowance for the rest
}

// stanzaOverhead is what a stanza counts beside its payload.
const stanzaOverhead = 256

// RetainedSize is what a stanza counts against RetainLimits.Bytes.
func RetainedSize(st *stanza.Stanza) int { return len(st.Payload) + len(st.Extra) + stanzaOverhead }

// Retained is a stanza that has not been written. Done, which may be nil, is called with nil when it has been, or with an
// error by whoever gives it up.
type Retained struct {
	Stanza *stanza.Stanza
	Done   func(error)
}

// Retain appends a stanza and keeps it until the socket has taken it. Then Done is called without
// a lock, by whatever goroutine notices. If the connection ends before that, Done is not called:
// Unwritten returns the stanza, so that it can be sent on another connection. ErrFull means that the
// limit of retained stanzas is reached and that nothing was appended; any other error is the end of
// the queue.
//
// XEP-0198 needs the same list with another end of an entry: the peer's count instead of ours.
func (q *Queue) Retain(s Retained) error {
	st, content := s.Stanza, q.content()
	q.mu.Lock()
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

// Unwritten removes the retained stanzas that the socket has not taken and returns them in order. It is for a
// queue that has failed or been closed; what was taken in part counts as unwritten.
func (q *Queue) Unwritten() []Retained {
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []Retained
	for _, e := range q.retained.list {
		if e.st != nil {
			list = append(list, Retained{e.st, e.done})
		}
	}
	q.retained = retained{}
	return list
}

// Notify calls done once the socket has taken all that was appended before, or the queue
// has failed without that: at once, or from the goroutine that notices.
func (q *Queue) Notify(done func(written bool)) {
	q.mu.Lock()
	if n := q.unwritten(); q.err == nil && n > 0 {
		q.retained.list = append(q.retained.list, entry{end: q.written + int64(n), either: done})
		q.mu.Unlock()
		return
	}
	written := q.err == nil
	q.mu.Unlock()
	done(written)
}

// retained is what has to happen when written grows.
type retained struct {
	list           []entry // by end
	stanzas, bytes int
}

// entry is due when the queue has written so many bytes: a stanza of Retain, or a callback of Notify.
type entry struct {
	end    int64
	st     *stanza.Stanza
	done   func(error)
	either func(written bool)
}

// notice is a callback that is due.
type notice struct {
	done    func(error)
	either  func(written bool)
	written bool
}

// release removes the entries whose bytes are written, and after a failure all callbacks of Notify. The
// caller passes the result to notify without the lock. The lock is held.
func (q *Queue) release() []notice {
	r := &q.retained
	if len(r.list) == 0 {
		return nil
	}
	var due []notice
	keep := r.list[:0]
	for _, e := range r.list {
		written := e.end <= q.written
		switch {
		case e.st != nil && written:
			r.stanzas--
			r.bytes -= RetainedSize(e.st)
			if e.done != nil {
				due = append(due, notice{done: e.done})
			}
		case e.either != nil && (written || q.err != nil):
			due = append(due, notice{either: e.either, written: written})
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

// maxIdleEntries is the room for entries that an empty queue keeps.
const maxIdleEntries = 64

func notify(due []notice) {
	for _, n := range due {
		if n.done != nil {
			n.done(nil)
		} else {
			n.either(n.written)
		}
	}
}
