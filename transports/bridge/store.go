package bridge

import (
	"context"
	"encoding/json"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/transports"
)

// Store is what a gateway keeps, bound to its domain. One method is one transaction;
// what writes has reached the disk when it returns. Rows that are not there are no error.
type Store interface {
	Accounts
	Inbox
	Outbox
	IDs
	Rooms
	People
	History
	// Commit writes all that one step of a worker changes.
	Commit(ctx context.Context, b *Batch) error
	// Prune forgets done rows of the inbox and outbox that are older than keys, and
	// archived messages older than archive where that is not zero.
	Prune(ctx context.Context, keys, archive time.Time) error
}

// Accounts keeps the linked accounts.
type Accounts interface {
	ListAccounts(ctx context.Context) ([]AccountRow, error)
	// PutAccount adds an account or replaces one of the same ID.
	PutAccount(ctx context.Context, a AccountRow) error
	PutSecrets(ctx context.Context, secrets map[transports.LoginID]Sealed) error
	// PutStatus keeps how an account stands.
	PutStatus(ctx context.Context, id transports.LoginID, status AccountStatus, cause string) error
	// Unlink removes an account with all that only it could see.
	Unlink(ctx context.Context, id transports.LoginID) error
}

// Inbox keeps events from Sink.Deliver until they were handed over.
type Inbox interface {
	// Receive adds events, dropping those whose key their room has seen; a pending one that
	// comes again in LaneHistory moves to its place there. states are the accounts' resume
	// states that go with them. It tells which of the rows are new.
	Receive(ctx context.Context, events []EventRow, states map[transports.LoginID]json.RawMessage) ([]bool, error)
	// PendingEvents are a room's new rows in order.
	PendingEvents(ctx context.Context, room int64, limit int) ([]EventRow, error)
	// ReadyEvents are all rows with deliveries that were perhaps not handed over, in order.
	ReadyEvents(ctx context.Context) ([]EventRow, error)
	// HandedOver marks ready rows as done and forgets what they held.
	HandedOver(ctx context.Context, seqs []int64) error
	FailedEvents(ctx context.Context, limit int) ([]EventRow, error)
	// Replay makes failed rows new again and returns the rooms that they are of.
	Replay(ctx context.Context, seqs []int64) ([]int64, error)
}

// Outbox keeps what local users want done on the network.
type Outbox interface {
	// FindOut finds the row of a stanza that was accepted before.
	FindOut(ctx context.Context, room int64, sender, origin string) (OutRow, bool, error)
	// OutByStanza finds the row of a message by its own id or its archive's; sender (a bare JID)
	// is preferred, since clients choose their ids.
	OutByStanza(ctx context.Context, room int64, id, sender string) (OutRow, bool, error)
	// PendingOut are a room's rows that are queued or sending, in order.
	PendingOut(ctx context.Context, room int64, limit int) ([]OutRow, error)
	// WaitingRooms counts the rows that wait in each room: new events and outgoing ones.
	WaitingRooms(ctx context.Context) ([]Waiting, error)
	// Sequences are the highest numbers of inbox, outbox and archive rows.
	Sequences(ctx context.Context) (int64, error)
}

// Waiting is how much waits in a room.
type Waiting struct {
	Room     int64
	Events   int
	LaneLive bool
	Out      int
	Accounts []transports.LoginID // of the outgoing rows
}

// IDs is the map between the network's ids and the stanzas'.
type IDs interface {
	// IDsByNet are the stanzas of a message of the network, the first one first.
	IDsByNet(ctx context.Context, room int64, net transports.MessageID) ([]IDRow, error)
	// IDsByStanza are the parts of the message that a stanza id or origin id names; of several with the
	// same origin id that of sender (a bare JID or "") is preferred, else the latest.
	IDsByStanza(ctx context.Context, room int64, id, sender string) ([]IDRow, error)
	// HasEcho tells whether such an echo is awaited.
	HasEcho(ctx context.Context, e EchoRow, now time.Time) (bool, error)
	Reactions(ctx context.Context, room int64, net transports.MessageID, user transports.UserID) ([]string, error)
}

// Rooms keeps what is known of rooms and who sees them.
type Rooms interface {
	// PutRoom adds a room or returns the one of the same scope and key, unchanged.
	PutRoom(ctx context.Context, r RoomRow) (RoomRow, error)
	FindRoom(ctx context.Context, scope transports.LoginID, key string) (RoomRow, bool, error)
	// FindRoomID finds a room by the network's id.
	FindRoomID(ctx context.Context, scope transports.LoginID, room transports.RoomID) (RoomRow, bool, error)
	RoomByID(ctx context.Context, id int64) (RoomRow, bool, error)
	// AccountRooms are the rooms that an account sees, by id from after on.
	AccountRooms(ctx context.Context, account transports.LoginID, after int64, limit int) ([]ListedRoom, error)
	// RoomAccounts are the accounts that see a room.
	RoomAccounts(ctx context.Context, room int64) ([]VisibleRow, error)
	PutVisible(ctx context.Context, rooms []RoomRow, account transports.LoginID, seen []VisibleRow) ([]RoomRow, error)
	// RoomMembers are who is in a room as far as is known.
	RoomMembers(ctx context.Context, room int64, limit int) ([]transports.UserInfo, error)
}

// People keeps persons of the network and the accounts' contacts.
type People interface {
	Person(ctx context.Context, id transports.UserID) (transports.UserInfo, bool, error)
	PutPeople(ctx context.Context, account transports.LoginID, people []transports.UserInfo) error
	// Contacts are the people in an account's address book.
	Contacts(ctx context.Context, account transports.LoginID) ([]ContactRow, error)
	PutContacts(ctx context.Context, put, remove []ContactRow) error
	HasContact(ctx context.Context, account transports.LoginID, user transports.UserID) (bool, error)
	// Sees tells whether the network has shown a person to an account: as a contact, in a
	// conversation or in a room.
	Sees(ctx context.Context, account transports.LoginID, user transports.UserID) (bool, error)
}

// History is the rooms' archive.
type History interface {
	// Archived is a page of a room's archive. Filter.With is room/nick; an id that is not
	// there is archive.ErrNoEntry.
	Archived(ctx context.Context, room int64, f archive.Filter, p archive.Page) (ArchivePage, error)
}
