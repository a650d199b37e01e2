package pep

import (
	"context"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Interested is a session that has become available or has changed its capabilities: Now is what it wants, Before what it
// wanted until now; nil is nothing.
type Interested struct {
	Session     *router.Bound
	Before, Now *disco.Capabilities
	Route       func(*stanza.Stanza)
}

// SendLast sends a session the last items of the nodes that it wants, of its own account and of the contacts whose
// presence the account sees (XEP-0163 §4.3.4).
func (p *PEP) SendLast(ctx context.Context, i Interested) {
	if !i.Now.WantsSome() {
		return
	}
	own := i.Session.Account()
	p.sendLast(ctx, own.JID(), i)
	_, to, err := p.Contacts.Contacts(ctx, own)
	if err != nil {
		p.Log.Error("last items not sent", "account", own.JID(), "err", err)
		return
	}
	for _, contact := range to {
		if contact.Domain() == p.host.Domain().Domain() {
			p.sendLast(ctx, contact, i)
		}
	}
}

// sendLast sends a session the last items of one account.
func (p *PEP) sendLast(ctx context.Context, account jid.JID, i Interested) {
	at, err := p.host.Acquire(ctx, account)
	if err == nil && at.Account != nil {
		err = p.engine.SendLast(ctx, pubsub.Receiver{Service: account, To: i.Session.JID(), Route: i.Route}, func(n *pubsub.Node) bool {
			if !i.Now.Wants(n.Name) || i.Before.Wants(n.Name) {
				return false
			}
			return account == i.Session.Account().JID() || p.shown(ctx, at.Account, n, i.Session.Account().JID())
		})
	}
	if err != nil {
		p.Log.Error("last items not sent", "account", account, "err", err)
	}
}

// InterestedRemote is Interested for a session of another host, which is of a contact of the account.
type InterestedRemote struct {
	Account     *router.Account
	Session     jid.JID
	Before, Now *disco.Capabilities
	Route       func(*stanza.Stanza)
}

// SendLastRemote sends a session the last items of the nodes of the account that it wants and may see (XEP-0163 §4.3.4).
func (p *PEP) SendLastRemote(ctx context.Context, i InterestedRemote) {
	if !i.Now.WantsSome() {
		return
	}
	err := p.engine.SendLast(ctx, pubsub.Receiver{Service: i.Account.JID(), To: i.Session, Route: i.Route}, func(n *pubsub.Node) bool {
		return i.Now.Wants(n.Name) && !i.Before.Wants(n.Name) && p.shown(ctx, i.Account, n, i.Session.Bare())
	})
	if err != nil {
		p.Log.Error("last items not sent", "account", i.Account.JID(), "err", err)
	}
}

// shown reports whether a contact sees a node of an account without a subscription to the node.
func (p *PEP) shown(ctx context.Context, a *router.Account, n *pubsub.Node, contact jid.JID) bool {
	from, _, err := p.Contacts.Subscription(ctx, a, contact)
	if err != nil {
		p.Log.Error("subscription not looked up", "account", a.JID(), "err", err)
	}
	return err == nil && from && p.receives(ctx, a, n, contact)
}

// Granted implements router.Watcher: a contact that may see the account from now on gets the last items.
func (p *PEP) Granted(a *router.Account, contact jid.JID, route func(*stanza.Stanza)) {
	if contact.Domain() != p.host.Domain().Domain() {
		p.Remote(a, contact, func(session jid.JID, wants *disco.Capabilities) {
			p.SendLastRemote(context.Background(), InterestedRemote{Account: a, Session: session, Now: wants, Route: route})
		})
		return
	}
	for _, s := range p.host.Local(contact).Sessions() {
		if now := s.Presence(); now != nil && now.Capabilities.Load().WantsSome() {
			p.sendLast(context.Background(), a.JID(), Interested{Session: s, Now: now.Capabilities.Load(), Route: route})
		}
	}
}

// Revoked implements router.Watcher. What a contact may see is checked whenever something is sent.
func (p *PEP) Revoked(*router.Account, jid.JID, func(*stanza.Stanza)) {}

var _ router.Watcher = (*PEP)(nil)
