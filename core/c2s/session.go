package c2s

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// The router finds out by a type assertion whether a session has these, so a mistake would show only here.
var (
	_ router.QueueWaiter     = (*session)(nil)
	_ router.WriteNotifier   = (*session)(nil)
	_ router.ReceiptNotifier = (*session)(nil)
	_ router.FactsWatcher    = (*session)(nil)
	_ router.Sharer          = (*session)(nil)
)

// session is a bound resource. It is a router.Session.
type session struct {
	server *Server
	host   *host
	jid    jid.JID
	port   router.Port
	client string // id of the client's installation, "" if unknown

	conn       atomic.Pointer[conn]       // nil until it is attached, and while the session is detached
	management atomic.Pointer[management] // nil without stream management
	inactive   atomic.Bool                // the client has said so (XEP-0352)

	mu        sync.Mutex
	waiting   []*stanza.Stanza // delivered without a connection, or held for an inactive client
	held      int              // bytes of waiting
	closing   *error           // Close was called
	finishing bool             // finish or suspend ends it
	ended     bool
}

// JID returns the full JID.
func (s *session) JID() jid.JID { return s.jid }

// Deliver appends a stanza to the connection's queue.
func (s *session) Deliver(st *stanza.Stanza) {
	s.server.Counters.Delivered.Add(1)
	if s.inactive.Load() && s.postpone(st) {
		return
	}
	if c := s.conn.Load(); c != nil && c.Send(st) {
		return
	}
	s.hold(st)
}

// hold stores a stanza while no connection is attached: attach sends it, or end returns it to the router.
func (s *session) hold(st *stanza.Stanza) {
	s.mu.Lock()
	if c := s.conn.Load(); c != nil && len(s.waiting) == 0 && !s.ended {
		// A connection was attached after Deliver had checked, or its queue has failed.
		if c.Send(st) {
			s.mu.Unlock()
			return
		}
	}
	if m := s.management.Load(); m != nil && !s.ended {
		if c := s.conn.Load(); c == nil || !c.Send(st) {
			m.hold(st)
		}
		s.mu.Unlock()
		return
	}
	size := len(st.Payload) + len(st.Extra)
	ended, full := s.ended, len(s.waiting) >= maxWaiting || s.held+size > s.server.limits().Queue
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

// DeliverShared implements router.Sharer.
func (s *session) DeliverShared(st *stanza.Stanza) {
	if !s.inactive.Load() {
		if c := s.conn.Load(); c != nil && c.Queue().AppendShared(st, s.jid) {
			s.server.Counters.Delivered.Add(1)
			return
		}
	}
	s.Deliver(st.WithTo(s.jid))
}

// Touch implements router.Sharer.
func (s *session) Touch() int {
	n := int(s.jid.String()[0])
	if c := s.conn.Load(); c != nil {
		n += c.Queue().Touch()
	}
	return n
}

// Flush sends what Deliver appended.
func (s *session) Flush() {
	if c := s.conn.Load(); c != nil {
		c.Queue().Flush()
	}
}

// NotifyWritten calls done with true when all delivered stanzas are written to the client, or with false if they never will be.
func (s *session) NotifyWritten(done func(written bool)) {
	s.mu.Lock()
	held := len(s.waiting) > 0
	s.mu.Unlock()
	c := s.conn.Load()
	if c == nil || held {
		done(false)
		return
	}
	c.Queue().Notify(done)
}

// NotifyReceived calls done with true when the client has acknowledged all delivered stanzas, or, without stream management, as NotifyWritten
// does.
func (s *session) NotifyReceived(done func(received bool)) {
	m := s.management.Load()
	if m == nil {
		s.NotifyWritten(done)
		return
	}
	s.mu.Lock()
	if c := s.conn.Load(); c != nil && len(s.waiting) > 0 {
		s.sendWaiting(c)
	}
	ended := s.ended
	s.mu.Unlock()
	if ended {
		done(false)
		return
	}
	m.out.NotifyAcked(done)
}

// FactsChanged implements router.FactsWatcher.
func (s *session) FactsChanged() {
	if m := s.management.Load(); m != nil {
		m.FactsChanged()
	}
}

// QueueNearlyFull reports whether the client's queue is half full.
func (s *session) QueueNearlyFull() bool {
	c := s.conn.Load()
	return c != nil && c.Queue().Pending() > s.server.limits().Queue/2
}

// WaitForClient waits for the client to read. The goroutine that reads from the session calls it, so that
// a client that does not read its answers cannot send more requests.
func (s *session) WaitForClient(ctx context.Context) {
	c := s.conn.Load()
	if c == nil {
		return
	}
	for until := time.Now().Add(outbound.DefaultLimits().Write); time.Now().Before(until) && !c.Stopping(); {
		if c.Sync(ctx, syncTime) {
			return
		}
	}
}

// Close ends the session with a stream error, or without one if condition is empty. One that has no connection is ended at once.
func (s *session) Close(condition, text string) {
	err := stream.ErrLeave
	if condition != "" {
		err = stream.NewError(stream.Condition(condition), text)
	}
	s.mu.Lock()
	c := s.conn.Load()
	if s.closing == nil {
		s.closing = &err
	}
	s.mu.Unlock()
	switch {
	case c != nil:
		c.Stop(err)
	case s.management.Load() != nil:
		s.finish()
	}
}

// attach sets the connection of the session, in the goroutine of the connection. It calls first, which sends an answer, and then
// sends the stanzas that were delivered before.
func (s *session) attach(c *conn, first func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.session = s
	first()
	if m := c.negotiation.enabling; m != nil {
		c.manage(s, m, func(dst []byte) []byte { return dst })
	}
	for _, st := range s.waiting {
		c.Send(st)
	}
	s.waiting, s.held = nil, 0
	s.conn.Store(c)
	s.server.Counters.Sessions.Add(1)
	if s.closing != nil {
		c.Stop(*s.closing)
	}
}

// end removes the session from the router. Stanzas that are delivered from now on are returned.
func (s *session) end(ctx context.Context) {
	s.port.Unbind(ctx)
	s.server.Counters.Sessions.Add(-1)
	s.mu.Lock()
	s.becomeActive(nil)
	s.ended = true
	s.mu.Unlock()
}

// returnWaiting returns to the router what was not sent, when the connection is closed.
func (s *session) returnWaiting() {
	s.mu.Lock()
	list := s.waiting
	s.waiting, s.held = nil, 0
	s.mu.Unlock()
	for _, st := range list {
		s.host.Router.Return(st)
	}
	if m := s.management.Load(); m != nil {
		m.endManagement()
		m.returnUnacked()
	}
}
