package component

import (
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// slot is the place of one component in the router, connected or not.
type slot struct {
	server *Server
	domain jid.JID
	secret string

	mu   sync.Mutex
	wire *wire
}

func (s *slot) current() *wire {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wire
}

// claim makes w the component's connection, with welcome as the first bytes that it
// gets; false where another one stays.
func (s *slot) claim(w *wire, policy Conflict, welcome []byte) bool {
	s.mu.Lock()
	old := s.wire
	if old != nil && policy == Reject {
		s.mu.Unlock()
		return false
	}
	w.write(welcome)
	s.wire = w
	s.mu.Unlock()
	if old != nil {
		old.stop(errConflict)
	}
	return true
}

// release gives the place up, unless another connection has it by now.
func (s *slot) release(w *wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wire == w {
		s.wire = nil
	}
}

// Deliver gives a stanza to the component. While it is away requests, messages and
// subscriptions are answered; other presence is dropped, as nobody waits for an answer.
func (s *slot) Deliver(st *stanza.Stanza) {
	w := s.current()
	if w != nil {
		if _, ok := w.send(st); ok {
			return
		}
	}
	s.server.Counters.Unavailable.Add(1)
	if st.Kind == stanza.Presence && st.Type != stanza.TypeSubscribe {
		return
	}
	away := stanza.ServiceUnavailable("the component is not connected")
	away.Type = "wait" // it may be back soon
	s.server.cfg.Router.Bounce(nil, st, away)
}

// Flush sends what Deliver appended.
func (s *slot) Flush() {
	if w := s.current(); w != nil {
		w.queue.Flush()
	}
}
