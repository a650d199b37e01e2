package roster

import (
	"context"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxAgain is how many requests are sent again at once.
const maxAgain = 50

// RequestAgain sends the requests again that contacts on other servers have not answered, when the first session of the account becomes
// available: they may have been lost on the way without an error (RFC 6121 §3.1.2). It is called for every available presence that is broadcast.
func (r *Roster) RequestAgain(ctx context.Context, p *router.Pass) {
	if p.Previous != nil {
		return
	}
	for _, s := range p.Account.Sessions() {
		if s != p.Session && available(s) {
			return
		}
	}
	c, err := r.contacts.Get(ctx, p.Account)
	if err != nil {
		r.Log.Error("requests not sent again", "account", p.Account.JID(), "err", err)
		return
	}
	sent := 0
	for _, contact := range c.asked {
		if sent == maxAgain {
			return
		}
		if r.host.Router().Internal(contact) {
			continue
		}
		if r.hidden != nil {
			if hidden, err := r.hidden(ctx, p.Account, contact); hidden || err != nil {
				continue
			}
		}
		sent++
		again := stanza.NewPresence(contact, p.Account.JID(), stanza.TypeSubscribe)
		again.ID = stanza.NewID()
		p.Route(again)
	}
}
