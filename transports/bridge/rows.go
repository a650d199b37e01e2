package bridge

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
)

// AccountStatus is how an account stands, durably.
type AccountStatus string

// The statuses of an account.
const (
	StatusLinked     AccountStatus = "linked"
	StatusNeedsLogin AccountStatus = "needs-login" // told to the owner; waits for a relink
	StatusFailed     AccountStatus = "failed"      // will not come back by itself
	StatusUnlinking  AccountStatus = "unlinking"   // being removed; finished at the next start after a crash
)

// AccountRow is a linked account as it is kept.
type AccountRow struct {
	ID      transports.LoginID
	Owner   jid.JID // bare
	User    transports.UserID
	Name    string
	Secret  Sealed
	State   json.RawMessage
	Status  AccountStatus
	Cause   string // what the owner was told about Status
	Created time.Time
}

// Sealed is a secret at rest: the id of the key that it was sealed with, and the box.
type Sealed struct {
	Key string
	Box []byte
}

// RoomRow is a place of conversation: a room in the view of its scope, or a direct conversation.
type RoomRow struct {
	ID    int64
	Scope transports.LoginID // "" where the room is shared by all accounts
	Key   string             // see placeKey
	Room  transports.RoomID  // "" for a direct conversation that has not been opened yet
	Kind  transports.RoomKind
	Peer  transports.UserID
	Name  string
	Topic string
	Space transports.SpaceID
	Group string
	// Members is how many the network says there are.
	Members int
	// Seen is the last message that came from the network, the start of the next catch-up.
	Seen   transports.MessageID
	SeenAt time.Time
	// Filled tells that its history was read once, so that an empty Seen means an empty room.
	Filled bool
}

// place is what the room is called in a trace: its id, or with whom it will be.
func (r RoomRow) place() string { return cmp.Or(string(r.Room), string(r.Peer)) }

// VisibleRow tells that an account can see a room.
type VisibleRow struct {
	Account  transports.LoginID
	Room     int64
	Joined   bool
	Writable bool
}

// ListedRoom is a room together with the account that sees it.
type ListedRoom struct {
	RoomRow
	Visible VisibleRow
}

// ContactRow is a person in the address book of an account.
type ContactRow struct {
	Account transports.LoginID
	User    transports.UserID
	// Pushed is what the owner's roster was last told: name and group.
	Pushed string
}

// EventState is how far an inbox row has come.
type EventState int

// The states of an inbox row.
const (
	EventNew    EventState = iota // waits for its room's worker
	EventReady                    // archived and mapped; Out has yet to be handed over
	EventFailed                   // kept aside with its error
	EventDone                     // its key is kept so that it is not taken again
)

// EventRow is an event in the durable inbox.
type EventRow struct {
	Seq     int64
	Room    int64
	Account transports.LoginID // whose session brought it
	Key     string
	Kind    string
	Lane    Lane
	Order   int64 // within the lane
	Data    []byte
	At      time.Time // when we took it
	State   EventState
	Out     []byte // encoded deliveries of a ready row
	Error   string
}

// Lane orders what is pending in a room: the history that fills a gap goes before the
// live events that came while it was being read.
type Lane int

// The lanes of the inbox.
const (
	LaneHistory Lane = iota
	LaneLive         // held behind a catch-up
)

// OutState is how far an outbox row has come.
type OutState int

// The states of an outbox row.
const (
	OutQueued  OutState = iota
	OutSending          // a call was made and its outcome is not known yet
	OutDone             // kept so that a repeated stanza makes no second message
	OutFailed
)

// OutRow is a message, edit or other call in the durable outbox.
type OutRow struct {
	Seq     int64
	Room    int64
	Account transports.LoginID // whose session makes the call
	Sender  jid.JID            // full: where errors go
	Origin  string             // by which the same stanza is known when it comes again
	Message string             // the stanza's own id
	Stanza  string             // its id in the archive
	Kind    string             // one of the out… kinds
	Data    []byte
	State   OutState
	Part    int // the next part of a split message
	Attempt int // of the current part
	Since   time.Time
	Created time.Time
	Told    bool // the sender knows that it waits
}

// IDRow ties a message of the network to a stanza. A stanza that was split has several
// rows with rising Part; a network message that was edited has one for each stanza.
type IDRow struct {
	Room   int64
	Net    transports.MessageID
	Stanza string // id in the archive (XEP-0359 stanza-id); of inbound messages also their id
	Origin string // the stanza's own id
	// First is the Stanza of the message that this one corrects; "" where it is the first.
	First  string
	Part   int
	Author transports.UserID
	Sender string // bare JID of the local user who wrote it; "" where it came from the network
	At     time.Time
	Text   string // how it begins, to be quoted in replies
	Gone   bool   // was deleted
}

// EchoRow is a change of ours that the network will tell us about: the event is ours.
type EchoRow struct {
	Room  int64
	Net   transports.MessageID
	Kind  string
	Until time.Time
}

// ReactionRow is one person's one reaction to a message.
type ReactionRow struct {
	Room  int64
	Net   transports.MessageID
	User  transports.UserID
	Emoji string
}

// ArchiveRow is a groupchat message in a room's archive.
type ArchiveRow struct {
	Seq     int64
	Room    int64
	ID      string // stanza-id
	Message string // the stanza's own id
	At      time.Time
	Nick    string // the occupant's nickname; "" is the room itself
	Who     string // occupant id
	Lang    string
	Extra   string // of the start tag
	Payload string
	Retract string // id of the row that this one retracts and leaves a tombstone of
}

// EventUpdate moves an inbox row on.
type EventUpdate struct {
	Seq   int64
	State EventState
	Out   []byte
	Order int64 // of a ready row: the order in which such rows are handed over
	Error string
}

// SeenUpdate moves the start of a room's next catch-up.
type SeenUpdate struct {
	Room int64
	Seen transports.MessageID
	At   time.Time
}

// Batch is everything that one step of a room's worker changes, in one transaction.
type Batch struct {
	Events    []EventUpdate
	NewOut    []OutRow
	Out       []OutRow // updated by Seq
	IDs       []IDRow
	Gone      []GoneIDs
	Echoes    []EchoRow
	EchoesHad []EchoRow // removed
	React     []ReactionRow
	Unreact   []ReactionRow
	Archive   []ArchiveRow
	Seen      []SeenUpdate
	Rooms     []RoomRow // updated by ID, save Seen and Filled
	Filled    []int64   // rooms whose history was read
	Visible   []VisibleRow
	Hidden    []VisibleRow // Account and Room: not seen any longer
	People    []transports.UserInfo
	Members   []MemberRow
	Left      []MemberRow
}

// MemberRow is somebody in a room.
type MemberRow struct {
	Room int64
	User transports.UserID
}

// add puts another batch behind this one.
func (b *Batch) add(o *Batch) {
	b.Events = append(b.Events, o.Events...)
	b.NewOut = append(b.NewOut, o.NewOut...)
	b.Out = append(b.Out, o.Out...)
	b.IDs = append(b.IDs, o.IDs...)
	b.Gone = append(b.Gone, o.Gone...)
	b.Echoes = append(b.Echoes, o.Echoes...)
	b.EchoesHad = append(b.EchoesHad, o.EchoesHad...)
	b.React = append(b.React, o.React...)
	b.Unreact = append(b.Unreact, o.Unreact...)
	b.Archive = append(b.Archive, o.Archive...)
	b.Seen = append(b.Seen, o.Seen...)
	b.Rooms = append(b.Rooms, o.Rooms...)
	b.Filled = append(b.Filled, o.Filled...)
	b.Visible = append(b.Visible, o.Visible...)
	b.Hidden = append(b.Hidden, o.Hidden...)
	b.People = append(b.People, o.People...)
	b.Members = append(b.Members, o.Members...)
	b.Left = append(b.Left, o.Left...)
}

// GoneIDs marks messages of the network as deleted.
type GoneIDs struct {
	Room int64
	Net  []transports.MessageID
}
