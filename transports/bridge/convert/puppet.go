package convert

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/nick"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

const maxProfileURL = 2048 // bytes

// DisplayName is what to call somebody.
func DisplayName(u transports.UserInfo) string {
	for _, n := range []string{u.Name, u.Handle, string(u.ID)} {
		if n = strings.TrimSpace(n); n != "" {
			return n
		}
	}
	return "somebody"
}

// maxNick is the longest nick of a room without a number, in bytes.
const maxNick = 248

// RoomNick is the nick that a room gives to a name if nobody else has it.
func RoomNick(name string) string { return nick.Clean(name, maxNick) }

// ClipUser shortens the texts of a person's profile to the limits of this package.
func ClipUser(u transports.UserInfo) transports.UserInfo {
	for _, s := range []*string{&u.Name, &u.Handle, &u.Email, &u.Phone, &u.Title, &u.Group, &u.AvatarKey} {
		*s = CutBytes(*s, MaxName)
	}
	for _, s := range []*string{&u.Avatar, &u.AvatarRef, &u.URL} {
		if len(*s) > maxProfileURL {
			*s = ""
		}
	}
	return u
}

// Persona is the name under which somebody writes where it is not their own; "" where it is.
func Persona(u transports.UserInfo, name string) string {
	if name == "" || name == u.Name || name == u.Handle || name == DisplayName(u) {
		return ""
	}
	return CutBytes(name, MaxName)
}

// SetRole sets affiliation and role of an occupant for a role of the network.
func SetRole(p *occupants.Puppet, role transports.Role) {
	switch role {
	case transports.RoleOwner:
		p.Affiliation, p.Role = rules.AffOwner, rules.RoleModerator
	case transports.RoleAdmin:
		p.Affiliation, p.Role = rules.AffAdmin, rules.RoleModerator
	case transports.RoleModerator:
		p.Role = rules.RoleModerator
	case transports.RoleReader:
		p.Role = rules.RoleVisitor
	}
}

// maxHats is how many hats of one person are shown.
const maxHats = 10

// Hats are what the network shows about a member, as hats (XEP-0317 §3.1).
func Hats(badges []transports.Badge) (list []hats.Hat) {
	for _, b := range badges[:min(len(badges), maxHats)] {
		if title := CutBytes(strings.TrimSpace(b.Title), MaxName); title != "" && len(b.ID) <= MaxID {
			list = append(list, hats.Hat{URI: "urn:dragoman:role:" + url.PathEscape(b.ID), Title: title})
		}
	}
	return list
}

// Member is somebody of the network in a room. persona is as Addresses.Occupant wants it.
func (a Addresses) Member(u transports.UserInfo, persona string) occupants.Puppet {
	m := occupants.Puppet{ID: a.Occupant(u.ID, persona), Nick: DisplayName(u), Affiliation: rules.AffMember}
	if persona != "" {
		m.Nick, m.Affiliation = persona, rules.AffNone
	}
	if j, err := a.Contact(u.ID); err == nil {
		m.JID = j
	}
	if u.Bot {
		m.Hats = []hats.Hat{{URI: "urn:dragoman:bot", Title: "Bot"}}
	}
	return m
}

// Show is a network's presence as the show element of XMPP; "" is available.
func Show(s transports.Show) string {
	switch s {
	case transports.Away:
		return "away"
	case transports.Busy:
		return "dnd"
	}
	return ""
}

// PresentAs is the full JID from which presence of a bare one comes: that of a contact or of the gateway itself. Clients that keep
// presence by resource, such as Gajim, show an entity that has none as offline.
func PresentAs(j jid.JID, network transports.Info) jid.JID {
	if full, err := j.WithResource(network.Name); err == nil && full.IsFull() {
		return full
	}
	full, _ := j.WithResource("gateway")
	return full
}

// PuppetPresence is the presence of somebody of the network whose full JID is from. more, such as Nick and PhotoUpdate, is for
// available presence.
func PuppetPresence(from, to jid.JID, p transports.PresenceInfo, more ...*stanza.Element) *stanza.Stanza {
	if p.Show == transports.Offline {
		return stanza.NewPresence(to, from, stanza.TypeUnavailable)
	}
	var content []*stanza.Element
	if show := Show(p.Show); show != "" {
		content = append(content, stanza.TextElement("", "show", show))
	}
	if p.Status != "" {
		content = append(content, stanza.TextElement("", "status", CutBytes(p.Status, MaxName)))
	}
	return stanza.NewPresence(to, from, "", append(content, more...)...)
}

// Nick is somebody's name in presence (XEP-0172).
func Nick(name string) *stanza.Element { return stanza.TextElement(NSNick, "nick", name) }

// PhotoUpdate is the hash of somebody's picture in presence (XEP-0153 §3); "" where they have none.
func PhotoUpdate(hash string) *stanza.Element {
	return stanza.NewElement(NSVCardUpdate, "x").Add(stanza.TextElement(NSVCardUpdate, "photo", hash))
}

// UserPresence is the presence of a local user as a network has it.
func UserPresence(st *stanza.Stanza) transports.PresenceInfo {
	show := st.Tree().ChildText("", "show")
	p := transports.PresenceInfo{Show: transports.Available, Status: CutBytes(st.Tree().ChildText("", "status"), MaxName)}
	switch {
	case st.Type == stanza.TypeUnavailable:
		return transports.PresenceInfo{Show: transports.Away}
	case show == "dnd":
		p.Show = transports.Busy
	case show != "" && show != "chat":
		p.Show = transports.Away
	}
	return p
}

// VCard is somebody's profile (XEP-0054).
func VCard(u transports.UserInfo, photo *Photo) *stanza.Element {
	v := stanza.NewElement(NSVCard, "vCard")
	text := func(name, value string) {
		if value != "" {
			v.Add(stanza.TextElement(NSVCard, name, value))
		}
	}
	text("FN", DisplayName(u))
	text("NICKNAME", u.Handle)
	text("TITLE", u.Title)
	text("URL", u.URL)
	if u.Email != "" {
		v.Add(stanza.NewElement(NSVCard, "EMAIL").Add(stanza.NewElement(NSVCard, "INTERNET"), stanza.TextElement(NSVCard, "USERID", u.Email)))
	}
	if u.Phone != "" {
		v.Add(stanza.NewElement(NSVCard, "TEL").Add(stanza.NewElement(NSVCard, "VOICE"), stanza.TextElement(NSVCard, "NUMBER", u.Phone)))
	}
	if photo != nil {
		v.Add(stanza.NewElement(NSVCard, "PHOTO").Add(
			stanza.TextElement(NSVCard, "TYPE", photo.Type), stanza.TextElement(NSVCard, "BINVAL", base64.StdEncoding.EncodeToString(photo.Data))))
	}
	return v
}

// Photo is a picture as a vCard holds it.
type Photo struct {
	Type string // image/png
	Data []byte
}
