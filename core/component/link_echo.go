package component

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Times of pings to ourselves.
const (
	echoTime  = 2 * time.Minute // for a server that sends them back, while there is traffic
	firstEcho = 2 * time.Second // how long a new connection waits for the first one to come back before it sends stanzas
)

// errNoEcho ends a connection on which the server handles nothing any more.
var errNoEcho = stream.NewError(stream.ConnectionTimeout, "a ping did not come back")

// echo confirms what the server has handled, because XEP-0114 has no acknowledgements: a ping to ourselves comes back after the
// server has handled all that was sent before it (RFC 6120 §10.1). The first ping shows whether the server sends such pings back. With
// one that does not, a stanza counts as sent when it is written. Link.mu guards it.
type echo struct {
	works bool   // the server sends pings back
	id    string // of the ping that has not come back yet; "" if there is none
	mark  int    // stanzas of sent that were sent before it
	at    time.Time
	sent  []outbound.Retained // in order, not confirmed; only once it works
	size  int                 // of sent
}

// append appends a stanza to a connection; false if there is no room at the moment. The caller holds the lock.
func (l *Link) append(c *stream.Conn, s outbound.Retained) bool {
	q := c.Queue()
	if q.Pending() >= highWater {
		return false
	}
	if !l.echo.works {
		return q.Retain(s) == nil
	}
	size := outbound.RetainedSize(s.Stanza)
	if len(l.echo.sent) >= maxRetained || l.echo.size+size > maxRetainedPayload+2*l.opts.MaxBytes || !q.AppendStanza(s.Stanza) {
		return false
	}
	l.echo.sent = append(l.echo.sent, s)
	l.echo.size += size
	l.ping(c)
	return true
}

// ping sends a ping to ourselves, unless one has not come back yet. The caller holds the lock.
func (l *Link) ping(c *stream.Conn) {
	if l.echo.id != "" {
		if time.Since(l.echo.at) > echoTime && l.echo.works {
			l.echoes = false // perhaps it is another server now
			c.Stop(errNoEcho)
		}
		return
	}
	st := newPing(l.opts.Domain, l.opts.Domain)
	if q := c.Queue(); q.AppendStanza(st) {
		l.echo.id, l.echo.mark, l.echo.at = st.ID, len(l.echo.sent), time.Now()
	}
}

// echoed handles a ping that has come back, or the answer of a server that refuses to pass it on.
func (l *Link) echoed(c *stream.Conn, id string) {
	l.mu.Lock()
	if l.echo.id != id || l.up != c {
		l.mu.Unlock()
		return
	}
	confirmed := l.echo.sent[:l.echo.mark]
	for _, s := range confirmed {
		l.echo.size -= outbound.RetainedSize(s.Stanza)
	}
	l.echo.sent = l.echo.sent[l.echo.mark:]
	if len(l.echo.sent) == 0 {
		l.echo.sent = nil
	}
	waits := len(l.waiting) > 0 || !l.echo.works
	l.echo.works, l.echo.id, l.echoes = true, "", true
	if len(l.echo.sent) > 0 {
		l.ping(c)
	}
	l.mu.Unlock()
	c.Queue().Flush()
	if waits {
		l.signal() // there is room again, or the first ping has come back
	}
	for _, s := range confirmed {
		finish(s, nil)
	}
}

// unconfirmed ends the echo of a connection and returns the stanzas that the server may not have handled. The caller holds the lock.
func (l *Link) unconfirmed() []outbound.Retained {
	list := l.echo.sent
	l.echo = echo{}
	return list
}

// awaitFirstEcho waits until it is known whether the server sends pings back; false if the connection has ended.
func (l *Link) awaitFirstEcho(ctx context.Context) bool {
	late := time.NewTimer(firstEcho)
	defer late.Stop()
	for {
		l.mu.Lock()
		known := l.echo.works
		l.mu.Unlock()
		if known {
			return true
		}
		select {
		case <-l.wake:
		case <-late.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// awaitEcho waits until there is room for stanzas that are not confirmed; false if the connection has ended.
func (l *Link) awaitEcho(ctx context.Context) bool {
	l.mu.Lock()
	full := l.echo.works && l.echo.id != ""
	l.mu.Unlock()
	if !full {
		return true
	}
	select {
	case <-l.wake:
		return true
	case <-ctx.Done():
		return false
	}
}
