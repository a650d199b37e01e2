package rules

import (
	"maps"
	"slices"
	"strconv"

	"github.com/dragoman-im/dragoman/core/form"
)

// NSRoomInfo is the FORM_TYPE of the description of a room.
const NSRoomInfo = "http://jabber.org/protocol/muc#roominfo"

// Features lists how the room is configured (XEP-0045 §16.3).
func (c Config) Features() []string {
	pick := func(on bool, yes, no string) string {
		if on {
			return yes
		}
		return no
	}
	return []string{
		pick(c.Listed, "muc_public", "muc_hidden"),
		pick(c.Persistent, "muc_persistent", "muc_temporary"),
		pick(c.MembersOnly, "muc_membersonly", "muc_open"),
		pick(c.Moderated, "muc_moderated", "muc_unmoderated"),
		pick(c.Password != "", "muc_passwordprotected", "muc_unsecured"),
		pick(c.NonAnonymous(), "muc_nonanonymous", "muc_semianonymous"),
	}
}

// Registers reports whether people who are no members may register.
func (c Config) Registers() bool {
	return c.Registration == RegistrationOpen || c.Registration == RegistrationApproved
}

// Now is the part of a room's description that changes by itself.
type Now struct {
	Occupants int
	History   int    // messages that may be asked for
	Subject   string // "" where it is not shown
	Hats      string // hash of the list of hats; "" if there are none
}

// RoomInfo returns the form that describes a room (XEP-0045 §16.5.4).
func RoomInfo(info Info, c Config, now Now) *form.Form {
	f := form.New(form.Result, NSRoomInfo, "")
	text := func(name, value string) {
		if value != "" {
			f.Add(form.Field{Var: name, Values: []string{value}})
		}
	}
	text("muc#roominfo_description", info.Description)
	text("muc#roominfo_lang", info.Lang)
	text("muc#roominfo_occupants", strconv.Itoa(max(now.Occupants, info.Occupants)))
	text("muc#roominfo_avatarhash", info.AvatarHash) // XEP-0486 §3.3
	if len(info.Contacts) > 0 {
		f.Add(form.Field{Var: "muc#roominfo_contactjid", Type: form.JIDMulti, Values: texts(info.Contacts)})
	}
	text("muc#roominfo_subject", now.Subject)
	text("hats#hash", now.Hats) // XEP-0317 §2
	f.Bool("muc#roominfo_subjectmod", "", c.OccupantsMaySubject)
	if c.History >= 0 {
		text(FieldHistory, strconv.Itoa(now.History))
	}
	if c.SlowMode > 0 { // XEP-0500 §5.2
		f.Add(form.Field{Var: "muc#roominfo_slow_mode_duration", Type: form.TextSingle, Values: []string{strconv.Itoa(c.SlowMode)}})
	}
	text(FieldPubsub, c.Pubsub)
	for _, name := range slices.Sorted(maps.Keys(info.Fields)) {
		text(name, info.Fields[name])
	}
	return f
}
