package transports

import (
	"context"
	"time"
)

// Changer changes rooms, their members and what the login has made of them for itself.
type Changer interface {
	Apply(ctx context.Context, change Change) (Applied, error)
}

// ChangeKind is what is changed. The comment names the fields of Change that it uses beside Room.
type ChangeKind string

// The kinds of changes.
const (
	ChangeTopic   ChangeKind = "topic"   // Text
	ChangeName    ChangeKind = "name"    // Text
	ChangeIcon    ChangeKind = "icon"    // File; nil takes the icon away
	ChangeTimer   ChangeKind = "timer"   // Timer
	ChangeArchive ChangeKind = "archive" // On
	ChangeDelete  ChangeKind = "delete"  // the room, for all
	ChangeJoin    ChangeKind = "join"    // the login itself
	ChangeLeave   ChangeKind = "leave"   // the login itself
	ChangeInvite  ChangeKind = "invite"  // User, Text: a word to them
	ChangeRemove  ChangeKind = "remove"  // User, Text: the reason
	ChangeBan     ChangeKind = "ban"     // User, On, Text: the reason
	ChangeRole    ChangeKind = "role"    // User, Role
	ChangeMute    ChangeKind = "mute"    // On: for the login itself
	ChangeAccept  ChangeKind = "accept"  // a message request, where Personal.Request is set
	ChangeBlock   ChangeKind = "block"   // On, and User where Room is ""
)

// Change is one change of a room.
type Change struct {
	Kind  ChangeKind
	Room  RoomID
	User  UserID
	Text  string
	On    bool
	Role  Role
	Timer time.Duration
	File  *OutgoingFile `json:"-"`
}

// Applied is what a change has come to.
type Applied struct {
	// Reverted means that the network has put back what was, or something else in its place: what
	// holds comes as an event. Text may give the reason.
	Reverted bool
	Text     string
}
