package room

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const x = "<x xmlns='" + muc.NS + "'/>"

// enter returns a presence that requests to enter.
func enter(from, nick string) string {
	return "<presence from='" + from + "' to='/" + nick + "'>" + x + "</presence>"
}

func TestEnter(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	p.in("<presence from='ann/1' to='/ann' id='a'>"+x+"</presence>").want( // XEP-0045 §7.2.2
		"<presence to='ann/1' from='/ann' id='a'><x><item affiliation='none' role='participant' jid='ann/1'/><status code='110'/></x></presence>",
		"<message to='ann/1' from='room' type='groupchat'><subject/></message>", // §7.2.15
	)
	p.in("<presence from='bob/1' to='/bob' id='b'><show>away</show><priority>3</priority>"+x+"</presence>").want(
		"<presence to='ann/1' from='/bob'><show>away</show><priority>3</priority><x><item affiliation='none' role='participant'/></x></presence>",
		"<presence to='bob/1' from='/ann'><x><item affiliation='none' role='participant'/></x></presence>",
		"<presence to='bob/1' from='/bob' id='b'><show>away</show><priority>3</priority><x><item affiliation='none' role='participant' jid='bob/1'/><status code='110'/></x></presence>",
		"<message to='bob/1' from='room' type='groupchat'><subject/></message>",
	)
	if len(p.owner.events) != 2 || p.owner.events[1].Kind != Entered || p.owner.events[1].Occupant.Show != "away" {
		t.Errorf("events %+v", p.owner.events)
	}
}

// condition returns the error of the only stanza that was sent.
func (p *fixture) condition() string {
	p.Helper()
	if len(p.sent) != 1 || p.sent[0].Type != stanza.TypeError {
		p.Errorf("no error: %s", p.take())
		return ""
	}
	e := p.sent[0].Err()
	p.sent = nil
	return e.Type + " " + e.Condition
}

func TestEnterRefused(t *testing.T) { // XEP-0045 §7.2.1 to §7.2.10, §17.1
	t.Parallel()
	lists := map[jid.JID]affiliations.Entry{
		jid.MustParse("eve@example.org"):   {Affiliation: rules.AffOutcast},
		jid.MustParse("joe@example.org"):   {Affiliation: rules.AffMember, Nick: "joey"},
		jid.MustParse("chief@example.org"): {Affiliation: rules.AffOwner},
	}
	for _, c := range []struct {
		name    string
		config  rules.Config
		from    string
		to      string
		inner   string
		grant   Grant
		refusal error
		want    string // "" is entered
	}{
		{name: "§7.2.1 no nick", from: "bob/1", to: "", want: "modify jid-malformed"},
		{name: "§17.1 invisible nick", from: "bob/1", to: "/   ", want: "modify jid-malformed"},
		{name: "endless nick", from: "bob/1", to: "/" + strings.Repeat("n", 300), want: "modify not-acceptable"},
		{name: "§7.2.5 no password", config: rules.Config{Password: "pw"}, from: "bob/1", to: "/b", want: "auth not-authorized"},
		{name: "§7.2.5 wrong password", config: rules.Config{Password: "pw"}, from: "bob/1", to: "/b", inner: "<password>pww</password>", want: "auth not-authorized"},
		{name: "§7.2.5 password", config: rules.Config{Password: "pw"}, from: "bob/1", to: "/b", inner: "<password>pw</password>"},
		{name: "§7.2.6 members only", config: rules.Config{MembersOnly: true}, from: "bob/1", to: "/b", want: "auth registration-required"},
		{name: "§7.2.6 member", config: rules.Config{MembersOnly: true}, from: "joe/1", to: "/joey"},
		{name: "member by grant", config: rules.Config{MembersOnly: true}, from: "bob/1", to: "/b", grant: Grant{Affiliation: rules.AffMember}},
		{name: "§7.2.7 banned", from: "eve/1", to: "/e", want: "auth forbidden"},
		{name: "banned by grant", from: "bob/1", to: "/b", grant: Grant{Affiliation: rules.AffOutcast}, want: "auth forbidden"},
		{name: "§7.2.8 nick taken", from: "bob/1", to: "/ann", want: "cancel conflict"},
		{name: "§7.2.8 nick taken, in full-width letters", from: "bob/1", to: "/ａｎｎ", want: "cancel conflict"},
		{name: "§7.2.8 nick taken, with a Cyrillic letter", from: "bob/1", to: "/аnn", want: "cancel conflict"},
		{name: "§7.2.8 nick reserved, with a Cyrillic letter", from: "bob/1", to: "/јoey", want: "cancel conflict"},
		{name: "§7.2.8 nick reserved", from: "bob/1", to: "/joey", want: "cancel conflict"},
		{name: "own reserved nick", from: "joe/1", to: "/joey"},
		{name: "§7.2.9 full", config: rules.Config{MaxUsers: 1}, from: "bob/1", to: "/b", want: "wait service-unavailable"},
		{name: "§7.2.9 full, but an owner", config: rules.Config{MaxUsers: 1}, from: "chief/1", to: "/c"},
		{name: "§7.2.10 locked", config: rules.Config{Locked: true}, from: "bob/1", to: "/b", want: "cancel item-not-found"},
		{name: "the owner of the room says no", from: "bob/1", to: "/b", refusal: stanza.RegistrationRequired("x"), want: "auth registration-required"},
		{name: "Owner.Enter fails", from: "bob/1", to: "/b", refusal: fmt.Errorf("disk"), want: "cancel internal-server-error"},
	} {
		p := newFixture(t, func(o *Options) { o.Snapshot = &Snapshot{Affiliations: lists} })
		p.join("ann/1")
		p.config = c.config
		p.owner.enter = func(EnterRequest) (Grant, error) { return c.grant, c.refusal }
		p.in("<presence from='" + c.from + "' to='" + c.to + "'><x xmlns='" + muc.NS + "'>" + c.inner + "</x></presence>")
		if _, in := p.BySession(person(c.from)); in != (c.want == "") {
			t.Errorf("%s: in the room: %v", c.name, in)
		} else if !in {
			if got := p.condition(); got != c.want {
				t.Errorf("%s: %s", c.name, got)
			}
		}
	}
}

func TestEnterRequest(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	p.owner.enter = func(r EnterRequest) (Grant, error) {
		if r.Session != person("ann/1") || r.Nick != "ann" || r.Password != "pw" || r.Affiliation != rules.AffNone || r.Presence == nil {
			t.Errorf("%+v", r)
		}
		return Grant{Nick: "Ann <Smith>\u202e  of\x07 Slack ", Affiliation: rules.AffOwner, OccupantID: "u1"}, nil
	}
	p.in("<presence from='ann/1' to='/ann'><x xmlns='"+muc.NS+"'><password>pw</password></x></presence>").want( // §7.2.2: 210
		"<presence to='ann/1' from='/Ann &lt;Smith&gt; of Slack'><x><item affiliation='owner' role='moderator' jid='ann/1'/><status code='110'/><status code='210'/></x></presence>",
		"<message to='ann/1'…",
	)
	if o, ok := p.Occupant("u1"); !ok || o.Affiliation != rules.AffOwner || o.Puppet || len(o.Sessions) != 1 {
		t.Errorf("%+v", o)
	}
	// Presence to the nick that the client asked for changes its presence, not its nick, if it was given another one.
	p.in("<presence from='ann/1' to='/ann'><show>dnd</show></presence>").want(
		"<presence to='ann/1' from='/Ann &lt;Smith&gt; of Slack'><show>dnd</show><x><item affiliation='owner' role='moderator' jid='ann/1'/><status code='110'/></x></presence>")
}

func TestEnterCodes(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]rules.Config{
		"<status code='100'/><status code='110'/>": {WhoIs: rules.WhoIsAnyone}, // XEP-0045 §7.2.3
		"<status code='110'/><status code='170'/>": {Logged: true},             // §7.2.12
		"<status code='110'/><status code='201'/>": {Locked: true},             // §10.1.1
	} {
		p := newFixture(t, func(o *Options) { o.Config = c })
		p.owner.enter = func(EnterRequest) (Grant, error) { return Grant{Affiliation: rules.AffOwner}, nil }
		p.in(enter("ann/1", "ann")).wantHas(want + "</x>")
	}
}

func TestJIDsShown(t *testing.T) { // XEP-0045 §7.2.3, §7.2.4
	t.Parallel()
	p := newFixture(t)
	p.owner.enter = func(r EnterRequest) (Grant, error) {
		if r.Session.Local() == "chief" {
			return Grant{Affiliation: rules.AffAdmin}, nil
		}
		return Grant{}, nil
	}
	p.join("chief/1", "ann/1")
	p.in(enter("bob/1", "bob")).want(
		"<presence to='chief/1' from='/bob'><x><item affiliation='none' role='participant' jid='bob/1'/></x></presence>",
		"<presence to='ann/1' from='/bob'><x><item affiliation='none' role='participant'/></x></presence>",
		"<presence to='bob/1' from='/chief'><x><item affiliation='admin' role='moderator'/></x></presence>",
		"<presence to='bob/1' from='/ann'><x><item affiliation='none' role='participant'/></x></presence>",
		"<presence to='bob/1' from='/bob'…", "<message…",
	)
	p.config.WhoIs = rules.WhoIsAnyone
	p.in(enter("eve/1", "eve"))
	for _, s := range p.sent {
		if s.Kind == stanza.Presence && s.Child(muc.NSUser, "x").Child(muc.NSUser, "item").Attr("jid") == "" {
			t.Errorf("no address in %s", s)
		}
	}
}

func TestResync(t *testing.T) { // XEP-0045 §7.2.1, §17.3
	t.Parallel()
	p := newFixture(t).join("ann/1", "bob/1")
	p.in(enter("bob/1", "bob")).want("<presence to='bob/1' from='/ann'…", "<presence to='bob/1' from='/bob'…", "<message to='bob/1'…")
	p.in("<presence from='bob/1' to='/bob'><show>xa</show>"+x+"</presence>").want(
		"<presence to='ann/1' from='/bob'><show>xa</show>…", "<presence to='bob/1' from='/ann'…", "<presence to='bob/1' from='/bob'><show>xa</show>…", "<message to='bob/1'…")
	p.in(enter("bob/1", "ann"))
	if got := p.condition(); got != "cancel conflict" {
		t.Error(got)
	}
	if p.Sessions() != 2 {
		t.Errorf("%d sessions", p.Sessions())
	}
}

func TestNotHere(t *testing.T) { // XEP-0045 §7.2.18: presence without x comes from a client that is no longer in the room
	t.Parallel()
	p := newFixture(t)
	p.in("<presence from='ann/1' to='/ann' id='7'><show>away</show></presence>").want(
		"<presence to='ann/1' from='/ann' id='7' type='unavailable'><x><item affiliation='none' role='none'><reason>You are not in the room.</reason></item><status code='110'/><status code='307'/><status code='333'/></x></presence>")
	p.in("<presence from='ann/1' to='' id='7'/>").want()
	for _, typ := range []string{"unavailable", "probe", "subscribe", "unsubscribed", "error"} { // §17.3: neither enters nor is answered
		p.in("<presence from='ann/1' to='/ann' type='" + typ + "'>" + x + "</presence>").want()
	}
	if p.Sessions() != 0 {
		t.Error("a session is in the room")
	}
}

func TestSeveralSessionsOneNick(t *testing.T) { // XEP-0045 §7.2.8
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Limits.PerOccupant = 3 }).join("ann/1", "bob/1")
	p.in(enter("ann/2", "ann")).want( // nothing is new to others
		"<presence to='ann/2' from='/bob'…",
		"<presence to='ann/2' from='/ann'><x><item affiliation='none' role='participant' jid='ann/2'/><status code='110'/></x></presence>",
		"<message to='ann/2'…",
	)
	p.in(enter("ann/3", "other")).wantHas("<status code='210'/>") // one person, one nick
	p.in(enter("ann/4", "ann"))
	if got := p.condition(); got != "wait resource-constraint" {
		t.Error(got)
	}
	p.in("<message from='bob/1' to='' id='m' type='groupchat'><body>hi</body></message>").want(
		"<message to='ann/1' from='/bob' id='m' type='groupchat'><body>hi</body></message>", "<message to='bob/1'…", "<message to='ann/2'…", "<message to='ann/3'…")
	p.in("<message from='ann/3' to='' id='m' type='groupchat'><body>hi</body></message>")
	if p.sent[0].From.Resource() != "ann" {
		t.Error(p.take())
	}
	p.take()
	p.in("<message from='bob/1' to='/ann' id='m' type='chat'><body>psst</body></message>").want( // to all resources
		"<message to='ann/1' from='/bob' id='m' type='chat'><body>psst</body><x/></message>", "<message to='ann/2'…", "<message to='ann/3'…")

	// Others see the presence of the most available session, and after it has left that of the next one.
	p.in("<presence from='ann/1' to='/ann'><show>away</show></presence>").take()
	p.in("<presence from='ann/2' to='/ann'><show>xa</show></presence>").take()
	p.in("<presence from='ann/3' to='/ann' type='unavailable'/>").want(
		"<presence to='ann/3' from='/ann' type='unavailable'><x><item affiliation='none' role='none' jid='ann/3'/><status code='110'/></x></presence>",
		"<presence to='bob/1' from='/ann'><show>away</show><x><item affiliation='none' role='participant'/></x></presence>",
		"<presence to='ann/1' from='/ann'><show>away</show>…", "<presence to='ann/2' from='/ann'><show>away</show>…",
	)
	p.in("<presence from='ann/2' to='/ann' type='unavailable'/>").want("<presence to='ann/2' from='/ann' type='unavailable'…")
	p.in("<presence from='ann/1' to='/ann' type='unavailable'><status>bye</status></presence>").want(
		"<presence to='ann/1' from='/ann' type='unavailable'><status>bye</status><x><item affiliation='none' role='none' jid='ann/1'/><status code='110'/></x></presence>",
		"<presence to='bob/1' from='/ann' type='unavailable'><status>bye</status><x><item affiliation='none' role='none'/></x></presence>")
}

func TestSecondClientKeepsRole(t *testing.T) {
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Config.Moderated = true }).join("ann/1")
	id := p.occupants.BySession(person("ann/1")).Occupant.ID
	p.SetRole(p.ctx, id, rules.RoleParticipant, "")
	p.join("ann/2")
	if o, _ := p.Occupant(id); o.Role != rules.RoleParticipant {
		t.Errorf("a second client made a %s of the participant", o.Role)
	}
}

func TestSessionLimits(t *testing.T) {
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Limits = rules.Limits{Sessions: 2, Reserve: 1} }).join("a/1", "b/1")
	p.in(enter("c/1", "c"))
	if got := p.condition(); got != "wait service-unavailable" {
		t.Error(got)
	}
	p.join("a/2")
	p.in(enter("b/2", "b")) // the limit also holds for an account that is in the room
	if got := p.condition(); got != "wait service-unavailable" {
		t.Error(got)
	}
}

func TestStableOccupantIDs(t *testing.T) { // XEP-0421 §4.1
	t.Parallel()
	id := func(user, room, secret string) string {
		p := newFixture(t, func(o *Options) { o.Secret, o.JID = []byte(secret), jid.MustParse(room) })
		return p.occupantID(jid.MustParse(user))
	}
	one := id("ann@example.org", "a@chat.example", "s")
	if one != id("ann@example.org", "a@chat.example", "s") || len(one) > occupants.MaxID {
		t.Error("not stable")
	}
	for _, other := range []string{id("bob@example.org", "a@chat.example", "s"), id("ann@example.org", "b@chat.example", "s"), id("ann@example.org", "a@chat.example", "t")} {
		if other == one {
			t.Error("another JID, room or secret has the same id")
		}
	}
}
