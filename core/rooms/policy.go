package rooms

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ErrNoRoom is returned where there is no room of an address.
var ErrNoRoom = errors.New("there is no such room")

// Policy decides for a Service: which rooms there are and who may know of them. Who may enter
// and what may be done in a room is decided by the room's Owner. A *stanza.Error goes to whoever
// asked; any other error is logged and becomes internal-server-error.
type Policy interface {
	// Open gives what a room that is loaded needs. kept is what the Store has of it; it is nil in a
	// Service without a Store, where Open finds the room itself or returns ErrNoRoom. It runs in
	// the room's goroutine.
	Open(ctx context.Context, at jid.JID, kept *room.Snapshot) (Opened, error)

	// Create reports whether who, a bare JID, may create a room, and what it is at first. The
	// Service makes who its owner unless Affiliations names another one. Create only decides.
	// It runs in the room's goroutine.
	Create(ctx context.Context, who, at jid.JID) (room.Snapshot, error)

	// Sees reports whether who, a bare JID, may know that a room exists. Everything that who sends
	// to a room without being in it is answered as if there were no room where it is false. It
	// runs in the room's goroutine.
	Sees(ctx context.Context, who jid.JID, r *room.Room) (bool, error)

	// List is a page of the rooms that who, a bare JID, is shown, in an order that stays the
	// same; an item's id is its address. It may be called by several goroutines.
	List(ctx context.Context, who jid.JID, page paging.Request) ([]disco.Item, paging.Answer, error)
}

// Opened is what a room is loaded with.
type Opened struct {
	Owner    room.Owner
	Snapshot *room.Snapshot // used instead of what the Store has; nil where that is right
	History  room.History   // nil is a ring in memory
	Puppets  []room.Puppet  // its puppets
}

// Store keeps the rooms of a Service.
type Store interface {
	// LoadRoom reads a room; false where there is none.
	LoadRoom(ctx context.Context, at jid.JID) (room.Snapshot, bool, error)
	// SaveRoom writes a change in one transaction, which has been committed when it returns.
	SaveRoom(ctx context.Context, at jid.JID, c room.Change) error
}

// Mailboxes run the rooms of a Service: a job gets the room of that address and runs in the
// goroutine that owns it. A mailbox.Group of Hosted by address is one. A gateway has its own,
// whose goroutines do more for a conversation than to run its room.
type Mailboxes interface {
	Enqueue(at jid.JID, job mailbox.Job[*Hosted]) error
}

// Endpoint takes the stanzas of the rooms and of the service.
type Endpoint interface {
	Send(*stanza.Stanza)
	// Collect is Send for one goroutine that sends much in a row: it leaves when flush is called, or before.
	Collect() (send func(*stanza.Stanza), flush func())
}
