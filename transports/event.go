package transports

import "time"

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
	// Own reports that this login or our app did it, so that it may be the echo of a call.
	Own bool
	// Nonce is Outgoing.ClientID where the network sent it back.
	Nonce string
	At    time.Time
	// Past means that this is old: it is kept and can be read, and nobody is notified.
	Past bool
	// SeenBy are the other logins of this gateway that see the event too. An event of a room that
	// several logins share may be delivered by each of them under the same Key, or by one with the others here.
	SeenBy []LoginID
	Body   Body
}

// Body is one of the kinds of events: Message, Edit, Delete, Reactions, Typing, Read, Receipt, Member,
// RoomChanged, RoomGone, Contact, Presence, Call, Poll, PollVote, Unreadable.
type Body interface{ kind() string }

// Typing may be dropped.
type Typing struct {
	On   bool          `json:"on"`
	Kind TypingKind    `json:"kind,omitempty"`
	For  time.Duration `json:"for,omitempty"` // after which it is over unless it comes again; 0: the bridge's own time-out
}

// TypingKind is what somebody is about to send.
type TypingKind string

// The kinds of typing.
const (
	TypingText      TypingKind = ""
	TypingRecording TypingKind = "recording"
	TypingUploading TypingKind = "uploading"
)

// Read is how far the actor has read: up to a message, or up to a time where the network knows no message.
type Read struct {
	ID     MessageID `json:"id,omitempty"`
	Until  time.Time `json:"until,omitzero"`
	Unread bool      `json:"unread,omitempty"` // the room was marked as unread again, from ID on
}

// Receipt means that messages of ours have reached the actor.
type Receipt struct {
	IDs []MessageID `json:"ids"`
}

// Member is somebody who came to a room or left it, or whose place in it has changed.
type Member struct {
	User   UserInfo `json:"user"`
	Joined bool     `json:"joined"`
	By     UserID   `json:"by,omitempty"` // who invited or removed them
	Reason string   `json:"reason,omitempty"`
	// Membership is more exact than Joined where it is set.
	Membership Membership `json:"membership,omitempty"`
	Role       Role       `json:"role,omitempty"`
	Nick       string     `json:"nick,omitempty"` // in this room
}

// RoomChanged is a room that is new to this login, or has other properties now.
type RoomChanged struct {
	Info RoomInfo `json:"info"`
}

// RoomGone is a room that this login cannot see any longer.
type RoomGone struct {
	Archived bool `json:"archived,omitempty"`
	// MovedTo is the room that goes on in its place, where it has got another id or was merged.
	MovedTo RoomID `json:"moved_to,omitempty"`
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

// MaxRaw is how much of what could not be read is kept, in bytes.
const MaxRaw = 64 << 10

// Unreadable is something that the client could not read, or not all of it. It is shown to nobody and put aside as it came, for
// the operator: what could be read of it is an event of its own.
type Unreadable struct {
	Raw    []byte   `json:"raw"` // at most MaxRaw
	Values []string `json:"values,omitempty"`
}

// Ephemeral reports whether the event bypasses the inbox and may be dropped.
func (e Event) Ephemeral() bool {
	switch e.Body.(type) {
	case Typing, Presence:
		return true
	}
	return false
}
