package room

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// kept makes the state of a fixture's room lasting, as in a room of the server itself.
func kept(o *Options) { o.Save = func(context.Context, Change) error { return nil } }

func registration(from, nick string, more ...string) string {
	f := form.New(form.Submit, rules.NSRegisterForm, "").Set("muc#register_roomnick", nick)
	for i := 0; i < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return iq(from, "", "set", "<query xmlns='jabber:iq:register'>"+f.Element().String()+"</query>")
}

const askRegister = "<query xmlns='jabber:iq:register'/>"

func TestRegister(t *testing.T) { // XEP-0045 §7.10
	t.Parallel()
	p := withEachAffiliation(t, kept)
	// Closed: only members, who reserve a nick.
	for who, want := range map[string]string{"none/1": "not-allowed", "stranger/1": "not-allowed", "outcast/1": "not-allowed", "member/1": "ok"} {
		if got := p.outcome(iq(who, "", "get", askRegister)); got != want {
			t.Errorf("%s: %s, not %s", who, got, want)
		}
	}
	if got := p.outcome(registration("none/1", "dwarf")); got != "not-allowed" || p.lists.Of(person("none")) != rules.AffNone {
		t.Error(got)
	}
	p.config.Registration = rules.RegistrationOpen
	p.in(iq("none/1", "", "get", askRegister)).wantHas("<field var='muc#register_roomnick' type='text-single' label='Nickname'><required/></field>", "<instructions>")
	p.in(registration("none/1", "dwarf")).want( // it was a visitor of a moderated room (§5.1.3)
		"<presence to='owner/1' from='/none'><x><item affiliation='member' role='participant' jid='none/1'/></x></presence>",
		"<presence to='admin/1'…", "<presence to='member/1' from='/none'><x><item affiliation='member' role='participant'/></x></presence>",
		"<presence to='none/1' from='/none'><x><item affiliation='member' role='participant' jid='none/1'/><status code='110'/></x></presence>",
		"<iq to='none/1' from='room' id='q' type='result'/>")
	p.in(iq("none/2", "", "get", askRegister)).want("<iq to='none/2' from='room' id='q' type='result'><query xmlns='jabber:iq:register'><registered/><username>dwarf</username></query></iq>")
	for _, c := range []struct{ name, xml, want string }{
		{"reserved", registration("stranger/1", "dwarf"), "conflict"},
		{"looks like it", registration("stranger/1", "dwаrf"), "conflict"}, // with a Cyrillic letter
		{"of an occupant", registration("stranger/1", "admin"), "conflict"},
		{"invisible", registration("stranger/1", " "), "bad-request"},
		{"too long", registration("stranger/1", strings.Repeat("n", 300)), "bad-request"},
		{"none", registration("stranger/1", ""), "bad-request"},
		{"no form", iq("stranger/1", "", "set", askRegister), "bad-request"},
		{"another form", iq("stranger/1", "", "set", "<query xmlns='jabber:iq:register'>"+form.New(form.Submit, "other", "").Element().String()+"</query>"), "bad-request"},
		{"not filled in", iq("stranger/1", "", "set", "<query xmlns='jabber:iq:register'>"+form.New(form.Ask, rules.NSRegisterForm, "").Element().String()+"</query>"), "bad-request"},
		{"banned", registration("outcast/1", "x"), "not-allowed"},
		{"another element", iq("stranger/1", "", "get", "<other xmlns='jabber:iq:register'/>"), "service-unavailable"},
		{"end of nothing", iq("stranger/1", "", "set", "<query xmlns='jabber:iq:register'><remove/></query>"), "registration-required"},
	} {
		before := fmt.Sprintf("%+v", p.State())
		if got := p.outcome(c.xml); got != c.want || fmt.Sprintf("%+v", p.State()) != before {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	// §7.2.8: nobody else may use it; the member enters with it or with another one, unless nicks are locked (§7.10).
	p.take()
	p.in(enter("eve/1", "dwarf"))
	if got := p.condition(); got != "cancel conflict" {
		t.Error(got)
	}
	p.in("<presence from='none/1' to='/none' type='unavailable'/>")
	p.join2("none/1", "other")
	if o, _ := p.BySession(person("none/1")); o.Nick != "other" {
		t.Error(o.Nick)
	}
	p.in("<presence from='none/1' to='/none' type='unavailable'/>").take()
	p.config.NickLocked = true
	p.in(enter("none/1", "other")).wantHas("<presence to='none/1' from='/dwarf'><x><item affiliation='member' role='participant' jid='none/1'/><status code='110'/><status code='210'/></x></presence>")
	p.in("<presence from='none/1' to='/other2'/>")
	if got := p.condition(); got != "modify not-acceptable" { // §7.6
		t.Error(got)
	}
	p.in(registration("none/1", "giant")).wantHas( // the registered nick replaces the one in use
		"<presence to='none/1' from='/dwarf' type='unavailable'><x><item affiliation='member' role='participant' nick='giant' jid='none/1'/><status code='303'/><status code='110'/>",
		"<presence to='none/1' from='/giant'><x><item affiliation='member' role='participant' jid='none/1'/><status code='110'/><status code='210'/></x></presence>")
	// XEP-0077 §3.2
	if got := p.outcome(iq("none/1", "", "set", "<query xmlns='jabber:iq:register'><remove/></query>")); got != "ok" || p.lists.Len() != 5 {
		t.Errorf("%s: %v", got, p.lists)
	}
	if got := p.outcome(registration("owner/1", "boss")); got != "ok" || p.lists.Entry(person("owner")) != (affiliations.Entry{Affiliation: rules.AffOwner, Nick: "boss"}) {
		t.Errorf("%s: %v", got, p.lists)
	}
	if got := p.outcome(iq("owner/1", "", "set", "<query xmlns='jabber:iq:register'><remove/></query>")); got != "ok" || p.lists.Entry(person("owner")) != (affiliations.Entry{Affiliation: rules.AffOwner}) {
		t.Errorf("%s: %v", got, p.lists)
	}
	// A ban ends the reservation (§9.1), and so does an empty nick in the list (§9.5).
	p.outcome(registration("member/1", "gnome"))
	p.outcome(fmt.Sprintf(item("jid='member@example.org' affiliation='member'"), "owner/1"))
	if p.lists.Entry(person("member")).Nick != "gnome" {
		t.Error("the list was changed without a nick, and the nick is gone")
	}
	p.outcome(fmt.Sprintf(item("jid='member@example.org' affiliation='member' nick=''"), "owner/1"))
	if p.lists.Entry(person("member")).Nick != "" {
		t.Error("an empty nick does not end the reservation")
	}
	p.outcome(registration("member/1", "gnome"))
	p.outcome(fmt.Sprintf(item("jid='member@example.org' affiliation='outcast'"), "owner/1"))
	if p.lists.Entry(person("member")).Nick != "" || p.lists.ReservedFor("gnome", person("eve")) {
		t.Error("an outcast keeps a nick")
	}
}

func TestRegisterMayBeRefused(t *testing.T) {
	t.Parallel()
	p := withEachAffiliation(t, kept)
	p.config.Registration = rules.RegistrationOpen
	p.owner.allow = func(a Action) error {
		if a.Kind != ActionRegister || a.JID != person("none") || a.Value != "dwarf" || a.Affiliation != rules.AffMember || a.By.Nick != "none" {
			t.Errorf("%+v", a)
		}
		return stanza.NotAllowed("x")
	}
	if got := p.outcome(registration("none/1", "dwarf")); got != "not-allowed" || p.lists.Entry(person("none")).Nick != "" {
		t.Error(got)
	}
	p.owner.allow = nil
	p.saver = func(context.Context, Change) error { return stanza.ResourceConstraint("full") }
	if got := p.outcome(registration("none/1", "dwarf")); got != "resource-constraint" || p.lists.Entry(person("none")).Nick != "" {
		t.Error(got)
	}
	// In a room whose lists belong to a network the Owner answers.
	q := withEachAffiliation(t)
	q.owner.query = func(Query) (*stanza.Element, error) { return nil, stanza.NotAllowed("Join on the network.") }
	for _, xml := range []string{iq("none/1", "", "get", askRegister), registration("member/1", "x")} {
		if got := q.outcome(xml); got != "not-allowed" {
			t.Error(got)
		}
	}
}

func approval(from string, fields ...string) string {
	f := form.New(form.Submit, rules.NSRegisterForm, "")
	for i := 0; i < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	return "<message from='" + from + "' to='' id='a'>" + f.Element().String() + "</message>"
}

func TestApproveRegistration(t *testing.T) { // XEP-0045 §9.9
	t.Parallel()
	p := withEachAffiliation(t, kept)
	p.config.Registration, p.config.MembersOnly = rules.RegistrationApproved, true
	p.in(registration("new/1", "dwarf", "muc#register_first", "Brunhilde", "unknown", "x")).want(
		"<message to='owner2' from='room'><x xmlns='jabber:x:data' type='form'>…", "<message to='owner'…", "<message to='admin'…",
		"<iq to='new/1' from='room' id='q' type='result'/>")
	if p.lists.Of(person("new")) != rules.AffNone {
		t.Error("nobody has approved it")
	}
	for name, c := range map[string][2]string{
		"asks twice":                        {registration("new/1", "gnome"), "resource-constraint"},
		"a nick that another has asked for": {registration("new2/1", "dwarf"), "conflict"},
	} {
		if got := p.outcome(c[0]); got != c[1] {
			t.Errorf("%s: %s", name, got)
		}
	}
	yes := []string{"muc#jid", "new@example.org", "muc#register_roomnick", "dwarf", "muc#register_allow", "1"}
	for _, who := range []string{"member/1", "new/1", "stranger/1"} {
		p.sent = nil
		if p.in(approval(who, yes...)); p.sent[0].Err().Condition != "forbidden" || p.lists.Of(person("new")) != rules.AffNone {
			t.Errorf("%s: %s", who, p.take())
		}
	}
	p.sent = nil
	p.in(approval("admin/1", yes...)).want("<message to='new' from='room'><x><invite from='/admin'/></x></message>") // §9.5
	if p.lists.Entry(person("new")) != (affiliations.Entry{Affiliation: rules.AffMember, Nick: "dwarf"}) || len(p.requests) != 0 {
		t.Errorf("%v %v", p.lists, p.requests)
	}
	p.in(approval("admin/1", yes...)).want() // decided already
	// A refusal, by an owner who is not in the room and whose client knows the nick only.
	p.in(registration("new2/1", "elf")).take()
	p.in(approval("owner2/9", "muc#register_roomnick", "elf", "muc#register_allow", "0")).want()
	if p.lists.Of(person("new2")) != rules.AffNone || len(p.requests) != 0 {
		t.Errorf("%v %v", p.lists, p.requests)
	}
	p.in(approval("owner2/9", "muc#register_roomnick", "nobody", "muc#register_allow", "1"))
	if got := p.condition(); got != "cancel item-not-found" {
		t.Error(got)
	}
	p.in(approval("owner2/9", "muc#jid", "outcast@example.org", "muc#register_roomnick", "x", "muc#register_allow", "1")).want() // a ban is not lifted by it
	if p.lists.Of(person("outcast")) != rules.AffOutcast {
		t.Error("a banned person was approved")
	}
	// What waits moves with the room to another process.
	p.in(registration("new2/1", "elf")).take()
	q := newFixture(t, kept)
	if err := q.Restore(p.State()); err != nil || q.requests[person("new2")] != "elf" {
		t.Errorf("%v, %v", err, q.requests)
	}
	for i := range 2 * maxRequests {
		p.in(registration(fmt.Sprintf("u%d/1", i), fmt.Sprint("nick ", i)))
	}
	if len(p.requests) > maxRequests {
		t.Errorf("%d requests are kept", len(p.requests))
	}
}

// The form names all admins and owners (XEP-0045 §10.2).
func TestConfigureAdminsAndOwners(t *testing.T) {
	t.Parallel()
	p := withEachAffiliation(t, kept)
	var saved []Change
	p.saver = func(_ context.Context, c Change) error { saved = append(saved, c); return nil }
	set := func(pairs ...string) string { return p.outcome(configure("owner/1", pairs...)) }
	for name, c := range map[string][]string{
		"conflict":       {rules.FieldOwners, ""},
		"not-acceptable": {rules.FieldOwners, "owner@example.org", rules.FieldAdmins, "owner@example.org|admin@example.org"},
	} {
		before := fmt.Sprintf("%+v", p.State())
		if got := set(c...); got != name || fmt.Sprintf("%+v", p.State()) != before || len(saved) > 0 {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := set(rules.FieldAdmins, "member@example.org|new@example.org/phone", rules.FieldOwners, "owner@example.org", rules.FieldName, "Cave"); got != "ok" {
		t.Fatal(got)
	}
	p.wantHas("<presence to='none/1' from='/admin'><x><item affiliation='member' role='participant'><actor nick='owner'/></item></x></presence>",
		"<presence to='none/1' from='/member'><x><item affiliation='admin' role='moderator'><actor nick='owner'/></item></x></presence>",
		"<status code='104'/>", "<message to='new' from='room'><x><status code='101'/></x></message>")
	if len(saved) != 1 || len(saved[0].Lists) != 4 || saved[0].Config == nil {
		t.Errorf("%+v", saved)
	}
	for who, want := range map[string]rules.Affiliation{"owner": rules.AffOwner, "owner2": rules.AffMember, "admin": rules.AffMember, "member": rules.AffAdmin, "new": rules.AffAdmin, "outcast": rules.AffOutcast} {
		if got := p.lists.Of(person(who)); got != want {
			t.Errorf("%s is %s", who, got)
		}
	}
	// An owner who is not named any longer becomes an admin, where the form does not name the admins.
	set(rules.FieldOwners, "owner@example.org|new@example.org")
	set(rules.FieldOwners, "owner@example.org")
	if got := p.lists.Of(person("new")); got != rules.AffAdmin {
		t.Error(got)
	}
	// The Owner of a gateway's room may refuse one of the changes: then none takes effect.
	before := fmt.Sprintf("%+v", p.State())
	p.owner.allow = func(a Action) error {
		if a.Kind == ActionAffiliation {
			return stanza.NotAllowed("x")
		}
		return nil
	}
	if got := set(rules.FieldOwners, "owner@example.org|admin@example.org", rules.FieldName, "Other"); got != "not-allowed" || fmt.Sprintf("%+v", p.State()) != before {
		t.Error(got)
	}
}

// The room gives no status code for a change that is none, and one code only for a change of privacy (XEP-0045 §10.2.1).
func TestConfigurationCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set  []string
		want string
	}{
		{[]string{rules.FieldWhoIs, "anyone"}, "172"}, {[]string{rules.FieldWhoIs, "moderators"}, ""},
		{[]string{rules.FieldLogging, "1"}, "170"}, {[]string{rules.FieldModerated, "1"}, ""},
		{[]string{rules.FieldModerated, "0"}, "104"}, {[]string{rules.FieldName, "x"}, "104"},
		{[]string{rules.FieldSlowMode, "5"}, "104"}, {[]string{rules.FieldLogging, "1", rules.FieldName, "x"}, "170 104"},
	} {
		p := withEachAffiliation(t)
		if got := p.outcome(configure("owner/1", c.set...)); got != "ok" {
			t.Errorf("%v: %s", c, got)
		}
		var codes []string
		for _, s := range p.sent {
			if s.Kind == stanza.Message && s.To == person("none/1") {
				for e := range s.Child(muc.NSUser, "x").Named(muc.NSUser, "status") {
					codes = append(codes, e.Attr("code"))
				}
			}
		}
		if got := strings.Join(codes, " "); got != c.want {
			t.Errorf("%v: %q", c, got)
		}
	}
}

func TestMemberListRoles(t *testing.T) { // muc#roomconfig_getmemberlist
	t.Parallel()
	p := withEachAffiliation(t)
	p.config.WhoIs, p.config.MembersOnly = rules.WhoIsAnyone, true
	ask := iq("%/1", "", "get", "<query xmlns='"+muc.NSAdmin+"'><item affiliation='member'/></query>")
	try := func(who string) string { return p.outcome(strings.Replace(ask, "%", who, 1)) }
	if got := try("member"); got != "ok" {
		t.Error(got)
	}
	if got := p.outcome(configure("owner/1", rules.FieldMemberList, "moderator")); got != "ok" {
		t.Fatal(got)
	}
	for who, want := range map[string]string{"member": "forbidden", "none": "forbidden", "admin": "ok"} {
		if got := try(who); got != want {
			t.Errorf("%s: %s", who, got)
		}
	}
	p.config.MemberList = []rules.Role{rules.RoleParticipant}
	for who, want := range map[string]string{"member": "ok", "none": "forbidden", "stranger": "forbidden"} {
		if got := try(who); got != want {
			t.Errorf("%s: %s", who, got)
		}
	}
}
