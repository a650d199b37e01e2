package component

import (
	"context"
	"math"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// highWater is how many bytes are handed to the connection ahead of the peer's reading;
// the rest waits as stanzas, where it survives the connection.
const highWater = 256 << 10

// sent is a stanza and where it ends among the bytes that the connection's queue was given.
type sent struct {
	st  *stanza.Stanza
	end int64
}

// stanzaError is an answer to one of our own stanzas that Link makes itself.
type stanzaError struct {
	st *stanza.Stanza
	e  *stanza.Error
}

// Send sends a stanza of this domain, after those that still wait for the connection.
// One that finds no room comes back to the handler as an error.
func (l *Link) Send(st *stanza.Stanza) {
	if w := l.add(st); w != nil {
		w.queue.Flush()
	}
}

// Collect is for a worker that sends much in a row: what send is given leaves when flush
// is called, or before. Both belong to one goroutine.
func (l *Link) Collect() (send func(*stanza.Stanza), flush func()) {
	var touched *wire
	return func(st *stanza.Stanza) {
			w := l.add(st)
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

// add gives a stanza to the connection, which is returned and must be flushed, or makes
// it wait for the next one.
func (l *Link) add(st *stanza.Stanza) *wire {
	if st.From.Domain() != l.opts.Domain.String() {
		l.log.Error("stanza from a foreign domain refused", "from", st.From)
		return nil
	}
	l.mu.Lock()
	if len(st.Payload)+len(st.Extra) > l.opts.MaxBytes { // the server would end the stream
		l.refuse(st, stanza.PolicyViolation("stanza is too big"))
		l.mu.Unlock()
		l.signal()
		return nil
	}
	w := l.up
	direct := w != nil && !l.draining && len(l.waiting) == 0 && w.queue.Pending() < highWater
	if direct {
		l.put(w, st)
	} else {
		l.keep(st)
	}
	l.mu.Unlock()
	if direct {
		return w
	}
	l.signal()
	return nil
}

func (l *Link) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// put appends a stanza to the connection's queue and remembers it until it is written.
// The lock is held.
func (l *Link) put(w *wire, st *stanza.Stanza) {
	end, ok := w.send(st)
	if !ok {
		end = math.MaxInt64 // never written on this connection
	}
	l.sent = append(l.sent, sent{st, end})
	l.forget(w)
}

// forget drops the memory of what the socket has taken. The lock is held.
func (l *Link) forget(w *wire) {
	written := w.queue.Written()
	n := 0
	for n < len(l.sent) && l.sent[n].end <= written {
		n++
	}
	if n == len(l.sent) {
		clear(l.sent)
		l.sent = l.sent[:0]
	} else if n > 64 && n > len(l.sent)/2 {
		l.sent = append([]sent(nil), l.sent[n:]...)
	}
}

// keep makes a stanza wait. The lock is held.
func (l *Link) keep(st *stanza.Stanza) {
	size := sizeOf(st)
	if len(l.waiting) >= l.opts.Waiting || l.size+size > l.opts.WaitSize {
		l.refuse(st, stanza.RemoteServerTimeout("not connected for too long"))
		return
	}
	l.waiting = append(l.waiting, st)
	l.size += size
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
			l.size -= sizeOf(l.waiting[n])
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up != w {
		return
	}
	l.up, l.draining = nil, false
	written := w.queue.Written()
	var again []*stanza.Stanza
	for _, s := range l.sent {
		if s.end > written {
			again = append(again, s.st)
			l.size += sizeOf(s.st)
		}
	}
	l.sent = nil
	l.waiting = append(again, l.waiting...)
}
