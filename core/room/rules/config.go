package rules

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Info describes a room.
type Info struct {
	Name        string // disco#info identity
	Description string
	Lang        string
	AvatarHash  string // SHA-1 in hex of the room's vCard photo (XEP-0153)
	VCard       string // as XML; "" if there is none
	Occupants   int    // how many there are, where not all of them are puppets here; 0 where unknown
	Contacts    []jid.JID
	Features    []string          // advertised beside the engine's own
	Fields      map[string]string // more fields of the muc#roominfo form, such as muc#roominfo_logs
	More        Describer         // describes the room further; nil where there is no more
}

// Describer adds to the description of a room what depends on who asks. An Info is compared with the one before, so it is a pointer.
type Describer interface {
	// Describe returns more features and more XEP-0128 forms.
	Describe(ctx context.Context, asker jid.JID) (features []string, forms []*stanza.Element)

	// Nick returns the nickname that somebody gets on entering, whichever they ask for; "" where they choose it.
	Nick(ctx context.Context, asker jid.JID) string
}

// For returns all features and forms that are advertised to one who asks, beside the engine's own.
func (i Info) For(ctx context.Context, asker jid.JID) (features []string, forms []*stanza.Element) {
	if i.More != nil {
		features, forms = i.More.Describe(ctx, asker)
	}
	return append(features, i.Features...), forms
}

// WhoIs says who sees the real JIDs of occupants.
type WhoIs string

// The choices of muc#roomconfig_whois.
const (
	WhoIsModerators WhoIs = "moderators" // semi-anonymous; "" is the same
	WhoIsAnyone     WhoIs = "anyone"     // non-anonymous
)

// PrivateMessages says who may send private messages.
type PrivateMessages string

// The choices of muc#roomconfig_allowpm.
const (
	PrivateByAnyone       PrivateMessages = "anyone" // "" is the same
	PrivateByParticipants PrivateMessages = "participants"
	PrivateByModerators   PrivateMessages = "moderators"
	PrivateByNone         PrivateMessages = "none"
)

// Registration says whether people may make themselves members (XEP-0045 §7.10).
type Registration string

// The choices of x-muc#roomconfig_registration. Members may always reserve a nick.
const (
	RegistrationClosed   Registration = "none"     // "" is the same
	RegistrationOpen     Registration = "open"     // everybody who is not banned
	RegistrationApproved Registration = "approval" // after an admin has approved (XEP-0045 §9.9)
)

// Config contains the rules of the room. The zero Config describes an open, unlisted, unmoderated,
// semi-anonymous, temporary room.
type Config struct {
	Listed              bool            `json:"listed,omitempty"` // shown in the service's list of rooms
	Persistent          bool            `json:"persistent,omitempty"`
	MembersOnly         bool            `json:"members_only,omitempty"`
	Moderated           bool            `json:"moderated,omitempty"`
	Password            string          `json:"password,omitempty"` // "" for none
	WhoIs               WhoIs           `json:"whois,omitempty"`
	Private             PrivateMessages `json:"private_messages,omitempty"`
	MembersMayInvite    bool            `json:"members_may_invite,omitempty"`
	OccupantsMaySubject bool            `json:"occupants_may_subject,omitempty"` // participants may change the subject
	Logged              bool            `json:"logged,omitempty"`                // to a public archive
	MaxUsers            int             `json:"max_users,omitempty"`             // 0 is what Limits allow
	History             int             `json:"history,omitempty"`               // messages shown to those who enter; 0 is DefaultHistory, -1 none
	// Broadcast lists the roles whose presence is announced; nil is all.
	Broadcast []Role `json:"broadcast"`
	// MemberList lists the roles that may read the member list where the room shows real addresses; nil is all. Admins always may.
	MemberList []Role `json:"member_list"`
	// Registration says who may become a member by XEP-0045 §7.10.
	Registration Registration `json:"registration,omitempty"`
	// NickLocked makes those who have reserved a nick use it, and no other (XEP-0045 §7.10).
	NickLocked bool `json:"nick_locked,omitempty"`
	// VisitorsKeepNick forbids visitors of a moderated room to change their nick, by which they could say something (XEP-0045 §14.6).
	VisitorsKeepNick bool   `json:"visitors_keep_nick,omitempty"`
	SlowMode         int    `json:"slow_mode,omitempty"` // seconds between two messages of one person (XEP-0500); 0 is off
	Pubsub           string `json:"pubsub,omitempty"`    // XMPP URI of a node that belongs to the room
	// Locked marks a room that was created but is not configured yet (XEP-0045 §10.1).
	Locked bool `json:"locked,omitempty"`
}

// DefaultHistory is the number of history messages for a session that does not request a number.
const DefaultHistory = 20

// NonAnonymous reports whether everybody in the room sees real addresses.
func (c Config) NonAnonymous() bool { return c.WhoIs == WhoIsAnyone }

// Broadcasts reports whether presence of a role is announced to others (XEP-0045 §7.2.2).
func (c Config) Broadcasts(r Role) bool { return c.Broadcast == nil || slices.Contains(c.Broadcast, r) }

// MaySendPrivate reports whether an occupant of the role may send private messages.
func (c Config) MaySendPrivate(role Role) bool {
	switch c.Private {
	case PrivateByParticipants:
		return role.AtLeast(RoleParticipant)
	case PrivateByModerators:
		return role.AtLeast(RoleModerator)
	case PrivateByNone:
		return false
	}
	return role.AtLeast(RoleVisitor)
}

// MayReadList reports whether somebody may read a list of affiliations. Admins may. Where the room shows real addresses members
// may too, and in a members-only room all its occupants, but not the list of outcasts, and only those that the configuration lets
// (XEP-0045 §5.2.1, §9.5). The role of one who is not in the room is "" or none.
func (c Config) MayReadList(s Rights, list Affiliation) bool {
	if s.Affiliation.AtLeast(AffAdmin) {
		return true
	}
	if list == AffOutcast || !c.NonAnonymous() || c.MemberList != nil && !slices.Contains(c.MemberList, s.Role) {
		return false
	}
	return s.Affiliation == AffMember || c.MembersOnly && s.Role.AtLeast(RoleVisitor)
}

// HistoryLength returns how many messages an entering session gets that does not ask for a number.
func (c Config) HistoryLength() int {
	switch {
	case c.History < 0:
		return 0
	case c.History == 0:
		return DefaultHistory
	}
	return c.History
}
