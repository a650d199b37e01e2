package router

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Subscriptions knows who sees whose presence: from lists who sees the account, to whom it sees.
// features/roster is one, features/blocking leaves out of it who is blocked.
type Subscriptions interface {
	// Sent and Received take the stanzas about subscriptions and return what a stage does.
	Sent(ctx context.Context, p *Pass) error
	Received(ctx context.Context, p *Pass) error
	// Contacts may return shared slices: read them only.
	Contacts(ctx context.Context, a *Account) (from, to []jid.JID, err error)
	Subscription(ctx context.Context, a *Account, other jid.JID) (from, to bool, err error)
	// Requests lists the unanswered subscription requests to the account.
	Requests(ctx context.Context, a *Account) ([]*stanza.Stanza, error)
}

// Watcher shows the account's presence to contacts that may see it from now on, and takes it back
// from those that may not; route sends a stanza on its way. features/presence is one.
type Watcher interface {
	Granted(a *Account, contact jid.JID, route func(*stanza.Stanza))
	Revoked(a *Account, contact jid.JID, route func(*stanza.Stanza))
}
