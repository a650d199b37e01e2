package c2s

import (
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

const nsClientState = "urn:xmpp:csi:0" // XEP-0352

// While a client says that nobody uses it (XEP-0352), its session holds what nobody would miss in waiting, and sends it together
// with the next stanza that is urgent.

func (c *conn) becomesInactive(*stream.Item) error {
	c.session.becomeInactive()
	return nil
}

// inactiveInline is a client's word together with binding: see bindInline.
func (c *conn) inactiveInline(s *session, _ *stanza.Element) *stanza.Element {
	s.becomeInactive()
	return nil
}

func (s *session) becomeInactive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inactive.Swap(true) {
		return
	}
	s.server.Counters.Inactive.Add(1)
	if m := s.management.Load(); m != nil {
		m.used.end = m.out.Last()
	}
}

func (c *conn) becomesActive(*stream.Item) error {
	s := c.session
	s.mu.Lock()
	defer s.mu.Unlock()
	s.becomeActive(c) // before the answers to what the client sends next (XEP-0352 §5.1)
	return nil
}

// becomeActive sends what was held to a connection, which may be nil. The caller holds the lock.
func (s *session) becomeActive(c *conn) {
	if s.inactive.Swap(false) {
		s.server.Counters.Inactive.Add(-1)
		if m := s.management.Load(); m != nil {
			m.used.begin = m.out.Last()
		}
	}
	if c != nil {
		s.sendWaiting(c)
	}
}

// sendWaiting sends what was held, as far as the connection takes it. The caller holds the lock.
func (s *session) sendWaiting(c *conn) {
	for len(s.waiting) > 0 && c.Send(s.waiting[0]) {
		s.waiting = s.waiting[1:]
	}
	if len(s.waiting) == 0 {
		s.waiting, s.held = nil, 0
	}
}

// postpone holds a stanza for an inactive client, or sends it behind what was held. It returns false if the client is active.
func (s *session) postpone(st *stanza.Stanza) bool {
	s.mu.Lock()
	c := s.conn.Load()
	if !s.inactive.Load() || c == nil {
		s.mu.Unlock()
		return false
	}
	urgency := message.UrgencyOf(st)
	if urgency == message.Now {
		s.sendWaiting(c)
		sent := len(s.waiting) == 0 && c.Send(st)
		s.mu.Unlock()
		if !sent {
			s.hold(st)
		}
		return true
	}
	defer s.mu.Unlock()
	s.server.Counters.Held.Add(1)
	if urgency == message.Replaces {
		s.dropEarlier(st)
	}
	s.waiting = append(s.waiting, st)
	s.held += outbound.RetainedSize(st)
	if l := s.server.limits(); len(s.waiting) > l.InactiveQueue || s.held > l.Queue/2 {
		s.server.Counters.InactiveFull.Add(1)
		s.sendWaiting(c)
	}
	return true
}

// dropEarlier removes the stanza that st makes worthless.
func (s *session) dropEarlier(st *stanza.Stanza) {
	for i := len(s.waiting) - 1; i >= 0; i-- {
		if old := s.waiting[i]; message.Same(st, old) {
			s.held -= outbound.RetainedSize(old)
			s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
			s.server.Counters.Dropped.Add(1)
			return
		}
	}
}

// Reach implements router.Session's optional method: see router.Bound.Reach.
func (s *session) Reach() router.Reach {
	switch {
	case s.conn.Load() == nil && s.management.Load() != nil:
		return router.Detached
	case s.inactive.Load():
		return router.Inactive
	}
	return router.Active
}
