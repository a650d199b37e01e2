package transports

import (
	"encoding/json"
	"fmt"
)

func (Message) kind() string     { return "message" }
func (Edit) kind() string        { return "edit" }
func (Delete) kind() string      { return "delete" }
func (Reactions) kind() string   { return "reactions" }
func (Typing) kind() string      { return "typing" }
func (Read) kind() string        { return "read" }
func (Receipt) kind() string     { return "receipt" }
func (Member) kind() string      { return "member" }
func (RoomChanged) kind() string { return "room" }
func (RoomGone) kind() string    { return "room-gone" }
func (Contact) kind() string     { return "contact" }
func (Presence) kind() string    { return "presence" }
func (Call) kind() string        { return "call" }
func (Poll) kind() string        { return "poll" }
func (PollVote) kind() string    { return "poll-vote" }
func (Unreadable) kind() string  { return "unreadable" }

// BodyKind names the kind of an event's body in the store and in logs.
func BodyKind(b Body) string {
	if b == nil {
		return ""
	}
	return b.kind()
}

// MarshalBody is the body as the inbox keeps it. What can be had only while the event is delivered
// (File.Content) is not in it.
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
	"message":    decode[Message],
	"edit":       decode[Edit],
	"delete":     decode[Delete],
	"reactions":  decode[Reactions],
	"typing":     decode[Typing],
	"read":       decode[Read],
	"receipt":    decode[Receipt],
	"member":     decode[Member],
	"room":       decode[RoomChanged],
	"room-gone":  decode[RoomGone],
	"contact":    decode[Contact],
	"presence":   decode[Presence],
	"call":       decode[Call],
	"poll":       decode[Poll],
	"poll-vote":  decode[PollVote],
	"unreadable": decode[Unreadable],
}

func decode[B Body](data []byte) (Body, error) {
	var b B
	err := json.Unmarshal(data, &b)
	return b, err
}
