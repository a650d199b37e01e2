package component

import (
	"context"
	"errors"
	"sync"

	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// highWater limits the unwritten bytes in the connection's queue; further stanzas wait
// in the Link.
const highWater = 256 << 10

// stanzaError is an error that the Link itself returns for one of our stanzas.
type stanzaError struct {
	st *stanza.Stanza
	e  *stanza.Error
}

// Send sends a stanza of this domain, after those that still wait for the connection.
// If there is no room for it, the handler gets an error for it.
func (l *Link) Send(st *stanza.Stanza) {
	if c := l.add(outbound.Retained{Stanza: st}); c != nil {
		c.Queue().Flush()
	}
}

// SendAll is Send for several stanzas. done is called, perhaps before SendAll returns and
// by any goroutine, once the server has handled them all (see echo), or with an error if there was no room
// for one of them. It must not block. The other function, which router.Endpoint calls, is never called here.
func (l *Link) SendAll(list []*stanza.Stanza, _ func(), done func(error)) {
	all := &sending{open: len(list) + 1, done: done}
	var c *stream.Conn
	for _, st := range list {
		if to := l.add(outbound.Retained{Stanza: st, Done: all.end}); to != nil {
			c = to
		}
	}
	if c != nil {
		c.Queue().Flush()
	}
	all.end(nil)
}

// sending counts the stanzas of one SendAll.
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

// Collect is for a goroutine that sends many stanzas in a row: they are written when flush
// is called, or before. Both functions belong to one goroutine.
func (l *Link) Collect() (send func(*stanza.Stanza), flush func()) {
	var touched *stream.Conn
	return func(st *stanza.Stanza) {
			c := l.add(outbound.Retained{Stanza: st})
			if touched != nil && c != touched {
				touched.Queue().Flush()
			}
			touched = c
		}, func() {
			if touched != nil {
				touched.Queue().Flush()
				touched = nil
			}
		}
}

// errNoRoom is for stanzas that cannot be kept until there is a connection.
var errNoRoom = errors.New("component link: too many stanzas wait for a connection")

// add appends a stanza to the connection and returns the connection, which the caller must flush, or makes
// the stanza wait for the next connection.
func (l *Link) add(s outbound.Retained) *stream.Conn {
	if s.Stanza.From.Domain() != l.opts.Domain.String() {
		l.log.Error("stanza from a foreign domain refused", "from", s.Stanza.From)
		finish(s, nil)
		return nil
	}
	s.Stanza.DropTree() // it may wait for long
	l.mu.Lock()
	if len(s.Stanza.Payload)+len(s.Stanza.Extra) > l.opts.MaxBytes { // the server would end the stream
		l.refuse(s.Stanza, stanza.PolicyViolation("stanza is too big"))
		l.mu.Unlock()
		l.signal()
		finish(s, nil) // no error: a retry would not help
		return nil
	}
	c := l.up
	if c != nil && !l.draining && len(l.waiting) == 0 && l.append(c, s) {
		l.mu.Unlock()
		return c
	}
	kept := l.keep(s)
	l.mu.Unlock()
	l.signal()
	if !kept {
		finish(s, errNoRoom)
	}
	return nil
}

// finish calls Done for a stanza that is not to be sent any more.
func finish(s outbound.Retained, err error) {
	if s.Done != nil {
		s.Done(err)
	}
}

func (l *Link) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// keep adds a stanza to waiting; false if a limit is reached. The caller holds the lock.
func (l *Link) keep(s outbound.Retained) bool {
	size := outbound.RetainedSize(s.Stanza)
	if len(l.waiting) >= l.opts.Waiting || l.size+size > l.opts.WaitSize {
		l.refuse(s.Stanza, stanza.RemoteServerTimeout("not connected for too long"))
		return false
	}
	l.waiting = append(l.waiting, s)
	l.size += size
	return true
}

// refuse records the error for st, which returnRefused passes to the handler. The caller holds the lock.
func (l *Link) refuse(st *stanza.Stanza, e *stanza.Error) {
	if len(l.refused) < l.opts.Waiting {
		l.refused = append(l.refused, stanzaError{st, e})
	}
}

// feed moves waiting stanzas into the queue as fast as the peer reads. It runs in its own goroutine.
func (l *Link) feed(ctx context.Context, c *stream.Conn) {
	l.mu.Lock()
	l.up, l.draining = c, true
	l.echo = echo{works: l.echoes}
	l.ping(c)
	l.mu.Unlock()
	c.Queue().Flush()
	if !l.awaitFirstEcho(ctx) {
		return
	}
	for {
		if !l.drain(ctx, c) {
			return
		}
		l.mu.Lock()
		refused := len(l.refused) > 0
		l.mu.Unlock()
		if refused {
			c.Wake() // the reading goroutine then calls returnRefused
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
			return
		}
	}
}

// drain empties the waiting list; false if the connection has ended.
func (l *Link) drain(ctx context.Context, c *stream.Conn) bool {
	q := c.Queue()
	for {
		l.mu.Lock()
		n := 0
		for n < len(l.waiting) && l.append(c, l.waiting[n]) {
			l.size -= outbound.RetainedSize(l.waiting[n].Stanza)
			n++
		}
		l.waiting = l.waiting[n:]
		l.draining = len(l.waiting) > 0
		done := !l.draining
		if done {
			l.waiting = nil
		}
		l.mu.Unlock()
		q.Flush()
		if done {
			return true
		}
		if q.Sync(ctx) != nil {
			return false
		}
		if n == 0 && !l.awaitEcho(ctx) {
			return false
		}
	}
}

// requeue puts the stanzas that a connection did not write before those that wait for the next one.
func (l *Link) requeue(c *stream.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up != c {
		return
	}
	l.up, l.draining = nil, false
	again := append(c.Queue().Unwritten(), l.unconfirmed()...) // the former were sent before the first ping came back
	for _, s := range again {
		l.size += outbound.RetainedSize(s.Stanza)
	}
	l.waiting = append(again, l.waiting...)
}
