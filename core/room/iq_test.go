package room

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func iq(from, to, typ, payload string) string {
	return "<iq from='" + from + "' to='" + to + "' id='q' type='" + typ + "'>" + payload + "</iq>"
}

const ping = "<ping xmlns='urn:xmpp:ping'/>"

func TestSelfPing(t *testing.T) { // XEP-0410 §3.2, §3.3
	t.Parallel()
	p := newFixture(t).join("ann/1", "bob/1").puppet(occupants.Puppet{ID: "u1", Nick: "Zoe"})
	for _, c := range [][3]string{
		{"ann/1", "/ann", "ok"}, {"ann/1", "", "ok"}, {"ann/1", "/Zoe", "ok"},
		{"ann/2", "/ann", "not-acceptable"}, // another client of the same account that is not in
		{"eve/1", "/eve", "not-acceptable"},
		{"ann/1", "/nobody", "not-acceptable"},
	} {
		if got := p.outcome(iq(c[0], c[1], "get", ping)); got != c[2] {
			t.Errorf("%v: %s", c, got)
		}
	}
	p.sent = nil
	p.in(iq("ann/1", "/ann", "get", ping)).want("<iq to='ann/1' from='/ann' id='q' type='result'/>")
	p.owner.enter = func(EnterRequest) (Grant, error) { return Grant{Nick: "Joe Smith"}, nil }
	p.join2("joe/1", "joe")
	if got := p.outcome(iq("joe/1", "/joe", "get", ping)); got != "ok" { // by the nick it asked for
		t.Error(got)
	}
}

func TestRelay(t *testing.T) { // XEP-0045 §17.4
	t.Parallel()
	p := newFixture(t).join("ann/1", "bob/1")
	version := "<query xmlns='jabber:iq:version'/>"
	p.in(iq("ann/1", "/bob", "get", version))
	asked := p.sent[0]
	if asked.To != person("bob/1") || asked.From.Resource() != "ann" || asked.ID == "q" || asked.Payload != version {
		t.Fatalf("%s", asked)
	}
	p.sent = nil
	answer := func(from, typ string) *fixture {
		return p.in("<iq from='" + from + "' to='/ann' id='" + asked.ID + "' type='" + typ + "'>" + version + "</iq>")
	}
	answer("eve/1", "result").want() // an answer from another
	answer("bob/1", "result").want("<iq to='ann/1' from='/bob' id='q' type='result'>" + version + "</iq>")
	answer("bob/1", "result").want() // twice

	p.in(iq("ann/1", "/bob", "get", "<vCard xmlns='vcard-temp'/>"))
	if asked = p.sent[0]; asked.To != person("bob") { // the account answers
		t.Fatalf("%s", asked)
	}
	p.sent = nil
	answer("bob", "error").want("<iq to='ann/1' from='/bob' id='q' type='error'…")

	p.in(iq("ann/1", "/bob", "get", version)).take()
	p.in("<presence from='bob/1' to='/bob' type='unavailable'/>").wantHas("<iq to='ann/1' from='/bob' id='q' type='error'><error type='wait'><recipient-unavailable/>")
	if got := p.outcome(iq("ann/1", "/bob", "get", version)); got != "item-not-found" {
		t.Error(got)
	}
	if got := p.outcome(iq("eve/1", "/ann", "get", version)); got != "not-acceptable" {
		t.Error(got)
	}
	if got := p.outcome("<iq from='ann/1' to='' id='q' type='get'/>"); got != "bad-request" {
		t.Error(got)
	}
}

func TestRelayIsBounded(t *testing.T) {
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Limits.PendingQueries = 3 }).join("ann/1", "bob/1")
	ask := iq("ann/1", "/bob", "get", "<query xmlns='jabber:iq:version'/>")
	for range 3 {
		p.in(ask)
	}
	p.sent = nil
	p.in(ask)
	if got := p.condition(); got != "wait resource-constraint" {
		t.Error(got)
	}
	p.clock = p.clock.Add(time.Hour)
	p.in(ask).wantHas("<remote-server-timeout/>", "<iq to='bob/1'")
	if len(p.queries) != 1 {
		t.Errorf("%d relayed IQs are pending", len(p.queries))
	}
}

func TestQueriesForTheOwner(t *testing.T) {
	t.Parallel()
	p := newFixture(t).join("ann/1").puppet(occupants.Puppet{ID: "u1", Nick: "Zoe"})
	var got Query
	p.owner.query = func(q Query) (*stanza.Element, error) {
		got = q
		return stanza.NewElement(muc.NSVCard, "vCard"), nil
	}
	p.in(iq("ann/1", "/Zoe", "get", "<vCard xmlns='vcard-temp'/>")).want("<iq to='ann/1' from='/Zoe' id='q' type='result'><vCard xmlns='vcard-temp'/></iq>")
	if got.To.ID != "u1" || got.From.Nick != "ann" {
		t.Errorf("%+v", got)
	}
	p.in(iq("eve/1", "", "get", "<vCard xmlns='vcard-temp'/>")).want("<iq to='eve/1' from='room' id='q' type='result'><vCard xmlns='vcard-temp'/></iq>")
	if got.To != nil || got.From != nil {
		t.Errorf("%+v", got)
	}
	p.owner.query = func(Query) (*stanza.Element, error) { return nil, ErrHandled }
	p.in(iq("ann/1", "", "set", "<query xmlns='jabber:iq:register'/>")).want()
	p.in(iq("ann/1", "/Zoe", "get", "<vCard xmlns='vcard-temp'/>")).want()
	p.owner.query = nil
	for _, xml := range []string{iq("ann/1", "", "get", "<query xmlns='urn:xmpp:mam:2'/>"), iq("ann/1", "/Zoe", "get", "<time xmlns='urn:xmpp:time'/>")} {
		if got := p.outcome(xml); got != "service-unavailable" {
			t.Error(got)
		}
	}
}

func TestDiscoInfo(t *testing.T) { // XEP-0045 §6.4
	t.Parallel()
	p := newFixture(t, func(o *Options) {
		o.Info = rules.Info{Name: "A Dark Cave", Description: "Witches!", Lang: "en", AvatarHash: "abc", Features: []string{"urn:xmpp:mam:2"},
			Fields: map[string]string{"muc#roominfo_logs": "https://x/"}, Contacts: []jid.JID{person("crone")}}
	}).join("ann/1").puppet(occupants.Puppet{ID: "u1", Nick: "Zoe"})
	p.SetSubject(p.ctx, Subject{Text: "Spells"}, "", "")
	info := func(who, node string) string {
		p.sent = nil
		p.in(iq(who, "", "get", "<query xmlns='"+nsDiscoInfo+"' node='"+node+"'/>"))
		return p.take()
	}
	got := info("eve/1", "")
	for _, want := range []string{
		"<identity category='conference' type='text' name='A Dark Cave'/>", "<feature var='http://jabber.org/protocol/muc'/>",
		"<feature var='http://jabber.org/protocol/muc#stable_id'/>", "<feature var='" + nsSelfPing + "'/>", "<feature var='urn:xmpp:occupant-id:0'/>",
		"<feature var='urn:xmpp:sid:0'/>", "<feature var='urn:xmpp:mam:2'/>", "<feature var='vcard-temp'/>", "muc_hidden", "muc_temporary", "muc_open", "muc_unmoderated", "muc_unsecured", "muc_semianonymous",
		"<field var='muc#roominfo_occupants'><value>2</value></field>", "<field var='muc#roominfo_description'><value>Witches!</value></field>",
		"<field var='muc#roominfo_lang'><value>en</value></field>", "<field var='muc#roominfo_avatarhash'><value>abc</value></field>",
		"<field var='muc#roominfo_contactjid' type='jid-multi'><value>crone</value></field>", "<field var='muc#roominfo_logs'><value>https://x/</value></field>",
		"<field var='muc#roominfo_subjectmod' type='boolean'><value>0</value></field>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(got, "Spells") || !strings.Contains(info("ann/1", ""), "<field var='muc#roominfo_subject'><value>Spells</value></field>") {
		t.Error("the subject of a hidden room is shown to a session that is not in it")
	}
	p.config = rules.Config{Listed: true, Persistent: true, MembersOnly: true, Moderated: true, Password: "x", WhoIs: rules.WhoIsAnyone, OccupantsMaySubject: true}
	got = info("eve/1", "")
	for _, want := range []string{"muc_public", "muc_persistent", "muc_membersonly", "muc_moderated", "muc_passwordprotected", "muc_nonanonymous", "subjectmod' type='boolean'><value>1<"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if got := info("ann/1", NodeNick); !strings.Contains(got, "node='x-roomuser-item'/></iq>") { // §7.12: it has reserved none
		t.Error(got)
	}
	p.SetAffiliation(p.ctx, person("ann"), affiliations.Entry{Affiliation: rules.AffMember, Nick: "annie"})
	if got := info("ann/2", NodeNick); !strings.Contains(got, "<identity category='conference' type='text' name='annie'/>") {
		t.Error(got)
	}
	if got := info("eve/1", NodeNick); !strings.Contains(got, "node='x-roomuser-item'/></iq>") {
		t.Error(got)
	}
	if got := info("ann/1", nodeTraffic); !strings.Contains(got, "<service-unavailable/>") { // §18.1.1
		t.Error(got)
	}
}

func TestDiscoItems(t *testing.T) { // XEP-0045 §6.5
	t.Parallel()
	p := newFixture(t).join("ann/1")
	for i := range 5 {
		p.puppet(occupants.Puppet{ID: fmt.Sprint(i), Nick: fmt.Sprint("Zoe ", i)})
	}
	items := func(who, inner string) string {
		p.in(iq(who, "", "get", "<query xmlns='"+nsDiscoItems+"'>"+inner+"</query>"))
		return p.take()
	}
	if got := items("eve/1", ""); strings.Contains(got, "<item") || !strings.Contains(got, "type='result'") {
		t.Error(got)
	}
	if got := items("ann/1", ""); strings.Count(got, "<item") != 6 || !strings.Contains(got, "<item jid='/Zoe 3' name='Zoe 3'/>") || strings.Contains(got, "<set") {
		t.Error(got)
	}
	if got := items("ann/1", "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><after>1</after></set>"); strings.Count(got, "<item") != 2 || !strings.Contains(got, "<first index='3'>2</first><last>3</last><count>6</count>") {
		t.Error(got)
	}
	if got := items("ann/1", "<set xmlns='http://jabber.org/protocol/rsm'><max>-2</max></set>"); !strings.Contains(got, "<bad-request/>") {
		t.Error(got)
	}
	if got := p.outcome(iq("ann/1", "", "get", "<query xmlns='"+nsDiscoItems+"' node='x'/>")); got != "item-not-found" {
		t.Error(got)
	}
}

func TestModeration(t *testing.T) { // XEP-0425 §3
	t.Parallel()
	p := withEachAffiliation(t)
	p.Broadcast(Post{From: p.occupants.Sessions()[3].Occupant.ID, StanzaID: "bad", Payload: "<body>potions!</body>"})
	ask := func(who, id, inner string) string {
		return iq(who, "", "set", "<moderate xmlns='urn:xmpp:message-moderate:1' id='"+id+"'>"+inner+"</moderate>")
	}
	const retract = "<retract xmlns='urn:xmpp:message-retract:1'/>"
	if got := p.outcome(ask("owner/1", "bad", retract)); got != "service-unavailable" { // not advertised
		t.Error(got)
	}
	p.SetInfo(p.ctx, rules.Info{Features: []string{FeatureModerate}})
	for _, c := range [][4]string{
		{"none/1", "bad", retract, "forbidden"}, {"eve/1", "bad", retract, "forbidden"}, // §3.2
		{"owner/1", "", retract, "bad-request"}, {"owner/1", "bad", "", "feature-not-implemented"},
	} {
		if got := p.outcome(ask(c[0], c[1], c[2])); got != c[3] {
			t.Errorf("%v: %s", c, got)
		}
	}
	p.sent = nil
	p.in(ask("owner/1", "bad", retract+"<reason>Spam</reason>"))
	m := p.sent[0]
	x := m.Child(nsRetract, "retract")
	if m.From != testRoom || x.Attr("id") != "bad" || x.ChildText(nsRetract, "reason") != "Spam" || x.Child(nsModerate, "moderated").Attr("by") != testRoom.String()+"/owner" ||
		x.Child(nsModerate, "moderated").Child(muc.NSOccupantID, "occupant-id").Attr("id") != p.occupants.Sessions()[0].Occupant.ID {
		t.Errorf("%s", m)
	}
	if len(p.sent) != 5 || p.ring.Len() != 1 {
		t.Errorf("%d sent, %d kept", len(p.sent), p.ring.Len())
	}
}
