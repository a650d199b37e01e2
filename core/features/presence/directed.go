package presence

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// directed records directed presence (RFC 6121 §4.6.3). A subscribed contact gets only one unavailable
// presence when the session ends; see sendUnavailable.
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

// removeDirected removes the sender of unavailable presence from the list of directed presence (RFC 6121
// §4.6.1).
func (h *Presence) removeDirected(p *router.Pass) {
	for _, s := range p.Account.Sessions() {
		if p.Stanza.To.IsBare() || p.Stanza.To == s.JID() {
			s.RemoveDirected(p.Stanza.From)
		}
	}
}

// sentDirectedTo reports whether a session has sent directed presence to an address. The bare JID of a
// room also matches its occupants (RFC 6121 §4.6.6).
func sentDirectedTo(s *router.Bound, other jid.JID) bool {
	for _, to := range s.Directed() {
		if to == other || other.IsBare() && to.Bare() == other {
			return true
		}
	}
	return false
}
