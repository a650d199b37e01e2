package rooms

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ErrNoRoom is returned if no room has the address.
var ErrNoRoom = errors.New("there is no such room")

// Policy decides which rooms of a Service exist and who may see them. The room's Owner decides who may enter
// and what is allowed in a room. A *stanza.Error is sent to the requester; any other error is logged and
// becomes internal-server-error.
type Policy interface {
	// Open returns what is needed to load a room. kept is its stored state; it is nil in a
	// Service without a Store, where Open reads the room itself or returns ErrNoRoom. It runs in
	// the room's goroutine.
	Open(ctx context.Context, at jid.JID, kept *room.Snapshot) (Opened, error)

	// Create returns the initial state of a room, or an error if who, a bare JID, may not create it. The
	// Service adds who as its owner unless Affiliations contains an owner. Create must change nothing.
	// It runs in the room's goroutine.
	Create(ctx context.Context, who, at jid.JID) (room.Snapshot, error)

	// Sees reports whether who, a bare JID, may know that a room exists. If it is false, the answer to everything
	// that who sends to the room without being in it is that of a room that does not exist. It
	// runs in the room's goroutine.
	Sees(ctx context.Context, who jid.JID, r *room.Room) (bool, error)

	// List returns a page of the rooms that are listed for who, a bare JID, in a stable order; the id of an item is
	// its address. Several goroutines may call it.
	List(ctx context.Context, who jid.JID, page paging.Request) ([]disco.Item, paging.Answer, error)
}

// Opened is the result of Policy.Open.
type Opened struct {
	Owner    room.Owner
	Snapshot *room.Snapshot     // replaces the stored state; nil to use the stored state
	History  history.Source     // nil is a ring in memory
	Limits   *rules.Limits      // nil: those of the Options
	Past     []room.Post        // the first messages of a ring in memory
	Puppets  []occupants.Puppet // its puppets
}

// Store stores the rooms of a Service.
type Store interface {
	// LoadRoom reads a room; false if it does not exist.
	LoadRoom(ctx context.Context, at jid.JID) (room.Snapshot, bool, error)
	// SaveRoom writes a change in one transaction and returns after the commit.
	SaveRoom(ctx context.Context, at jid.JID, c room.Change) error
}

// Mailboxes run the rooms of a Service: a job gets the Entry of an address and runs in the
// goroutine that owns it. The default is a mailbox.Group. A gateway passes the mailboxes of its conversations,
// which also do other work of a conversation.
type Mailboxes interface {
	Enqueue(at jid.JID, job mailbox.Job[*Entry]) error
}

// Endpoint receives the stanzas that the rooms and the service send.
type Endpoint interface {
	Send(*stanza.Stanza)
	// Collect returns a send function for one goroutine that sends many stanzas in a row: they leave when flush is called, or before.
	Collect() (send func(*stanza.Stanza), flush func())
}
