package router

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Subscriptions is the part of PresenceHandler that knows the presence subscriptions: from are the
// contacts that see the account's presence, to those whose presence it sees. features/roster implements
// it; features/blocking wraps it and leaves out blocked contacts.
type Subscriptions interface {
	// Sent and Received handle the stanzas about subscriptions; they return errors as a stage does.
	Sent(ctx context.Context, p *Pass) error
	Received(ctx context.Context, p *Pass) error
	// Contacts may return shared slices, which must not be modified.
	Contacts(ctx context.Context, a *Account) (from, to []jid.JID, err error)
	Subscription(ctx context.Context, a *Account, other jid.JID) (from, to bool, err error)
	// Requests returns the unanswered subscription requests to the account.
	Requests(ctx context.Context, a *Account) ([]*stanza.Stanza, error)
}

// Watcher sends presence after a subscription has changed: Granted sends the account's presence to a
// contact that may see it from now on, Revoked sends unavailable presence to one that may not any more.
// route routes a stanza. features/presence implements it.
type Watcher interface {
	Granted(a *Account, contact jid.JID, route func(*stanza.Stanza))
	Revoked(a *Account, contact jid.JID, route func(*stanza.Stanza))
}
