package tables

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
)

// Status is the durable status of a login.
type Status string

// The statuses of a login.
const (
	StatusLinked     Status = "linked"
	StatusNeedsLogin Status = "needs-login" // the owner was told and has to relink
	StatusFailed     Status = "failed"      // does not come back by itself
	StatusUnlinking  Status = "unlinking"   // being removed; a crash in between is completed at the next start
)

// Login is a linked account of an XMPP user on the network.
type Login struct {
	ID      transports.LoginID
	Owner   jid.JID // bare
	User    transports.UserID
	Name    string
	Secret  Sealed
	State   json.RawMessage // the client's own, to resume by
	Status  Status
	Cause   string // of Status, as the owner was told
	Created time.Time
}

// Sealed is an encrypted secret and the id of the key that encrypted it.
type Sealed struct {
	Key string
	Box []byte
}

// Room is a conversation: a channel, or the direct chat of one login with one person.
type Room struct {
	ID    int64
	Scope transports.LoginID // whose conversation it is; "" where several logins may see it
	Key   string             // the network's id, or "@" and the person of a direct chat
	Net   transports.RoomID  // "" for a direct chat that has not been opened on the network yet
	Kind  transports.RoomKind
	Peer  transports.UserID
	Name  string
	Topic string
	Space transports.SpaceID
	Group string
	// Members is their number as the network gives it.
	Members int
	// Last is the last message that came from the network, where the next backfill starts.
	Last   transports.MessageID
	LastAt time.Time
	// Backfilled tells that the history was read once, so that an empty Last means an empty room.
	Backfilled bool
}

// Label names the room in a trace: by its id, or by the person.
func (r Room) Label() string { return cmp.Or(string(r.Net), string(r.Peer)) }

// Direct reports whether this is the direct chat of a login.
func (r Room) Direct() bool { return r.Kind == transports.Direct }

// Visibility records that a login can see a room.
type Visibility struct {
	Login    transports.LoginID
	Room     int64
	Joined   bool
	Writable bool
}

// ListedRoom is a room with its visibility for a login.
type ListedRoom struct {
	Room
	Visible Visibility
}

// Contact is a person in the contact list of a login.
type Contact struct {
	Login transports.LoginID
	User  transports.UserID
	// Pushed is the name and group that the owner's roster has.
	Pushed string
	// Email and Phone are as the network shows them to the login.
	Email, Phone string
}

// EventState is how far an event of the inbox has come.
type EventState int

// The states of an event.
const (
	EventNew    EventState = iota // waits for its conversation
	EventReady                    // archived and mapped; Deliveries are still to be handed to the server
	EventFailed                   // put aside with its error
	EventDone                     // its key is kept to recognise the event when it comes again
)

// Event is an event in the inbox.
type Event struct {
	Seq        int64
	Room       int64
	Login      transports.LoginID // whose client delivered it
	Key        string
	Kind       string
	Priority   Priority
	Position   int64 // among events of the same priority; of ready events, their order of delivery
	Data       []byte
	At         time.Time // when it was received
	State      EventState
	Deliveries []byte // of a ready event, encoded
	Error      string
}

// Priority orders the new events of a room.
type Priority int

// The priorities of events.
const (
	PriorityNow  Priority = iota
	PriorityHeld          // live events, while a backfill brings those that come before them
)

// CallState is how far a call of the outbox has come.
type CallState int

// The states of a call.
const (
	CallQueued  CallState = iota
	CallSending           // was made; its outcome is not known yet
	CallDone              // kept so that a repeated stanza makes no second message
	CallFailed
)

// Call is a message, an edit or another call to the network in the outbox.
type Call struct {
	Seq      int64
	Room     int64
	Login    transports.LoginID // whose client makes the call
	Sender   jid.JID            // full: where errors go
	Origin   string             // recognises the same stanza when it comes again
	Message  string             // the stanza's own id
	Stanza   string             // its id in the archive
	Kind     string
	Data     []byte
	State    CallState
	Part     int // the next part of a message that was split
	Attempt  int // of the current part
	Since    time.Time
	Created  time.Time
	Notified bool // the sender was told that it waits
}

// Mapping ties a message of the network to a stanza. A stanza that was split has several
// mappings with rising Part; a network message that was edited has one for each stanza.
type Mapping struct {
	Room   int64
	Net    transports.MessageID
	Stanza string // id in the archive (XEP-0359 stanza-id); of inbound messages also their id
	Origin string // the stanza's own id
	// First is the Stanza of the message that this one corrects or duplicates; "" where it is the first.
	First   string
	Part    int
	Author  transports.UserID
	Sender  string // bare JID of the local user who sent it; "" where it came from the network
	At      time.Time
	Text    string // the beginning, to be quoted in replies
	Deleted bool
	Thread  transports.MessageID // the message that its thread hangs on; "" where it is in none
	Answers transports.MessageID // the message that it answers
}

// Echo is a change of ours that the network will report back as an event.
type Echo struct {
	Room  int64
	Net   transports.MessageID
	Kind  string
	Until time.Time
}

// Reaction is one person's one reaction to a message.
type Reaction struct {
	Room  int64
	Net   transports.MessageID
	User  transports.UserID
	Emoji string
}

// Archived is a groupchat message in a room's archive.
type Archived struct {
	Seq      int64
	Room     int64
	ID       string // stanza-id
	Message  string // the stanza's own id
	At       time.Time
	Nick     string // the occupant's nickname; "" is the room itself
	Occupant string // occupant id
	Lang     string
	Extra    string // of the start tag
	Payload  string
	Corrects string // id of the row of the first version
	Retract  string // id of the row that this one turns into a tombstone, with its corrections
}

// EventUpdate changes the state of an event.
type EventUpdate struct {
	Seq        int64
	State      EventState
	Deliveries []byte
	Position   int64
	Error      string
}

// Progress moves the start of a room's next backfill.
type Progress struct {
	Room int64
	Last transports.MessageID
	At   time.Time
}

// Member is a person in a room.
type Member struct {
	Room int64
	User transports.UserID
}

// Deletion marks messages of the network as deleted.
type Deletion struct {
	Room int64
	Net  []transports.MessageID
}

// Backlog is what waits in a room.
type Backlog struct {
	Room   int64
	Events int
	Held   bool // events of PriorityHeld are among them
	Calls  int
	Logins []transports.LoginID // of the calls
}

// ArchivePage is one page of a room's archive.
type ArchivePage struct {
	Rows     []Archived
	Complete bool   // no match is left out in the direction of paging
	Reached  string // as that of archive.Result
	Count    int    // of all matches, or paging.Unknown where they are many
	Index    int    // of the first row among them, or paging.Unknown
}
