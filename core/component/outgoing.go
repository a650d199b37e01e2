package component

import (
	"context"
	"errors"
	"math"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// highWater is how many bytes are handed to the connection ahead of the peer's reading;
// the rest waits as stanzas, where it survives the connection.
const highWater = 256 << 10

// letter is a stanza on its way, and where it ends among the bytes that the connection's
// queue was given. done, which may be nil, is called when the socket has taken it, or with
// an error when it never will.
type letter struct {
	st   *stanza.Stanza
	end  int64
	done func(error)
}

// stanzaError is an answer to one of our own stanzas that Link makes itself.
type stanzaError struct {
	st *stanza.Stanza
	e  *stanza.Error
}

// Send sends a stanza of this domain, after those that still wait for the connection.
// One that finds no room comes back to the handler as an error.
func (l *Link) Send(st *stanza.Stanza) {
	if w := l.add(letter{st: st}); w != nil {
		w.queue.Flush()
	}
}

// SendAll is Send for several stanzas. done is called, perhaps before SendAll returns and
// by any goroutine, once the sockets have taken them all, or with an error when one of
// them found no room. It must not block.
func (l *Link) SendAll(list []*stanza.Stanza, done func(error)) {
	all := &sending{open: len(list) + 1, done: done}
	var w *wire
	for _, st := range list {
		if to := l.add(letter{st: st, done: all.end}); to != nil {
			w = to
		}
	}
	if w != nil {
		w.queue.Flush()
		w.queue.Notify(func(bool) { l.written(w) })
	}
	all.end(nil)
}

// sending counts the letters of one SendAll.
type sending struct {
	mu   sync.Mutex
	open int
	err  error
	done func(error)
}

func (s *sending) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.open--
	last, err := s.open == 0, s.err
	s.mu.Unlock()
	if last {
		s.done(err)
	}
}

// Collect is for a worker that sends much in a row: what send is given leaves when flush
// is called, or before. Both belong to one goroutine.
func (l *Link) Collect() (send func(*stanza.Stanza), flush func()) {
	var touched *wire
	return func(st *stanza.Stanza) {
			w := l.add(letter{st: st})
			if touched != nil && w != touched {
				touched.queue.Flush()
			}
			touched = w
		}, func() {
			if touched != nil {
				touched.queue.Flush()
				touched = nil
			}
		}
}

// errNoRoom is for letters that cannot be kept until there is a connection.
var errNoRoom = errors.New("component link: no room for what waits")

// add gives a stanza to the connection, which is returned and must be flushed, or makes
// it wait for the next one.
func (l *Link) add(m letter) *wire {
	if m.st.From.Domain() != l.opts.Domain.String() {
		l.log.Error("stanza from a foreign domain refused", "from", m.st.From)
		m.tell(nil)
		return nil
	}
	l.mu.Lock()
	if len(m.st.Payload)+len(m.st.Extra) > l.opts.MaxBytes { // the server would end the stream
		l.refuse(m.st, stanza.PolicyViolation("stanza is too big"))
		l.mu.Unlock()
		l.signal()
		m.tell(nil) // nor would it be taken another time
		return nil
	}
	w, kept := l.up, true
	direct := w != nil && !l.draining && len(l.waiting) == 0 && w.queue.Pending() < highWater
	if direct {
		l.put(w, m)
	} else {
		kept = l.keep(m)
	}
	l.mu.Unlock()
	if direct {
		return w
	}
	l.signal()
	if !kept {
		m.tell(errNoRoom)
	}
	return nil
}

func (m letter) tell(err error) {
	if m.done != nil {
		m.done(err)
	}
}

func (l *Link) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// put appends a stanza to the connection's queue and remembers it until it is written.
// The lock is held.
func (l *Link) put(w *wire, m letter) {
	end, ok := w.send(m.st)
	if !ok {
		end = math.MaxInt64 // never written on this connection
	}
	m.end = end
	l.sent = append(l.sent, m)
	l.thin(w.queue.Written())
}

// thin drops the memory of what the socket has taken and nobody waits for. The lock is held.
func (l *Link) thin(written int64) {
	n := 0
	for n < len(l.sent) && l.sent[n].end <= written && l.sent[n].done == nil {
		n++
	}
	if n == len(l.sent) {
		clear(l.sent)
		l.sent = l.sent[:0]
	} else if n > 64 && n > len(l.sent)/2 {
		l.sent = append([]letter(nil), l.sent[n:]...)
	}
}

// forget drops the memory of what the socket has taken, and returns it. The lock is held.
func (l *Link) forget(written int64) []letter {
	n := 0
	for n < len(l.sent) && l.sent[n].end <= written {
		n++
	}
	gone := l.sent[:n:n]
	if l.sent = l.sent[n:]; len(l.sent) == 0 {
		l.sent = nil
	}
	return gone
}

// written tells those who wait for it what the socket has taken.
func (l *Link) written(w *wire) {
	l.mu.Lock()
	var gone []letter
	if l.up == w {
		gone = l.forget(w.queue.Written())
	}
	l.mu.Unlock()
	for _, m := range gone {
		m.tell(nil)
	}
}

// keep makes a stanza wait; false where there is no room. The lock is held.
func (l *Link) keep(m letter) bool {
	size := sizeOf(m.st)
	if len(l.waiting) >= l.opts.Waiting || l.size+size > l.opts.WaitSize {
		l.refuse(m.st, stanza.RemoteServerTimeout("not connected for too long"))
		return false
	}
	l.waiting = append(l.waiting, m)
	l.size += size
	return true
}

// refuse makes the handler get st back. The lock is held.
func (l *Link) refuse(st *stanza.Stanza, e *stanza.Error) {
	if len(l.refused) < l.opts.Waiting {
		l.refused = append(l.refused, stanzaError{st, e})
	}
}

func sizeOf(st *stanza.Stanza) int { return len(st.Payload) + len(st.Extra) + 256 }

// feed moves what waits into the queue as the peer reads it.
func (l *Link) feed(ctx context.Context, w *wire) {
	l.mu.Lock()
	l.up, l.draining = w, len(l.waiting) > 0
	l.mu.Unlock()
	for {
		if !l.drain(ctx, w) {
			return
		}
		l.mu.Lock()
		refused := len(l.refused) > 0
		l.mu.Unlock()
		if refused {
			w.poke() // the reader tells the handler
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
			return
		}
	}
}

// drain empties the waiting list; false where the connection has ended.
func (l *Link) drain(ctx context.Context, w *wire) bool {
	for {
		l.mu.Lock()
		n := 0
		for n < len(l.waiting) && w.queue.Pending() < highWater {
			l.size -= sizeOf(l.waiting[n].st)
			l.put(w, l.waiting[n])
			n++
		}
		l.waiting = l.waiting[n:]
		l.draining = len(l.waiting) > 0
		done := !l.draining
		if done {
			l.waiting = nil
		}
		l.mu.Unlock()
		w.queue.Flush()
		if n > 0 {
			w.queue.Notify(func(bool) { l.written(w) })
		}
		if done {
			return true
		}
		if w.queue.Sync(ctx) != nil {
			return false
		}
	}
}

// requeue puts what a connection did not write before what waits for the next one.
func (l *Link) requeue(w *wire) {
	var gone []letter
	defer func() {
		for _, m := range gone {
			m.tell(nil)
		}
	}()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up != w {
		return
	}
	l.up, l.draining = nil, false
	gone = l.forget(w.queue.Written())
	for _, m := range l.sent {
		l.size += sizeOf(m.st)
	}
	l.waiting = append(l.sent, l.waiting...)
	l.sent = nil
}
