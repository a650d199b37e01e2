package convert

import (
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// Changing names a kind of change for a person, and whether it is about somebody, or wants a value.
type Changing struct {
	Kind  transports.ChangeKind
	Name  string
	Value string // what the value is; "" for none
	User  bool
}

// changes are all that a person can ask for. A picture is none of them, as it cannot be sent from here yet.
var changes = []Changing{
	{transports.ChangeTopic, "Change the topic", "the new topic", false},
	{transports.ChangeName, "Change the name", "the new name", false},
	{transports.ChangeTimer, "Let messages disappear", "after how long, such as 24h; 0s for never", false},
	{transports.ChangeArchive, "Archive the room, or bring it back", "yes or no", false},
	{transports.ChangeDelete, "Delete the room for everybody", "", false},
	{transports.ChangeJoin, "Join the room", "", false},
	{transports.ChangeLeave, "Leave the room", "", false},
	{transports.ChangeInvite, "Invite somebody", "a word to them", true},
	{transports.ChangeRemove, "Remove somebody", "the reason", true},
	{transports.ChangeBan, "Ban somebody, or lift a ban", "yes or no", true},
	{transports.ChangeRole, "Give somebody a role", "owner, admin, moderator, member or reader", true},
	{transports.ChangeMute, "Mute the room, or unmute it", "yes or no", false},
	{transports.ChangeAccept, "Accept the conversation", "", false},
	{transports.ChangeBlock, "Block somebody, or unblock them", "yes or no", true},
}

// Changes are those of a network's changes that a person can ask for.
func Changes(caps transports.Caps) []Changing {
	return slices.DeleteFunc(slices.Clone(changes), func(c Changing) bool { return !caps.CanChange(c.Kind) })
}

// Change makes a change of what a person has entered. Errors are *stanza.Error for them.
func Change(kind transports.ChangeKind, room transports.RoomID, user transports.UserID, value string) (transports.Change, error) {
	c := transports.Change{Kind: kind, Room: room, User: user}
	value = strings.TrimSpace(value)
	i := slices.IndexFunc(changes, func(c Changing) bool { return c.Kind == kind })
	switch {
	case kind == transports.ChangeIcon:
		return c, stanza.FeatureNotImplemented("Pictures cannot be sent from here yet.")
	case i < 0:
		return c, stanza.BadRequest("There is no such change.")
	case changes[i].User && user == "":
		return c, stanza.BadRequest("Whom is this about?")
	}
	switch kind {
	case transports.ChangeTimer:
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return c, stanza.BadRequest("That is no length of time such as 24h.")
		}
		c.Timer = d
	case transports.ChangeArchive, transports.ChangeBan, transports.ChangeMute, transports.ChangeBlock:
		c.On = value != "no"
	case transports.ChangeRole:
		role, ok := roles[value]
		if !ok {
			return c, stanza.BadRequest("There is no such role.")
		}
		c.Role = role
	default:
		c.Text = CutBytes(value, MaxTopic)
	}
	return c, nil
}

var roles = map[string]transports.Role{
	"owner": transports.RoleOwner, "admin": transports.RoleAdmin, "moderator": transports.RoleModerator, "member": transports.RoleMember, "reader": transports.RoleReader,
}
