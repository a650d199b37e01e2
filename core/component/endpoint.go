package component

import (
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// endpoint is one component's domain in the router, connected or not.
type endpoint struct {
	server *Server
	domain jid.JID
	secret string

	mu   sync.Mutex
	conn *stream.Conn // nil while it is not connected
}

func (e *endpoint) current() *stream.Conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conn
}

// claim makes c the component's connection, with answer as the first bytes that are sent
// to it; false if another connection stays.
func (e *endpoint) claim(c *stream.Conn, policy Conflict, answer []byte) bool {
	e.mu.Lock()
	old := e.conn
	if old != nil && policy == Reject {
		e.mu.Unlock()
		return false
	}
	c.Queue().AppendBytes(answer)
	e.conn = c
	e.mu.Unlock()
	c.Queue().Flush()
	if old != nil {
		old.Stop(errConflict)
	}
	return true
}

// release disconnects the endpoint, unless another connection has claimed it by now.
func (e *endpoint) release(c *stream.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn == c {
		e.conn = nil
	}
}

// Deliver sends a stanza to the component. While it is not connected, requests, messages and
// subscription requests are answered with an error; other presence is dropped.
func (e *endpoint) Deliver(st *stanza.Stanza) {
	if c := e.current(); c != nil && c.Send(st) {
		return
	}
	e.server.Counters.Unavailable.Add(1)
	if st.Kind == stanza.Presence && st.Type != stanza.TypeSubscribe {
		return
	}
	unavailable := stanza.ServiceUnavailable("the component is not connected")
	unavailable.Type = "wait" // it may connect again soon
	e.server.cfg.Router.Bounce(nil, st, unavailable)
}

// Flush sends what Deliver appended.
func (e *endpoint) Flush() {
	if c := e.current(); c != nil {
		c.Queue().Flush()
	}
}
