package room

import (
	"reflect"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func configure(who string, pairs ...string) string {
	f := form.New(form.Submit, rules.NSRoomConfig, "")
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], strings.Split(pairs[i+1], "|")...)
	}
	return "<iq from='" + who + "' to='' id='c' type='set'><query xmlns='" + muc.NSOwner + "'>" + f.Element().String() + "</query></iq>"
}

func TestConfigForm(t *testing.T) { // XEP-0045 §10.2
	t.Parallel()
	p := withEachAffiliation(t)
	get := "<iq from='owner/1' to='' id='c' type='get'><query xmlns='" + muc.NSOwner + "'/></iq>"
	p.in(get)
	f, err := form.Parse(p.sent[0].FirstChild().Child(form.NS, "x"))
	if err != nil || f.FormType() != rules.NSRoomConfig || !f.IsTrue(rules.FieldModerated) || f.Get(rules.FieldWhoIs) != "moderators" || f.Get(rules.FieldHistory) != "20" || len(f.Values(rules.FieldAdmins)) != 1 || len(f.Values(rules.FieldOwners)) != 2 || len(f.Values(rules.FieldBroadcast)) != 3 {
		t.Errorf("%s, %v", p.take(), err)
	}
	p.take()
	// A form that is submitted unchanged changes nothing.
	same := &form.Form{Kind: form.Submit, Fields: f.Fields}
	before := p.Snapshot()
	if got := p.outcome("<iq from='owner/1' to='' id='c' type='set'><query xmlns='" + muc.NSOwner + "'>" + same.Element().String() + "</query></iq>"); got != "ok" {
		t.Error(got)
	}
	if after := p.Snapshot(); !reflect.DeepEqual(before, after) {
		t.Errorf("%+v\n%+v", before, after)
	}
	for _, who := range []string{"admin/1", "member/1", "stranger/1"} {
		if got := p.outcome(strings.Replace(get, "owner/1", who, 1)); got != "forbidden" {
			t.Errorf("%s: %s", who, got)
		}
		if got := p.outcome(configure(who, rules.FieldName, "x")); got != "forbidden" {
			t.Errorf("%s: %s", who, got)
		}
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	p := withEachAffiliation(t)
	all := []string{
		rules.FieldName, "Cave", rules.FieldDesc, "Dark", rules.FieldLang, "en", rules.FieldPublic, "1", rules.FieldPersistent, "true", rules.FieldMembersOnly, "0",
		rules.FieldModerated, "0", rules.FieldProtected, "1", rules.FieldSecret, "pw", rules.FieldWhoIs, "anyone", rules.FieldPM, "participants", rules.FieldInvites, "1",
		rules.FieldSubject, "1", rules.FieldLogging, "1", rules.FieldMaxUsers, "30", rules.FieldHistory, "0", rules.FieldBroadcast, "moderator|participant",
	}
	if got := p.outcome(configure("owner/1", all...)); got != "ok" {
		t.Fatal(got)
	}
	want := rules.Config{
		Listed: true, Persistent: true, Password: "pw", WhoIs: rules.WhoIsAnyone, Private: rules.PrivateByParticipants, MembersMayInvite: true,
		OccupantsMaySubject: true, Logged: true, MaxUsers: 30, History: -1, Broadcast: []rules.Role{rules.RoleModerator, rules.RoleParticipant},
	}
	if !reflect.DeepEqual(p.Config(), want) || p.Info().Name != "Cave" || p.Info().Description != "Dark" || p.Info().Lang != "en" {
		t.Errorf("%+v %+v", p.Config(), p.Info())
	}
	p.wantHas("<message to='none/1' from='room' type='groupchat'><x><status code='170'/><status code='172'/><status code='104'/></x></message>") // §10.2.1
	p.outcome(configure("owner/1", rules.FieldWhoIs, "moderators", rules.FieldLogging, "0", rules.FieldProtected, "0", rules.FieldBroadcast, "moderator|participant|visitor"))
	p.wantHas("<status code='171'/><status code='173'/><status code='104'/>")
	if c := p.Config(); c.Password != "" || c.Broadcast != nil || !c.Listed { // XEP-0004 §3.5: the rest stays
		t.Errorf("%+v", c)
	}
	for name, c := range map[string][]string{
		"protected without a password": {rules.FieldProtected, "1"}, // §10.1.3
		"whois":                        {rules.FieldWhoIs, "nobody"},
		"a number that is none":        {rules.FieldMaxUsers, "many"},
		"too many":                     {rules.FieldMaxUsers, "1000000"},
		"negative":                     {rules.FieldHistory, "-1"},
		"a flag that is none":          {rules.FieldPublic, "perhaps"},
		"a role that is none":          {rules.FieldBroadcast, "king"},
	} {
		before := p.Config()
		if got := p.outcome(configure("owner/1", c...)); got != "not-acceptable" || !reflect.DeepEqual(before, p.Config()) {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, xml := range map[string]string{
		"no form":     "",
		"another":     form.New(form.Submit, "other", "").Element().String(),
		"not filled":  form.New(form.Ask, rules.NSRoomConfig, "").Element().String(),
		"no such one": "<x xmlns='jabber:x:data' type='odd'/>",
	} {
		if got := p.outcome("<iq from='owner/1' to='' id='c' type='set'><query xmlns='" + muc.NSOwner + "'>" + xml + "</query></iq>"); got != "bad-request" {
			t.Errorf("%s: %s", name, got)
		}
	}
	p.owner.allow = func(a Action) error {
		if a.Kind != ActionConfigure || a.Info.Name != "Other" || a.By.Nick != "owner" {
			t.Errorf("%+v", a)
		}
		return stanza.NotAllowed("x")
	}
	if got := p.outcome(configure("owner/1", rules.FieldName, "Other")); got != "not-allowed" || p.Info().Name != "Cave" {
		t.Error(got)
	}
}

func TestSetInfo(t *testing.T) {
	t.Parallel()
	p := newFixture(t).join("ann/1")
	info := rules.Info{Name: "Cave", AvatarHash: "abc"}
	p.SetInfo(p.ctx, info)
	p.want("<message to='ann/1' from='room' type='groupchat'><x><status code='104'/></x></message>",
		"<presence to='ann/1' from='room'><x xmlns='vcard-temp:x:update'><photo>abc</photo></x></presence>")
	p.SetInfo(p.ctx, info)
	p.want()
	p.in(enter("bob/1", "bob")).want("<presence to='ann/1'…", "<presence to='bob/1' from='/ann'…", "<presence to='bob/1' from='room'…", "<presence to='bob/1' from='/bob'…", "<message…")
}

func TestReservedRoom(t *testing.T) { // XEP-0045 §10.1: made, locked, then configured or given up
	t.Parallel()
	locked := func() *fixture {
		p := newFixture(t, func(o *Options) {
			o.Config.Locked = true
			o.Snapshot = &Snapshot{Config: o.Config, Affiliations: map[jid.JID]affiliations.Entry{person("ann"): {Affiliation: rules.AffOwner}}}
		})
		p.in(enter("ann/1", "ann")).wantHas("<status code='201'/>")
		p.in(enter("bob/1", "bob"))
		if got := p.condition(); got != "cancel item-not-found" {
			t.Error(got)
		}
		return p
	}
	p := locked()
	if got := p.outcome(configure("ann/1")); got != "ok" || p.Config().Locked { // §10.1.2 instant room
		t.Error(got)
	}
	p.join("bob/1")
	for _, spoken := range []string{"<message from='ann/1' to='' id='m1' type='groupchat'><body>Hail</body></message>", invite("ann/1", "<invite to='joe@example.org'/>")} {
		p = locked() // what its owner says accepts the defaults
		p.in(strings.ReplaceAll(spoken, "ann/1", "bob/1"))
		if got := p.condition(); got != "cancel item-not-found" || !p.Config().Locked {
			t.Error(got)
		}
		if p.in(spoken); p.Config().Locked {
			t.Errorf("still locked: %s", spoken)
		}
		p.join("bob/1")
	}
	p = locked()
	p.in("<iq from='ann/1' to='' id='c' type='set'><query xmlns='" + muc.NSOwner + "'><x xmlns='jabber:x:data' type='cancel'/></query></iq>")
	p.want("<presence to='ann/1' from='/ann' type='unavailable'><x><item affiliation='owner' role='none' jid='ann/1'/><destroy/><status code='110'/></x></presence>", "<iq to='ann/1'…")
	if e := p.owner.events[len(p.owner.events)-1]; e.Kind != Destroyed {
		t.Errorf("%+v", e)
	}
}

func TestDestroy(t *testing.T) { // XEP-0045 §10.9
	t.Parallel()
	p := withEachAffiliation(t)
	destroy := "<iq from='%' to='' id='d' type='set'><query xmlns='" + muc.NSOwner + "'><destroy jid='new@chat.example'><reason>Macbeth doth come.</reason></destroy></query></iq>"
	for who, want := range map[string]string{"admin/1": "forbidden", "stranger/1": "forbidden"} {
		if got := p.outcome(strings.Replace(destroy, "%", who, 1)); got != want {
			t.Errorf("%s: %s", who, got)
		}
	}
	p.sent = nil
	p.in(strings.Replace(destroy, "%", "owner/1", 1)).want(
		"<presence to='owner/1' from='/owner' type='unavailable'><x><item affiliation='owner' role='none' jid='owner/1'/><destroy jid='new@chat.example'><reason>Macbeth doth come.</reason></destroy><status code='110'/></x></presence>",
		"<presence to='admin/1' from='/admin' type='unavailable'…", "<presence to='member/1' from='/member'…", "<presence to='none/1' from='/none'…", "<iq to='owner/1'…")
	p.in(enter("new/1", "n"))
	if got := p.condition(); got != "cancel gone" {
		t.Error(got)
	}
	p.in("<presence from='none/1' to='/none' type='unavailable'/>").want()
	if _, err := p.SetPuppet(p.ctx, occupants.Puppet{ID: "u", Nick: "x"}); err == nil {
		t.Error("a session entered a destroyed room")
	}
}
