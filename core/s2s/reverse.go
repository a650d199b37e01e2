package s2s

import (
	"errors"
	"slices"
	"sync"

	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Namespaces of bidirectional streams (XEP-0288 §2).
const (
	nsBidi        = "urn:xmpp:bidi"
	nsBidiFeature = "urn:xmpp:features:bidi"
)

func bidiFeature() *stanza.Element { return stanza.NewElement(nsBidiFeature, "bidi") }

// reverse sends stanzas on a connection that another server has opened (XEP-0288). It carries pairs with the domain of the peer's header.
type reverse struct {
	carrier *carrier // nil: the connection is for one direction; set before others can find it
	checked bool     // whether there is to be a carrier is decided
	ready   bool     // the other server has sent something since it was accepted

	mu      sync.Mutex
	ended   bool
	carried []*link
}

// wantBidi handles the request of the peer to receive on its connection, too. Before TLS it has no effect after TLS (XEP-0288 §2.1).
func (c *inConn) wantBidi() error {
	if !c.server.limits().offersBidi() || c.stream.bidi || !c.stream.secure && !c.server.rule(c.stream.pair.theirs).Plain {
		return c.countRefused()
	}
	c.stream.bidi = true
	return nil
}

// sendBackAll is called when the peer enables stream management, or sends a stanza without it: what was sent back before could be lost
// in a cut.
func (c *inConn) sendBackAll() {
	c.reverse.ready = true
	for p := range c.rights.all {
		c.sendBack(p)
	}
}

// sendBack lets the links of a pair, for which the peer may send now, use this connection (XEP-0288 §2.2: the inverse of that pair).
func (c *inConn) sendBack(p pair) {
	r := &c.reverse
	if !c.stream.bidi || !r.ready || c.stream.pair.theirs != p.theirs {
		return
	}
	if r.prepare(c); r.carrier == nil {
		return
	}
	c.server.incoming.reverse(c, p)
	if l := c.server.links.find(p); l != nil {
		l.reachable()
	}
}

// prepare makes the carrier, unless a connection to the peer's domain that this server opens would not be used either.
func (r *reverse) prepare(c *inConn) {
	if r.checked {
		return
	}
	r.checked = true
	valid, err := c.verifyBack(c.stream.pair.theirs)
	if err != nil {
		c.Log().Info("nothing is sent back on the connection of another server", "domain", c.stream.pair.theirs, "err", err)
		return
	}
	r.carrier = &carrier{Conn: c.Conn, outbox: c.server.links.outbox, secure: c.stream.secure, valid: valid, accepted: true, bidi: true}
	c.server.links.held.add(r.carrier)
}

// verifyBack checks the peer as outConn.secured checks a server to which this one connects: that the peer may send for its domain does not say
// that it may read what is for that domain, since whoever relays the domain's own connection passes dialback. It reports whether the certificate
// is valid, and returns why nothing may be sent back.
func (c *inConn) verifyBack(domain string) (valid bool, err error) {
	done, ok := c.address.Work(maxLookups)
	if !ok {
		c.server.Counters.LimitCounters.Crowded.Add(1)
		return false, errCrowded
	}
	defer done()
	e, err := c.server.cfg.Servers(domain)
	switch {
	case err != nil: // whoever can suppress the records must not get more by it
		return false, err
	case !c.stream.secure && len(e.TLSA) > 0:
		return false, errNoTLS
	case !c.stream.secure:
		return false, nil
	}
	e.Revoked = c.server.cfg.Revoked
	err = certificate.Verify(c.stream.chain, domain, e, c.server.cfg.Roots)
	if errors.Is(err, certificate.ErrTLSA) { // RFC 7673 §4.2
		return false, err
	}
	return err == nil, nil
}

// carry makes the link of a pair send on the connection; false if the connection has ended, or is not good enough.
func (c *inConn) carry(l *link) bool {
	r := &c.reverse
	rule := c.server.rule(l.pair.theirs)
	if rule.Refused || !rule.Plain && !r.carrier.secure || rule.Certificates && !r.carrier.valid {
		return false
	}
	r.mu.Lock()
	if r.ended {
		r.mu.Unlock()
		return false
	}
	if !slices.Contains(r.carried, l) {
		r.carried = append(r.carried, l)
	}
	left := l.use(r.carrier) // with the lock, so that the end of the connection comes after it
	r.mu.Unlock()
	l.giveBack(left, outbound.ErrFull)
	r.carrier.Queue().Flush()
	return true
}

// end makes links use the connection no longer, and returns those that have.
func (r *reverse) end() []*link {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	return r.carried
}

// leave is called before the stream is ended.
func (r *reverse) leave() {
	for _, l := range r.end() {
		l.leave(r.carrier)
	}
}

// owed reports whether the peer has not acknowledged something.
func (r *reverse) owed() bool {
	if r.carrier == nil {
		return false
	}
	m := r.carrier.management.Load()
	return m != nil && m.list.Bytes() > 0
}

func (r *reverse) takeUsed(s *Server) bool {
	return r.carrier != nil && s.unflushed.takeUsed(r.carrier)
}

// release gives the links what was not sent. cut says that the peer may not have handled all that was sent.
func (r *reverse) release(s *Server, err error, cut bool) {
	if r.carrier != nil {
		s.release(r.carrier, r.end(), err, cut)
	}
}

// manageBack makes the connection keep what it sends until it is acknowledged, from the answer e on. Such a stream cannot be resumed.
func (c *inConn) manageBack(e *stanza.Element) {
	r := &c.reverse
	r.prepare(c)
	answer := func(dst []byte) []byte { return e.Append(dst, "") }
	if r.carrier == nil {
		c.Append(answer)
		return
	}
	m := c.server.newManagement()
	m.conn.Store(r.carrier)
	r.carrier.management.Store(m)
	c.Queue().Manage(m.list, answer)
	c.sendBackAll()
}

// release gives links what their connection, which has ended, did not send.
func (s *Server) release(c *carrier, links []*link, err error, cut bool) {
	if err == nil {
		err = stream.ErrEnded
	}
	unsent := map[pair][]outbound.Retained{}
	left := c.Queue().Unwritten()
	s.links.held.remove(c)
	m := c.management.Load()
	progressed := m.progressed()
	if m != nil {
		m.leave(c, s.limits().Resume)
		if !cut || m.id == "" {
			left = append(left, m.take()...)
		}
		if !cut {
			for _, r := range left {
				s.links.outbox.Release(r.Stanza)
			}
			left = nil // the other server has ended the stream after it had handled all
		}
	}
	for _, r := range left {
		p := pairOf(r.Stanza)
		unsent[p] = append(unsent[p], r)
	}
	for _, l := range links {
		if !cut || errors.Is(err, stream.ErrEnded) || errors.Is(err, errStopping) { // RFC 6120 §4.4: what was written is handled
			s.links.outbox.Settle(l.pair.ours, l.pair.theirs)
		}
		if cut && m != nil && m.id != "" {
			l.keepManagement(m)
		}
		l.down(c, ending{unsent[l.pair], err, progressed})
	}
}
