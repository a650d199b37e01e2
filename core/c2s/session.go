package c2s

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// session is a bound resource. It is a router.Session.
type session struct {
	server *Server
	host   *host
	jid    jid.JID
	port   router.Port

	conn atomic.Pointer[conn] // nil until it is attached

	mu      sync.Mutex
	waiting []*stanza.Stanza // what no connection took
	held    int              // bytes of it
	closing *error           // Close came before a connection
	ended   bool
}

// JID is the full address.
func (s *session) JID() jid.JID { return s.jid }

// Deliver appends a stanza to the connection's queue.
func (s *session) Deliver(st *stanza.Stanza) {
	s.server.Counters.Delivered.Add(1)
	if c := s.conn.Load(); c != nil && c.Send(st) {
		return
	}
	s.hold(st)
}

// hold keeps what no connection takes: it goes to the next one, or back to the router
// when there will be none.
func (s *session) hold(st *stanza.Stanza) {
	s.mu.Lock()
	if c := s.conn.Load(); c != nil && len(s.waiting) == 0 && !s.ended {
		// Attached since Deliver looked, or its queue has failed.
		if c.Send(st) {
			s.mu.Unlock()
			return
		}
	}
	size := len(st.Payload) + len(st.Extra)
	ended, full := s.ended, len(s.waiting) >= maxWaiting || s.held+size > s.server.limits.Queue
	if !ended && !full {
		s.waiting = append(s.waiting, st)
		s.held += size
	}
	s.mu.Unlock()
	switch {
	case ended:
		s.host.Router.Return(st)
	case full:
		s.host.Router.Keep(st)
	}
}

// Flush sends what Deliver appended.
func (s *session) Flush() {
	if c := s.conn.Load(); c != nil {
		c.Queue().Flush()
	}
}

// Settle calls done when what was delivered is written to the client, or will not be.
func (s *session) Settle(done func(taken bool)) {
	if c := s.conn.Load(); c != nil {
		c.Queue().Notify(done)
		return
	}
	done(false)
}

// Behind tells whether half of what may wait for the client does.
func (s *session) Behind() bool {
	c := s.conn.Load()
	return c != nil && c.Queue().Pending() > s.server.limits.Queue/2
}

// CatchUp waits for the client to read. It is called by the session's own reader, which
// reads nothing more from a client that does not take its answers.
func (s *session) CatchUp(ctx context.Context) {
	c := s.conn.Load()
	if c == nil {
		return
	}
	for until := time.Now().Add(stream.DefaultQueue().Write); time.Now().Before(until) && !c.Stopping(); {
		if c.Sync(ctx, syncTime) {
			return
		}
	}
}

// Close ends the session with a stream error, or without one where condition is empty.
func (s *session) Close(condition, text string) {
	err := stream.ErrLeave
	if condition != "" {
		err = stream.NewError(stream.Condition(condition), text)
	}
	s.mu.Lock()
	c := s.conn.Load()
	if c == nil {
		s.closing = &err
	}
	s.mu.Unlock()
	if c != nil {
		c.Stop(err)
	}
}

// attach gives the session its connection, whose reader calls it. hello is the first
// that goes to the client; what was delivered meanwhile follows.
func (s *session) attach(c *conn, hello *stanza.Stanza) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Send(hello)
	for _, st := range s.waiting {
		c.Send(st)
	}
	s.waiting, s.held = nil, 0
	c.session = s
	s.conn.Store(c)
	s.server.Counters.Sessions.Add(1)
	if s.closing != nil {
		c.Stop(*s.closing)
	}
}

// end takes the session out of the directory. What arrives from now on goes back.
func (s *session) end(ctx context.Context) {
	s.port.Unbind(ctx)
	s.server.Counters.Sessions.Add(-1)
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
}

// giveBack returns what was not taken by the connection, when nobody writes to it any more.
func (s *session) giveBack() {
	s.mu.Lock()
	list := s.waiting
	s.waiting, s.held = nil, 0
	s.mu.Unlock()
	for _, st := range list {
		s.host.Router.Return(st)
	}
}
