package rules

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSRoomConfig is the FORM_TYPE of the configuration form.
const NSRoomConfig = "http://jabber.org/protocol/muc#roomconfig"

// Fields of the configuration form (XEP-0045 §16.5.3). Those with x- are not registered (XEP-0068 §3.3).
const (
	FieldName        = "muc#roomconfig_roomname"
	FieldDesc        = "muc#roomconfig_roomdesc"
	FieldLang        = "muc#roomconfig_lang"
	FieldPublic      = "muc#roomconfig_publicroom"
	FieldPersistent  = "muc#roomconfig_persistentroom"
	FieldModerated   = "muc#roomconfig_moderatedroom"
	FieldMembersOnly = "muc#roomconfig_membersonly"
	FieldProtected   = "muc#roomconfig_passwordprotectedroom"
	FieldSecret      = "muc#roomconfig_roomsecret"
	FieldWhoIs       = "muc#roomconfig_whois"
	FieldPM          = "muc#roomconfig_allowpm"
	FieldInvites     = "muc#roomconfig_allowinvites"
	FieldSubject     = "muc#roomconfig_changesubject"
	FieldLogging     = "muc#roomconfig_enablelogging"
	FieldMaxUsers    = "muc#roomconfig_maxusers"
	FieldBroadcast   = "muc#roomconfig_presencebroadcast"
	FieldMemberList  = "muc#roomconfig_getmemberlist"
	FieldPubsub      = "muc#roomconfig_pubsub"
	FieldAdmins      = "muc#roomconfig_roomadmins"
	FieldOwners      = "muc#roomconfig_roomowners"
	FieldHistory     = "muc#maxhistoryfetch"
	FieldSlowMode    = "muc#roomconfig_slow_mode_duration" // XEP-0500 §5.1
	FieldRegister    = "x-muc#roomconfig_registration"
	FieldNickLocked  = "x-muc#roomconfig_reservednick"
	FieldKeepNick    = "x-muc#roomconfig_visitorskeepnick"
)

// MaxSlowMode is the longest time between two messages that an owner may ask for, in seconds.
const MaxSlowMode = 24 * 60 * 60

// maxNamed is how many admins, and how many owners, the form may name.
const maxNamed = 500

// Bounds are what the service allows in a configuration.
type Bounds struct {
	Users   int // occupants
	History int // messages
	Text    int // bytes of a name, a description or a password
}

// Settings are what owners configure.
type Settings struct {
	Info           Info
	Config         Config
	Admins, Owners []jid.JID // bare, sorted
}

// Form returns the form that owners fill in (XEP-0045 §10.2).
func (s Settings) Form(title string, b Bounds) *form.Form {
	c := s.Config
	f := form.New(form.Ask, NSRoomConfig, title)
	f.Text(FieldName, "Name of the room", s.Info.Name)
	f.Text(FieldDesc, "Short description", s.Info.Description)
	f.Text(FieldLang, "Language of the discussion", s.Info.Lang)
	f.Bool(FieldPublic, "Show the room in the list of rooms", c.Listed)
	f.Bool(FieldPersistent, "Keep the room when everybody has left", c.Persistent)
	f.Bool(FieldMembersOnly, "Members only", c.MembersOnly)
	f.Bool(FieldModerated, "Only those with a voice may speak", c.Moderated)
	f.Bool(FieldProtected, "A password is needed to enter", c.Password != "")
	f.Add(form.Field{Var: FieldSecret, Type: form.TextPrivate, Label: "Password", Values: one(c.Password)})
	f.Choice(FieldWhoIs, "Who sees real addresses", or(string(c.WhoIs), usual[FieldWhoIs]),
		form.Option{Label: "Moderators", Value: string(WhoIsModerators)}, form.Option{Label: "Everybody", Value: string(WhoIsAnyone)})
	f.Choice(FieldPM, "Who may send private messages", or(string(c.Private), usual[FieldPM]),
		form.Option{Label: "Everybody", Value: string(PrivateByAnyone)},
		form.Option{Label: "Those with a voice", Value: string(PrivateByParticipants)},
		form.Option{Label: "Moderators", Value: string(PrivateByModerators)},
		form.Option{Label: "Nobody", Value: string(PrivateByNone)})
	f.Bool(FieldInvites, "Members may invite others", c.MembersMayInvite)
	f.Bool(FieldSubject, "Everybody with a voice may change the subject", c.OccupantsMaySubject)
	f.Bool(FieldLogging, "The discussion is logged in public", c.Logged)
	f.Add(number(FieldMaxUsers, "Most occupants; 0 for the limit of the service", c.MaxUsers, b.Users),
		number(FieldHistory, "Messages shown to those who enter; 0 for none", c.HistoryLength(), b.History),
		roles(FieldBroadcast, "Whose presence everybody sees", c.Broadcast),
		roles(FieldMemberList, "Who may read the list of members, if all see real addresses", c.MemberList))
	f.Choice(FieldRegister, "Who may become a member without being invited", or(string(c.Registration), usual[FieldRegister]),
		form.Option{Label: "Nobody", Value: string(RegistrationClosed)},
		form.Option{Label: "Everybody", Value: string(RegistrationOpen)},
		form.Option{Label: "Those whom an admin approves", Value: string(RegistrationApproved)})
	f.Bool(FieldNickLocked, "Those who have reserved a nickname use no other", c.NickLocked)
	f.Bool(FieldKeepNick, "Those without a voice keep their nickname", c.VisitorsKeepNick)
	f.Add(number(FieldSlowMode, "Seconds between two messages of one person; 0 for no limit", c.SlowMode, MaxSlowMode))
	f.Text(FieldPubsub, "XMPP URI of the room's pubsub node", c.Pubsub)
	f.Add(form.Field{Var: FieldAdmins, Type: form.JIDMulti, Label: "Admins", Values: texts(s.Admins)})
	return f.Add(form.Field{Var: FieldOwners, Type: form.JIDMulti, Label: "Owners", Values: texts(s.Owners)})
}

// Read returns the settings that a submitted form leads to; fields left out stay as they are (XEP-0004 §3.5). Unknown fields
// are ignored (XEP-0004 §3.1), wrong and contradictory ones are refused.
func (s Settings) Read(submitted *form.Form, b Bounds) (Settings, error) {
	if fd := submitted.Field(FieldMaxUsers); fd != nil && fd.Value() == "none" { // as in the example of XEP-0045 §10.1.3
		submitted.Set(FieldMaxUsers, "0")
	}
	f, err := s.Form("", b).Accept(submitted)
	var wrong *form.FieldError
	if errors.As(err, &wrong) {
		return s, wrong.Stanza() // XEP-0045 §10.1.3
	}
	if err != nil {
		return s, err
	}
	for _, name := range []string{FieldName, FieldDesc, FieldLang, FieldSecret, FieldPubsub} {
		if v := f.Get(name); len(v) > b.Text {
			return s, stanza.TooLong("text", v, b.Text)
		}
	}
	s.readText(f)
	s.readFlags(f)
	c := &s.Config
	if f.Has(FieldMaxUsers) {
		c.MaxUsers, _ = strconv.Atoi(f.Get(FieldMaxUsers)) // checked by Accept; "" is 0
	}
	if f.Has(FieldSlowMode) {
		c.SlowMode, _ = strconv.Atoi(f.Get(FieldSlowMode))
	}
	if f.Has(FieldHistory) && f.Get(FieldHistory) != strconv.Itoa(c.HistoryLength()) {
		if c.History, _ = strconv.Atoi(f.Get(FieldHistory)); c.History == 0 {
			c.History = -1
		}
	}
	readRoles(f, FieldBroadcast, &c.Broadcast)
	readRoles(f, FieldMemberList, &c.MemberList)
	if err := readPassword(f, c); err != nil {
		return s, err
	}
	return s, s.readPeople(f)
}

// usual are the values that "" stands for.
var usual = map[string]string{
	FieldWhoIs: string(WhoIsModerators), FieldPM: string(PrivateByAnyone), FieldRegister: string(RegistrationClosed),
}

func (s *Settings) readText(f *form.Form) {
	for name, set := range map[string]*string{
		FieldName: &s.Info.Name, FieldDesc: &s.Info.Description, FieldLang: &s.Info.Lang,
		FieldWhoIs: (*string)(&s.Config.WhoIs), FieldPM: (*string)(&s.Config.Private), FieldRegister: (*string)(&s.Config.Registration),
		FieldPubsub: &s.Config.Pubsub,
	} {
		if f.Has(name) && (*set != "" || f.Get(name) != usual[name]) { // a form that is submitted unchanged changes nothing
			*set = f.Get(name)
		}
	}
}

func (s *Settings) readFlags(f *form.Form) {
	c := &s.Config
	for name, set := range map[string]*bool{
		FieldPublic: &c.Listed, FieldPersistent: &c.Persistent, FieldMembersOnly: &c.MembersOnly, FieldModerated: &c.Moderated,
		FieldInvites: &c.MembersMayInvite, FieldSubject: &c.OccupantsMaySubject, FieldLogging: &c.Logged,
		FieldNickLocked: &c.NickLocked, FieldKeepNick: &c.VisitorsKeepNick,
	} {
		if f.Has(name) {
			*set = f.IsTrue(name)
		}
	}
}

func readPassword(f *form.Form, c *Config) error {
	if f.Has(FieldSecret) {
		c.Password = f.Get(FieldSecret)
	}
	if f.Has(FieldProtected) && !f.IsTrue(FieldProtected) {
		c.Password = ""
	}
	if f.IsTrue(FieldProtected) && c.Password == "" {
		return stanza.NotAcceptable("A room with a password needs a password.") // XEP-0045 §10.1.3
	}
	return nil
}

// readPeople reads the admins and owners, and the address of the node.
func (s *Settings) readPeople(f *form.Form) error {
	if uri := f.Get(FieldPubsub); uri != "" && !strings.HasPrefix(uri, "xmpp:") {
		return stanza.NotAcceptable("The pubsub node is given as an address that begins with xmpp:")
	}
	before := s.Owners
	for name, set := range map[string]*[]jid.JID{FieldAdmins: &s.Admins, FieldOwners: &s.Owners} {
		if !f.Has(name) {
			continue
		}
		list := []jid.JID{}
		for _, v := range f.Values(name) {
			j, err := jid.Parse(v)
			if err != nil {
				return stanza.NotAcceptable("An address of an admin or owner is malformed.")
			}
			list = append(list, j.Bare()) // XEP-0045 §10.4
		}
		*set = sorted(list)
	}
	if len(s.Admins) > maxNamed || len(s.Owners) > maxNamed {
		return stanza.NotAcceptable("The form names too many admins or owners.")
	}
	for _, j := range before {
		if !slices.Contains(s.Owners, j) && !f.Has(FieldAdmins) { // XEP-0045 §10.2: an owner becomes an admin
			s.Admins = sorted(append(slices.Clone(s.Admins), j))
		}
	}
	for _, j := range s.Admins {
		if slices.Contains(s.Owners, j) && f.Has(FieldAdmins) && f.Has(FieldOwners) {
			return stanza.NotAcceptable("Nobody can be an admin and an owner at once.")
		}
	}
	return nil
}

func sorted(list []jid.JID) []jid.JID {
	slices.SortFunc(list, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(list)
}

// allRoles are the roles of occupants, from the highest.
var allRoles = [...]Role{RoleModerator, RoleParticipant, RoleVisitor}

func roles(name, label string, chosen []Role) form.Field {
	fd := form.Field{Var: name, Type: form.ListMulti, Label: label}
	for _, role := range allRoles {
		fd.Options = append(fd.Options, form.Option{Label: strings.ToUpper(string(role[:1])) + string(role[1:]), Value: string(role)})
		if chosen == nil || slices.Contains(chosen, role) {
			fd.Values = append(fd.Values, string(role))
		}
	}
	return fd
}

// readRoles reads a list of roles; all of them are nil.
func readRoles(f *form.Form, name string, set *[]Role) {
	if !f.Has(name) {
		return
	}
	*set = []Role{}
	for _, v := range f.Values(name) {
		*set = append(*set, Role(v))
	}
	if len(*set) == len(allRoles) {
		*set = nil
	}
}

func number(name, label string, value, most int) form.Field {
	return form.Field{
		Var: name, Type: form.TextSingle, Label: label, Values: []string{strconv.Itoa(value)},
		Check: &form.Check{Datatype: "xs:integer", Min: "0", Max: strconv.Itoa(most)},
	}
}

func texts(list []jid.JID) []string {
	var all []string
	for _, j := range list {
		all = append(all, j.String())
	}
	return all
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}
