package s2s

import (
	"errors"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Receive checks one stanza and routes it. An error ends the stream.
func (c *inConn) Receive(it *stream.Item) error {
	s := c.server
	s.Counters.Received.Add(1)
	c.silent = 0
	h := c.managed.handled
	if h == nil {
		return c.receive(it)
	}
	c.batch.SetWrites(h.Begin())
	err := c.receive(it)
	if err == nil {
		h.End()
	}
	return err
}

func (c *inConn) receive(it *stream.Item) error {
	s := c.server
	st, err := it.Stanza()
	if _, malformed := errors.AsType[*stanza.Error](err); malformed {
		return errAddresses // RFC 6120 §4.9.3.7; checklist 102
	}
	if err != nil {
		return err
	}
	if err := c.authorise(st); err != nil {
		return err
	}
	if !s.cfg.Router.Serves(st.To) { // it did when the right was given
		s.cfg.Router.Bounce(c.batch, st, stanza.ItemNotFound(""))
		return nil
	}
	s.cfg.Router.RouteIn(c.batch, st)
	return nil
}

// authorise checks that the peer may send a stanza (RFC 6120 §8.1.2.2; checklist 108).
func (c *inConn) authorise(st *stanza.Stanza) error {
	if st.From.IsZero() || st.To.IsZero() {
		return errAddresses
	}
	p := pair{ours: st.To.Domain(), theirs: st.From.Domain()}
	if now := c.server.policy.Load(); now != c.policy {
		c.policy = now
		for other := range c.rights.all {
			rule := now.Rule(other.theirs)
			if rule.Refused || !rule.Plain && !c.stream.secure || rule.Certificates && !c.proves(other.theirs) {
				return errRefused
			}
		}
	}
	if !c.rights.has(p) && !c.extends(p) || c.server.cfg.Router.Serves(st.From) { // it may be ours since the right was given
		c.server.Counters.Forged.Add(1)
		return errInvalidFrom
	}
	return nil
}

// extends reports whether a peer whose certificate is that of the sender's domain sends to a further domain of ours, and lets it do so from
// now on: the certificate is as good for that one. Prosody sends answers in this way to domains that share a connection.
func (c *inConn) extends(p pair) bool {
	if !c.stream.external || p.theirs != c.stream.pair.theirs || len(c.rights.all) >= maxPairs || !c.server.serves(p.ours) {
		return false
	}
	c.rights.add(p)
	return true
}
