package roster

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Errors of a Store.
var (
	ErrFull      = errors.New("too many contacts")
	ErrNoAccount = errors.New("no such account")
)

// Store keeps the rosters.
type Store interface {
	// Roster returns an account's items, sorted by address, and their version; no items if has is the
	// current version.
	Roster(ctx context.Context, account jid.JID, has Version) ([]Item, Version, error)
	// RosterContacts returns the items with a subscription or a request for one, without groups.
	RosterContacts(ctx context.Context, account jid.JID) ([]Item, error)
	// RosterEntry returns what is stored about a contact. For an unknown contact only JID and Subscription
	// are set.
	RosterEntry(ctx context.Context, account, contact jid.JID) (Entry, error)
	// ChangeRoster runs one transaction: it reads the entry, calls change, and writes the differences. An
	// error of change rolls it back and is returned. After the commit the writer calls committed, in the
	// order of the commits; it must not block. ErrFull is returned if the limits do not allow another item
	// or request.
	ChangeRoster(ctx context.Context, account, contact jid.JID, change func(*Entry) error, committed func(Change)) error
	// RosterRequests returns the unanswered requests to an account, oldest first.
	RosterRequests(ctx context.Context, account jid.JID) ([]*stanza.Stanza, error)
}

// Change is a committed change.
type Change struct {
	Before, After Entry
	Version       Version // of the roster with the change
}
