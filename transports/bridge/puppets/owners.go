package puppets

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// ProbeOwners asks for the presence of all users with a login, who may have come online while the gateway could not
// be reached, or have gone.
func (p *Presence) ProbeOwners() {
	owners := map[jid.JID]bool{}
	for _, l := range p.logins.All() {
		owners[l.Owner] = true
	}
	p.mu.Lock()
	for who := range owners {
		p.probed[who] = true
	}
	p.mu.Unlock()
	for who := range owners {
		p.env.Send(stanza.NewPresence(who, p.env.Domain, stanza.TypeProbe))
	}
}

// answered shows the current state of logins and contacts to a user who has answered a probe.
func (p *Presence) answered(who jid.JID) {
	who = who.Bare()
	p.mu.Lock()
	probed := p.probed[who]
	delete(p.probed, who)
	p.mu.Unlock()
	if !probed {
		return
	}
	p.env.Group.Go(func(ctx context.Context) {
		for _, l := range p.logins.Of(who) {
			p.onlineChanged(l) // their state is shown below
			p.showState(ctx, l, true)
		}
	})
}

// gone notes that a user has no session, which is their server's answer to a probe (RFC 6121 §4.3.2).
func (p *Presence) gone(who jid.JID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.users, who)
	delete(p.probed, who)
}

// Withdraw makes the gateway and the contacts of all available users unavailable to them.
func (p *Presence) Withdraw(ctx context.Context) {
	for _, l := range p.logins.All() {
		if p.Available(l.Owner) && ctx.Err() == nil {
			p.withdraw(ctx, l)
		}
	}
}

func (p *Presence) withdraw(ctx context.Context, l *logins.Login) {
	contacts, err := p.contacts.Contacts(ctx, l.ID)
	if err != nil {
		p.env.Log.Error("reading contacts", "login", l.ID, "error", err)
	}
	for _, c := range contacts {
		if from, err := p.address.Contact(c.User); err == nil {
			p.Hide(from, l.Owner)
		}
	}
	p.Hide(p.env.Domain, l.Owner)
}
