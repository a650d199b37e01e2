package transports

import (
	"context"
	"time"
)

// RoomKind is what kind of conversation a room is.
type RoomKind string

// The kinds of rooms. The first two are seen by their members only, the last is shared by all who can see it.
const (
	Direct  RoomKind = "direct"  // two people
	Private RoomKind = "private" // a group or a channel by invitation
	Public  RoomKind = "public"  // a channel that all of the space can see
)

// RoomInfo describes a room as one login sees it.
type RoomInfo struct {
	ID     RoomID
	Kind   RoomKind
	Name   string
	Topic  string
	Icon   Picture
	Space  SpaceID
	Group  string     // what its entries are shown under: the space's or a category's name
	Parent RoomParent // of a thread that is a room of its own
	Peer   UserID     // the other person of a Direct room
	Joined bool       // this login is in it
	// Writable reports whether this login may write there.
	Writable bool
	Members  int           // how many there are; 0 where unknown
	Timer    time.Duration // after which messages disappear; 0 for never
	Personal Personal
}

// RoomParent is the room, and the message in it, on which a thread hangs.
type RoomParent struct {
	Room    RoomID
	Message MessageID // "" where it hangs on none, such as a post of a forum
}

// Personal is what a login has made of a room for itself.
type Personal struct {
	Role     Role
	Muted    bool
	Archived bool
	Request  bool // a conversation that the login has not accepted yet
	Blocked  bool
	Tags     []string // such as "favourite"
}

// Picture is a picture of a person, a room or an emoji.
type Picture struct {
	URL string // public; or
	Ref string // for MediaOpener
	Key string // changes with the picture
}

// Role is what a member of a room may do.
type Role string

// The roles, the highest first. A network that has others maps them.
const (
	RoleOwner     Role = "owner"
	RoleAdmin     Role = "admin"
	RoleModerator Role = "moderator"
	RoleMember    Role = "" // may write
	RoleReader    Role = "reader"
)

// Membership is how somebody belongs to a room.
type Membership string

// The memberships.
const (
	Joined   Membership = "joined"
	Left     Membership = "left"
	Invited  Membership = "invited"
	Knocking Membership = "knocking" // asks to be let in
	Banned   Membership = "banned"
)

// MemberInfo is somebody's membership of a room. The network keeps the list: the bridge shows those
// whom it was given, and forgets them when nobody of XMPP is in the room.
type MemberInfo struct {
	User       UserInfo
	Nick       string // in this room, where it is another than the user's name
	Membership Membership
	Role       Role
	Badges     []Badge
}

// Badge is what a network shows about a member beside what they may do, such as a role of a Discord server, or that somebody is a guest.
type Badge struct{ ID, Title string }

// MemberLister lists who is in a room, page by page.
type MemberLister interface {
	Members(ctx context.Context, request MemberRequest) (MemberPage, error)
}

// MemberRequest asks for at most Limit members after a page; After is "" or the Next of a page.
type MemberRequest struct {
	Room  RoomID
	After string
	Limit int
}

// MemberPage is some of the members.
type MemberPage struct {
	Members []MemberInfo
	Next    string // "" where there are no more, or none that the network lists
	Total   int    // of all, also those that are not listed; 0 where unknown
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

// GroupCreator makes groups and channels.
type GroupCreator interface {
	// GroupFields are what a new group is asked for.
	GroupFields() []Field
	CreateGroup(ctx context.Context, answers map[string]string) (RoomInfo, error)
}

// SpaceLister shows workspaces and guilds.
type SpaceLister interface {
	Spaces(ctx context.Context) ([]SpaceInfo, error)
}

// SpaceInfo is a workspace or a guild.
type SpaceInfo struct {
	ID     SpaceID
	Name   string
	Icon   Picture
	Parent SpaceID // the space that it is below
}
