package presence

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// directed is presence to somebody in particular (RFC 6121 §4.6.3). Whoever is subscribed
// as well gets only one presence when the session ends; see leave.
func (h *Presence) directed(p *router.Pass) error {
	to := p.Stanza.To
	if to.Bare() == p.Account.JID() {
		return nil // the account's own sessions get it anyway
	}
	if p.Stanza.Type == stanza.TypeUnavailable {
		p.Session.RemoveDirected(to)
		return nil
	}
	if !p.Session.AddDirected(to) {
		return stanza.ResourceConstraint("you have sent presence to too many addresses")
	}
	return nil
}

// left takes a sender of unavailable presence off the list (RFC 6121 §4.6.1).
func (h *Presence) left(p *router.Pass) {
	for _, s := range p.Account.Sessions() {
		if p.Stanza.To.IsBare() || p.Stanza.To == s.JID() {
			s.RemoveDirected(p.Stanza.From)
		}
	}
}

// knows reports whether a session has sent directed presence to that address. A room asks
// with its bare address about presence that went to an occupant (RFC 6121 §4.6.6).
func knows(s *router.Bound, other jid.JID) bool {
	for _, to := range s.Directed() {
		if to == other || other.IsBare() && to.Bare() == other {
			return true
		}
	}
	return false
}
