package transports

import (
	"context"
	"io"
	"time"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Client is an open connection of a login. All methods may be called from any goroutine;
// the bridge calls Send, Edit, Delete and React of one room in order, one at a time.
type Client interface {
	// Send writes a message and returns its id or ids.
	Send(ctx context.Context, m Outgoing) (Sent, error)
	// Room describes a room that this login can see.
	Room(ctx context.Context, id RoomID) (RoomInfo, error)
	// Close ends the connection and returns when all its goroutines have ended. A client
	// that can be resumed later leaves the network's side open.
	Close(ctx context.Context) error
}

// Outgoing is a message on its way to the network.
type Outgoing struct {
	Room RoomID
	// ClientID is our id of this message: the same at every attempt. The client hands it to the
	// network as nonce where there is one, so that a repeated call makes no second message.
	ClientID string
	// Attempt counts from 1. From 2 on an earlier attempt may have succeeded without our
	// knowing: where the network has no nonce, the client looks for the message first.
	Attempt int
	// Since is when the first attempt was made, by our clock.
	Since time.Time
	Text  richtext.Text
	// Known tells whether the bridge has a message's id already; nil where it cannot tell. A
	// client that looks for the message of an earlier attempt passes over those.
	Known func(MessageID) bool `json:"-"`
	// Persona is whose message this is where the login speaks for somebody else.
	Persona *Persona
	ReplyTo MessageID
	Thread  MessageID
	Me      bool // a /me message
}

// Persona is the name and picture under which a login may speak for somebody else.
type Persona struct {
	Name      string
	AvatarURL string
}

// Sent is what the network made of an Outgoing.
type Sent struct {
	ID MessageID
	At time.Time
	// More are further messages that the text became.
	More []MessageID
}

// RoomKind is what kind of place a room is.
type RoomKind string

// The kinds of rooms. The first two are seen by their members only, the last is shared by all who can see it.
const (
	Direct  RoomKind = "direct"  // two people
	Private RoomKind = "private" // a group or a channel by invitation
	Public  RoomKind = "public"  // a channel that all of the space can see
)

// RoomInfo describes a room.
type RoomInfo struct {
	ID     RoomID
	Kind   RoomKind
	Name   string
	Topic  string
	Space  SpaceID
	Group  string // what its entries are shown under: the space's or a category's name
	Peer   UserID // the other person of a Direct room
	Joined bool   // this login is in it
	// Writable tells whether this login may write there.
	Writable bool
	Members  int // how many there are; 0 where unknown
}

// UserInfo describes a person.
type UserInfo struct {
	ID        UserID
	Name      string // what others see
	Handle    string // unique name of the network, where it has one
	Email     string
	Phone     string
	Title     string
	Avatar    string // URL
	AvatarKey string // changes with the picture
	Bot       bool
	Gone      bool   // deactivated
	Group     string // the roster group: the space's name
	URL       string
}

// PresenceInfo is the presence of a person.
type PresenceInfo struct {
	User   UserID
	Show   Show
	Status string
}

// Show is how available somebody is.
type Show string

// The values of Show.
const (
	Available Show = "available"
	Away      Show = "away"
	Busy      Show = "dnd"
	Offline   Show = "offline"
)

// Caps declares which optional interfaces a network's clients have. A client that
// lacks a declared one is an error when it is opened, and Check finds it earlier.
type Caps struct {
	Edit, Delete, React, Typing, Read, History, Directory, Direct, Members bool
	Spaces, Admin, Join, Presence, Profiles, Relay, Media                  bool
}

// Editor changes messages of this login.
type Editor interface {
	Edit(ctx context.Context, room RoomID, id MessageID, m Outgoing) error
}

// Deleter removes messages.
type Deleter interface {
	Delete(ctx context.Context, room RoomID, id MessageID) error
}

// Reactor sets the login's own reactions to a message: add and remove are Unicode emoji or the network's names in colons.
type Reactor interface {
	React(ctx context.Context, room RoomID, id MessageID, add, remove []string) error
}

// Typer says that the person of the login writes.
type Typer interface {
	Typing(ctx context.Context, room RoomID, on bool) error
}

// Reader moves the read mark of the login.
type Reader interface {
	MarkRead(ctx context.Context, room RoomID, id MessageID) error
}

// Historian reads past messages: at most limit events (Message, with edits already in
// them) after the message id, oldest first, "" meaning the newest limit ones. more tells
// whether there are later ones. Keys are those that the live events have.
type Historian interface {
	History(ctx context.Context, room RoomID, after MessageID, limit int) (events []Event, more bool, err error)
}

// Directory lists what a login can see. Results go to the callback, page by page, so
// that long work shows progress.
type Directory interface {
	Rooms(ctx context.Context, page func([]RoomInfo) error) error
	Contacts(ctx context.Context, page func([]UserInfo) error) error
}

// DirectOpener finds or makes the room of the login and one person.
type DirectOpener interface {
	Direct(ctx context.Context, user UserID) (RoomID, error)
}

// MemberLister lists who is in a room: at most limit people.
type MemberLister interface {
	Members(ctx context.Context, room RoomID, limit int) ([]UserInfo, error)
}

// SpaceLister shows workspaces and guilds.
type SpaceLister interface {
	Spaces(ctx context.Context) ([]SpaceInfo, error)
}

// SpaceInfo is a workspace or a guild.
type SpaceInfo struct {
	ID   SpaceID
	Name string
}

// RoomAdmin changes rooms.
type RoomAdmin interface {
	SetTopic(ctx context.Context, room RoomID, topic string) error
	Rename(ctx context.Context, room RoomID, name string) error
}

// Joiner enters and leaves channels.
type Joiner interface {
	Join(ctx context.Context, room RoomID) error
	Leave(ctx context.Context, room RoomID) error
}

// Presencer reads the presence of people and sets the login's own. Watch says whose
// presence matters; their changes come as Presence events.
type Presencer interface {
	Watch(ctx context.Context, users []UserID) error
	SetPresence(ctx context.Context, p PresenceInfo) error
}

// Profiler reads one person's profile.
type Profiler interface {
	Profile(ctx context.Context, user UserID) (UserInfo, error)
}

// Relayer tells that Outgoing.Persona is obeyed in a room.
type Relayer interface {
	CanRelay(ctx context.Context, room RoomID) bool
}

// MediaOpener reads a file of the network by the reference that File.Ref holds.
type MediaOpener interface {
	Open(ctx context.Context, ref string) (io.ReadCloser, File, error)
}
