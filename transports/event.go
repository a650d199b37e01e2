package transports

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Event is something that happened on the network.
type Event struct {
	// Key is the network's own idempotency key of the event within its room, such as
	// "1700000000.000100" of a message and "1700000000.000100/edit/1700000001" of its edit:
	// the same whether the event came live, again, or out of the history.
	Key  string
	Room RoomID
	Kind RoomKind // of Room; "" where the client does not know it
	Peer UserID   // the other person where Kind is Direct
	// Actor is who did it; "" where it was the network itself.
	Actor UserID
	// Name is Actor's name where the event has one of its own (a bot's, a webhook's persona).
	Name string
	// Own tells that this login or our app did it, so that it may be the echo of a call.
	Own bool
	// Nonce is Outgoing.ClientID where the network sent it back.
	Nonce string
	At    time.Time
	Body  Body
}

// Body is one of the kinds of events: Message, Edit, Delete, Reactions, Typing, Read,
// Member, RoomChanged, RoomGone, Contact, ContactGone, Presence, Call.
type Body interface{ kind() string }

// Message is a new message.
type Message struct {
	ID      MessageID     `json:"id"`
	Text    richtext.Text `json:"text,omitempty"`
	Files   []File        `json:"files,omitempty"`
	ReplyTo MessageID     `json:"reply_to,omitempty"`
	Thread  MessageID     `json:"thread,omitempty"` // the message that the thread hangs on
	Me      bool          `json:"me,omitempty"`
	Notice  bool          `json:"notice,omitempty"` // said by the network: "Ann joined"
}

// Edit is a message's new text.
type Edit struct {
	ID    MessageID     `json:"id"`
	Text  richtext.Text `json:"text,omitempty"`
	Files []File        `json:"files,omitempty"`
}

// Delete takes messages away.
type Delete struct {
	IDs []MessageID `json:"ids"`
	By  UserID      `json:"by,omitempty"` // where it was not their author
}

// Reactions are what the actor added to a message and took from it: Unicode emoji, or
// the network's names in colons.
type Reactions struct {
	ID     MessageID `json:"id"`
	Add    []string  `json:"add,omitempty"`
	Remove []string  `json:"remove,omitempty"`
}

// Typing may be dropped.
type Typing struct {
	On bool `json:"on"`
}

// Read is how far the actor has read.
type Read struct {
	ID MessageID `json:"id"`
}

// Member is somebody who came to a room or left it.
type Member struct {
	User   UserInfo `json:"user"`
	Joined bool     `json:"joined"`
	By     UserID   `json:"by,omitempty"` // who invited or removed them
	Reason string   `json:"reason,omitempty"`
}

// RoomChanged is a room that is new to this login, or has other properties now.
type RoomChanged struct {
	Info RoomInfo `json:"info"`
}

// RoomGone is a room that this login cannot see any longer.
type RoomGone struct {
	Archived bool `json:"archived,omitempty"`
}

// Contact is a person who is new or has changed. Event.Room is empty.
type Contact struct {
	Info UserInfo `json:"info"`
}

// Presence may be dropped. Event.Room is empty.
type Presence struct {
	Info PresenceInfo `json:"info"`
}

// Call is a call or huddle that began or ended.
type Call struct {
	ID    string `json:"id"`
	URL   string `json:"url,omitempty"`
	Ended bool   `json:"ended,omitempty"`
}

// File is something attached to a message.
type File struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	MIME     string `json:"mime,omitempty"`
	Size     int64  `json:"size,omitempty"` // bytes
	URL      string `json:"url,omitempty"`  // public or a permanent page; may need a login
	Ref      string `json:"ref,omitempty"`  // for MediaOpener
	Width    int    `json:"width,omitempty"`
	Height   int    `json:"height,omitempty"`
	Alt      string `json:"alt,omitempty"`
	Duration int    `json:"duration,omitempty"` // seconds
}

func (Message) kind() string     { return "message" }
func (Edit) kind() string        { return "edit" }
func (Delete) kind() string      { return "delete" }
func (Reactions) kind() string   { return "reactions" }
func (Typing) kind() string      { return "typing" }
func (Read) kind() string        { return "read" }
func (Member) kind() string      { return "member" }
func (RoomChanged) kind() string { return "room" }
func (RoomGone) kind() string    { return "room-gone" }
func (Contact) kind() string     { return "contact" }
func (Presence) kind() string    { return "presence" }
func (Call) kind() string        { return "call" }

// BodyKind names the kind of an event's body, as it stands in the store and in logs.
func BodyKind(b Body) string {
	if b == nil {
		return ""
	}
	return b.kind()
}

// Fleeting tells whether the event bypasses the inbox and may be dropped.
func (e Event) Fleeting() bool {
	switch e.Body.(type) {
	case Typing, Presence:
		return true
	}
	return false
}

// MarshalBody is the body as the inbox keeps it.
func MarshalBody(b Body) ([]byte, error) { return json.Marshal(b) }

// UnmarshalBody is the reverse of MarshalBody for a body of that kind.
func UnmarshalBody(kind string, data []byte) (Body, error) {
	decode, ok := bodies[kind]
	if !ok {
		return nil, fmt.Errorf("event of unknown kind %q", kind)
	}
	return decode(data)
}

var bodies = map[string]func([]byte) (Body, error){
	"message":   decode[Message],
	"edit":      decode[Edit],
	"delete":    decode[Delete],
	"reactions": decode[Reactions],
	"typing":    decode[Typing],
	"read":      decode[Read],
	"member":    decode[Member],
	"room":      decode[RoomChanged],
	"room-gone": decode[RoomGone],
	"contact":   decode[Contact],
	"presence":  decode[Presence],
	"call":      decode[Call],
}

func decode[B Body](data []byte) (Body, error) {
	var b B
	err := json.Unmarshal(data, &b)
	return b, err
}
