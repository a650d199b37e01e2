package room

import (
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Fields of the configuration form (XEP-0045 §16.5.3).
const (
	fieldName        = "muc#roomconfig_roomname"
	fieldDesc        = "muc#roomconfig_roomdesc"
	fieldLang        = "muc#roomconfig_lang"
	fieldPublic      = "muc#roomconfig_publicroom"
	fieldPersistent  = "muc#roomconfig_persistentroom"
	fieldModerated   = "muc#roomconfig_moderatedroom"
	fieldMembersOnly = "muc#roomconfig_membersonly"
	fieldProtected   = "muc#roomconfig_passwordprotectedroom"
	fieldSecret      = "muc#roomconfig_roomsecret"
	fieldWhoIs       = "muc#roomconfig_whois"
	fieldPM          = "muc#roomconfig_allowpm"
	fieldInvites     = "muc#roomconfig_allowinvites"
	fieldSubject     = "muc#roomconfig_changesubject"
	fieldLogging     = "muc#roomconfig_enablelogging"
	fieldMaxUsers    = "muc#roomconfig_maxusers"
	fieldBroadcast   = "muc#roomconfig_presencebroadcast"
	fieldHistory     = "muc#maxhistoryfetch"
)

// configForm returns the form that owners fill in (XEP-0045 §10.2).
func (r *Room) configForm() *form.Form {
	c := r.config
	whois, pm := c.WhoIs, c.Private
	if whois == "" {
		whois = WhoIsModerators
	}
	if pm == "" {
		pm = PrivateByAnyone
	}
	f := form.New(form.Ask, nsRoomConfig, "Configuration of "+r.jid.String())
	f.Text(fieldName, "Name of the room", r.info.Name)
	f.Text(fieldDesc, "Short description", r.info.Description)
	f.Text(fieldLang, "Language of the discussion", r.info.Lang)
	f.Bool(fieldPublic, "Show the room in the list of rooms", c.Listed)
	f.Bool(fieldPersistent, "Keep the room when everybody has left", c.Persistent)
	f.Bool(fieldMembersOnly, "Members only", c.MembersOnly)
	f.Bool(fieldModerated, "Only those with a voice may speak", c.Moderated)
	f.Bool(fieldProtected, "A password is needed to enter", c.Password != "")
	f.Add(form.Field{Var: fieldSecret, Type: form.TextPrivate, Label: "Password", Values: one(c.Password)})
	f.Choice(fieldWhoIs, "Who sees real addresses", string(whois),
		form.Option{Label: "Moderators", Value: string(WhoIsModerators)}, form.Option{Label: "Everybody", Value: string(WhoIsAnyone)})
	f.Choice(fieldPM, "Who may send private messages", string(pm),
		form.Option{Label: "Everybody", Value: string(PrivateByAnyone)},
		form.Option{Label: "Those with a voice", Value: string(PrivateByParticipants)},
		form.Option{Label: "Moderators", Value: string(PrivateByModerators)},
		form.Option{Label: "Nobody", Value: string(PrivateByNone)})
	f.Bool(fieldInvites, "Members may invite others", c.MembersMayInvite)
	f.Bool(fieldSubject, "Everybody with a voice may change the subject", c.OccupantsMaySubject)
	f.Bool(fieldLogging, "The discussion is logged in public", c.Logged)
	f.Add(form.Field{
		Var: fieldMaxUsers, Type: form.TextSingle, Label: "Most occupants; 0 for the limit of the service",
		Values: []string{strconv.Itoa(c.MaxUsers)}, Check: &form.Check{Datatype: "xs:integer", Min: "0", Max: strconv.Itoa(r.limits.Sessions)},
	})
	f.Add(form.Field{
		Var: fieldHistory, Type: form.TextSingle, Label: "Messages shown to those who enter; 0 for none",
		Values: []string{strconv.Itoa(c.history())}, Check: &form.Check{Datatype: "xs:integer", Min: "0", Max: strconv.Itoa(r.limits.History)},
	})
	return f.Add(r.broadcastField())
}

func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// history returns how many messages an entering session gets that does not ask for a number.
func (c Config) history() int {
	switch {
	case c.History < 0:
		return 0
	case c.History == 0:
		return DefaultHistory
	}
	return c.History
}

func (r *Room) broadcastField() form.Field {
	fd := form.Field{Var: fieldBroadcast, Type: form.ListMulti, Label: "Whose presence everybody sees"}
	for _, role := range []Role{RoleModerator, RoleParticipant, RoleVisitor} {
		fd.Options = append(fd.Options, form.Option{Label: strings.ToUpper(string(role[:1])) + string(role[1:]), Value: string(role)})
		if r.config.broadcasts(role) {
			fd.Values = append(fd.Values, string(role))
		}
	}
	return fd
}

// readConfig returns the configuration that a submitted form leads to; fields left out stay as they
// are (XEP-0004 §3.5).
func (r *Room) readConfig(submitted *form.Form) (Info, Config, error) {
	info, c := r.info, r.config
	f, err := r.configForm().Accept(submitted)
	if err != nil {
		if e, ok := err.(*form.FieldError); ok {
			return info, c, e.Stanza() // XEP-0045 §10.1.3
		}
		return info, c, err
	}
	text := func(name string, set *string) {
		if f.Has(name) {
			*set = f.Get(name)
		}
	}
	flag := func(name string, set *bool) {
		if f.Has(name) {
			*set = f.IsTrue(name)
		}
	}
	text(fieldName, &info.Name)
	text(fieldDesc, &info.Description)
	text(fieldLang, &info.Lang)
	flag(fieldPublic, &c.Listed)
	flag(fieldPersistent, &c.Persistent)
	flag(fieldMembersOnly, &c.MembersOnly)
	flag(fieldModerated, &c.Moderated)
	flag(fieldInvites, &c.MembersMayInvite)
	flag(fieldSubject, &c.OccupantsMaySubject)
	flag(fieldLogging, &c.Logged)
	text(fieldWhoIs, (*string)(&c.WhoIs))
	text(fieldPM, (*string)(&c.Private))
	if f.Has(fieldMaxUsers) {
		c.MaxUsers, _ = strconv.Atoi(f.Get(fieldMaxUsers)) // checked by Accept; "" is 0
	}
	if f.Has(fieldHistory) {
		if c.History, _ = strconv.Atoi(f.Get(fieldHistory)); c.History == 0 {
			c.History = -1
		}
	}
	if f.Has(fieldBroadcast) {
		c.Broadcast = []Role{}
		for _, v := range f.Values(fieldBroadcast) {
			c.Broadcast = append(c.Broadcast, Role(v))
		}
		if len(c.Broadcast) == 3 {
			c.Broadcast = nil
		}
	}
	return info, c, readPassword(f, &c)
}

func readPassword(f *form.Form, c *Config) error {
	if f.Has(fieldSecret) {
		c.Password = f.Get(fieldSecret)
	}
	if f.Has(fieldProtected) && !f.IsTrue(fieldProtected) {
		c.Password = ""
	}
	if f.IsTrue(fieldProtected) && c.Password == "" {
		return stanza.NotAcceptable("A room with a password needs a password.") // XEP-0045 §10.1.3
	}
	return nil
}
