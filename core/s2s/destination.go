package s2s

import (
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/s2s/outbox"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Deliver implements router.Destination for the domains of other servers. Flush sends what it appends.
func (s *Server) Deliver(st *stanza.Stanza) {
	p := pairOf(st)
	l := s.links.find(p)
	if l == nil {
		if l = s.add(st, p); l == nil {
			return
		}
	}
	if c, ok := l.deliver(st); ok && c != nil {
		s.unflushed.add(c)
	} else if !ok {
		s.Deliver(st) // the link was removed just now
	}
}

// add makes the link for a stanza, or returns the stanza to its sender.
func (s *Server) add(st *stanza.Stanza, p pair) *link {
	if !s.cfg.Router.Serves(st.From) { // nothing is relayed between other servers (RFC 6120 §8.1.1.2)
		s.cfg.Router.Counters.Dropped.Add(1)
		return nil
	}
	if s.rule(p.theirs).Refused {
		s.giveBack(st, stanzaError(errBlocked))
		return nil
	}
	l := s.links.add(s, p)
	if l == nil {
		s.Counters.LimitCounters.Crowded.Add(1)
		s.giveBack(st, stanzaError(errCrowded))
	}
	return l
}

// Flush implements router.Queued.
func (s *Server) Flush() { s.unflushed.flush() }

// giveBack returns a stanza to its sender. Presence is dropped, except requests for a subscription. When the server stops, what is in the
// outbox stays there.
func (s *Server) giveBack(st *stanza.Stanza, e *stanza.Error) {
	if s.opening.ctx.Err() != nil && s.links.outbox.Has(st) {
		return
	}
	s.links.outbox.Release(st)
	s.Counters.Returned.Add(1)
	if st.Kind == stanza.Presence && st.Type != stanza.TypeSubscribe {
		return
	}
	s.cfg.Router.Bounce(nil, st, e)
}

// unflushed are the connections whose queues were appended to since the last flush.
type unflushed struct {
	mu          sync.Mutex
	list, spare []*carrier
}

// carrier is a connection on which a link sends.
type carrier struct {
	*stream.Conn
	management atomic.Pointer[management] // nil without stream management
	holding    holding
	outbox     *outbox.Outbox
	secure     bool // with TLS; set before the connection is used, as valid, accepted and bidi are
	valid      bool // the certificate of the other server is
	accepted   bool // the other server has opened it
	bidi       bool // it is used in both directions (XEP-0288)
	used       bool // since it was silent last; under the lock of unflushed
	dirty      bool // it is in the list
}

func (u *unflushed) add(c *carrier) {
	u.mu.Lock()
	c.used = true
	if !c.dirty {
		c.dirty = true
		u.list = append(u.list, c)
	}
	u.mu.Unlock()
}

func (u *unflushed) flush() {
	u.mu.Lock()
	list := u.list
	u.list, u.spare = u.spare[:0], nil
	for _, c := range list {
		c.dirty = false
	}
	u.mu.Unlock()
	for i, c := range list {
		c.Queue().Flush()
		c.count()
		list[i] = nil
	}
	u.mu.Lock()
	if u.spare == nil {
		u.spare = list[:0]
	}
	u.mu.Unlock()
}

// takeUsed reports whether anything was sent on the connection since the last call.
func (u *unflushed) takeUsed(c *carrier) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	used := c.used
	c.used = false
	return used
}
