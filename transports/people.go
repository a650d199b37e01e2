package transports

import "context"

// UserInfo describes a person.
type UserInfo struct {
	ID        UserID
	Name      string // what others see
	Handle    string // unique name of the network, where it has one
	Email     string
	Phone     string
	Title     string
	Avatar    string // URL
	AvatarRef string // for MediaOpener, where there is no public URL
	AvatarKey string // changes with the picture
	Bot       bool
	Gone      bool   // deactivated
	Group     string // the roster group: the space's name
	URL       string
}

// Shared is what is kept of a person for the logins of all accounts: without what the network shows to some logins only.
func (u UserInfo) Shared() UserInfo {
	u.Email, u.Phone = "", ""
	return u
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

// Presencer reads the presence of people and sets the login's own. Watch sets whose
// presence matters; their changes come as Presence events.
type Presencer interface {
	Watch(ctx context.Context, users []UserID) error
	SetPresence(ctx context.Context, p PresenceInfo) error
}

// Profiler reads one person's profile.
type Profiler interface {
	Profile(ctx context.Context, user UserID) (UserInfo, error)
}

// Resolver finds a person by what people call them: a phone number, an email address, a name of the
// network. The person found may have another id than the one that was asked for. An identifier that
// names nobody is an error of class Refused.
type Resolver interface {
	Resolve(ctx context.Context, identifier string) (UserInfo, error)
}

// Searcher finds at most limit people by a few words.
type Searcher interface {
	Search(ctx context.Context, words string, limit int) ([]UserInfo, error)
}
