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
	// Roster lists the items of an account, by address, and their version; no items where
	// that version is the one the client has.
	Roster(ctx context.Context, account jid.JID, has Version) ([]Item, Version, error)
	// RosterContacts lists the items that have a subscription, without groups: every
	// presence asks for them.
	RosterContacts(ctx context.Context, account jid.JID) ([]Item, error)
	// RosterEntry is what the account keeps about a contact; for a stranger it is empty
	// but for JID and Subscription.
	RosterEntry(ctx context.Context, account, contact jid.JID) (Entry, error)
	// ChangeRoster runs one transaction: it reads the entry, lets change edit it, and
	// writes what has become different. An error of change undoes it and is returned.
	// After the commit committed is called from the writer, in the order of commits; it
	// must not block. ErrFull is returned where an
	// item or a request would be one too many.
	ChangeRoster(ctx context.Context, account, contact jid.JID, change func(*Entry) error, committed func(Change)) error
	// RosterRequests lists the unanswered requests to an account, oldest first.
	RosterRequests(ctx context.Context, account jid.JID) ([]*stanza.Stanza, error)
}

// Change is a change that is on disk.
type Change struct {
	Before, After Entry
	Version       Version // of the roster with the change
}
