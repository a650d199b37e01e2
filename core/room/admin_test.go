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

// withEachAffiliation returns a room with one occupant of each affiliation, whose nick is its name.
func withEachAffiliation(t testing.TB, change ...func(*Options)) *fixture {
	lists := map[jid.JID]affiliations.Entry{}
	for _, a := range []rules.Affiliation{rules.AffOwner, rules.AffAdmin, rules.AffMember} {
		lists[person(string(a))] = affiliations.Entry{Affiliation: a}
	}
	lists[person("owner2")] = affiliations.Entry{Affiliation: rules.AffOwner}
	lists[person("outcast")] = affiliations.Entry{Affiliation: rules.AffOutcast, Reason: "spam"}
	p := newFixture(t, append([]func(*Options){func(o *Options) {
		o.Snapshot = &Snapshot{Affiliations: lists, Config: rules.Config{Moderated: true}}
	}}, change...)...)
	return p.join("owner/1", "admin/1", "member/1", "none/1")
}

func item(attrs string) string {
	return "<iq from='%s' to='' id='i' type='set'><query xmlns='" + muc.NSAdmin + "'><item " + attrs + "/></query></iq>"
}

// outcome returns what an IQ to the room gave: "ok" or the condition.
func (p *fixture) outcome(xml string) string {
	p.Helper()
	p.sent = nil
	p.in(xml)
	for _, s := range p.sent {
		if s.Kind == stanza.IQ && s.Type == stanza.TypeResult {
			return "ok"
		}
		if s.Kind == stanza.IQ {
			return s.Err().Condition
		}
	}
	return "nothing"
}

// TestRoleMatrix tries every change of role by each kind of occupant on each (XEP-0045 §5.1.3,
// §8.2 to §8.5, §9.6, §9.7).
func TestRoleMatrix(t *testing.T) {
	t.Parallel()
	people := []struct {
		name string
		aff  rules.Affiliation
		role rules.Role
	}{
		{"owner", rules.AffOwner, rules.RoleModerator}, {"admin", rules.AffAdmin, rules.RoleModerator},
		{"member", rules.AffMember, rules.RoleParticipant}, {"none", rules.AffNone, rules.RoleVisitor},
		{"none-p", rules.AffNone, rules.RoleParticipant}, {"none-m", rules.AffNone, rules.RoleModerator}, {"member-m", rules.AffMember, rules.RoleModerator},
		{"member-v", rules.AffMember, rules.RoleVisitor},
	}
	const all = "owner admin member none none-p none-m member-m member-v"
	for _, c := range []struct {
		to      rules.Role
		actor   string
		allowed string
	}{
		{rules.RoleNone, "owner", all},
		{rules.RoleNone, "admin", "admin member none none-p none-m member-m member-v"},
		{rules.RoleNone, "member-m", "member none none-p member-m member-v"}, // §8.2; moderators need an admin (§5.1.3)
		{rules.RoleNone, "none-m", "none none-p none-m"},                     // itself too
		{rules.RoleNone, "member", ""}, {rules.RoleNone, "none-p", ""}, {rules.RoleNone, "none", ""},

		{rules.RoleVisitor, "owner", "member none none-p none-m member-m member-v"}, // §8.4: never admins and owners
		{rules.RoleVisitor, "admin", "member none none-p none-m member-m member-v"},
		{rules.RoleVisitor, "member-m", "none none-p member-v"}, // §8.4: at or above the moderator's level
		{rules.RoleVisitor, "none-m", "none none-p member-v"},
		{rules.RoleVisitor, "member", ""}, {rules.RoleVisitor, "none", ""},

		{rules.RoleParticipant, "owner", "member none none-p none-m member-m member-v"}, // §9.7
		{rules.RoleParticipant, "admin", "member none none-p none-m member-m member-v"},
		{rules.RoleParticipant, "member-m", "member none none-p member-v"},
		{rules.RoleParticipant, "none-m", "member none none-p member-v"}, // §8.3
		{rules.RoleParticipant, "member", ""},

		{rules.RoleModerator, "owner", all}, {rules.RoleModerator, "admin", all}, // §9.6
		{rules.RoleModerator, "member-m", "owner admin none-m member-m"}, // who are moderators already
		{rules.RoleModerator, "none-m", "owner admin none-m member-m"},
		{rules.RoleModerator, "member", ""}, {rules.RoleModerator, "none", ""},
	} {
		for _, target := range people {
			p := newFixture(t)
			p.owner.enter = func(r EnterRequest) (Grant, error) {
				for _, who := range people {
					if who.name == r.Session.Local() {
						return Grant{Affiliation: who.aff, Role: who.role}, nil
					}
				}
				return Grant{}, nil
			}
			for _, who := range people {
				p.join(who.name + "/1")
			}
			got := p.outcome(fmt.Sprintf(item("nick='"+target.name+"' role='"+string(c.to)+"'"), c.actor+"/1"))
			want := false
			for _, name := range strings.Fields(c.allowed) {
				want = want || name == target.name
			}
			if (got == "ok") != want || !want && got != "forbidden" && got != "not-allowed" {
				t.Errorf("%s makes %s a %s: %s", c.actor, target.name, c.to, got)
			}
			o, in := p.ByNick(target.name)
			switch {
			case want && c.to == rules.RoleNone:
				if in {
					t.Errorf("%s kicks %s, who is still in the room", c.actor, target.name)
				}
			case want && o.Role != c.to, !want && o.Role != target.role:
				t.Errorf("%s makes %s a %s: is %s", c.actor, target.name, c.to, o.Role)
			}
		}
	}
}

// TestAffiliationMatrix tries every change of affiliation by each kind of occupant on each
// (XEP-0045 §5.2.2, §9.1 to §9.5, §10.3 to §10.8).
func TestAffiliationMatrix(t *testing.T) {
	t.Parallel()
	all := []rules.Affiliation{rules.AffOwner, rules.AffAdmin, rules.AffMember, rules.AffNone, rules.AffOutcast}
	for _, by := range []string{"owner", "admin", "member", "none", "stranger"} {
		for _, target := range []string{"owner2", "admin", "member", "none", "outcast", "new", by} {
			for _, to := range all {
				p := withEachAffiliation(t)
				bare := person(target)
				from := p.lists.Of(bare)
				want := "ok"
				switch {
				case by != "owner" && by != "admin":
					want = "forbidden"
				case to == rules.AffOutcast && target == by:
					want = "conflict" // §9.1
				case from == to || by == "owner":
				case from == rules.AffOwner || from == rules.AffAdmin:
					want = "not-allowed" // §5.2.2
				case to == rules.AffOwner || to == rules.AffAdmin:
					want = "forbidden"
				}
				got := p.outcome(fmt.Sprintf(item("jid='"+bare.String()+"' affiliation='"+string(to)+"'"), by+"/1"))
				if got != want {
					t.Errorf("%s makes %s a %s: %s, not %s", by, target, to, got, want)
				}
				now := from
				if want == "ok" {
					now = to
				}
				if p.lists.Of(bare) != now {
					t.Errorf("%s makes %s a %s: is %s on the list", by, target, to, p.lists.Of(bare))
				}
				o, in := p.ByNick(target)
				if in && o.Affiliation != now || in && now == rules.AffOutcast {
					t.Errorf("%s makes %s a %s: is %s in the room", by, target, to, o.Affiliation)
				}
			}
		}
	}
}

func TestLastOwner(t *testing.T) { // XEP-0045 §10.4
	t.Parallel()
	p := withEachAffiliation(t)
	two := "<iq from='owner/1' to='' id='i' type='set'><query xmlns='" + muc.NSAdmin + "'><item jid='owner@example.org' affiliation='member'/>" +
		"<item jid='owner2@example.org' affiliation='none'/></query></iq>"
	if got := p.outcome(two); got != "conflict" || p.lists.Of(person("owner2")) != rules.AffOwner {
		t.Error(got)
	}
	if got := p.outcome(strings.Replace(two, "'none'", "'owner'", 1)); got != "ok" {
		t.Error(got)
	}
	if o, _ := p.ByNick("owner"); o.Affiliation != rules.AffMember || o.Role != rules.RoleParticipant { // §5.1.3
		t.Errorf("%+v", o)
	}
}

func TestKickAndBan(t *testing.T) {
	t.Parallel()
	p := withEachAffiliation(t)
	p.in(`<iq from='owner/1' to='' id='k' type='set'><query xmlns='`+muc.NSAdmin+`'><item nick='none' role='none'><reason>Avaunt!</reason></item></query></iq>`).want( // XEP-0045 §8.2
		"<presence to='none/1' from='/none' type='unavailable'><x><item affiliation='none' role='none' jid='none/1'><actor nick='owner'/><reason>Avaunt!</reason></item><status code='307'/><status code='110'/></x></presence>",
		"<presence to='owner/1' from='/none' type='unavailable'><x><item affiliation='none' role='none' jid='none/1'><actor nick='owner'/><reason>Avaunt!</reason></item><status code='307'/></x></presence>",
		"<presence to='admin/1'…", "<presence to='member/1' from='/none' type='unavailable'><x><item affiliation='none' role='none'><actor nick='owner'/>…",
		"<iq to='owner/1' from='room' id='k' type='result'/>")
	p.in(`<iq from='admin/1' to='' id='b' type='set'><query xmlns='`+muc.NSAdmin+`'><item jid='member@example.org' affiliation='outcast'><reason>Treason</reason></item></query></iq>`).want( // §9.1
		"<presence to='member/1' from='/member' type='unavailable'><x><item affiliation='outcast' role='none' jid='member/1'><actor nick='admin'/><reason>Treason</reason></item><status code='301'/><status code='110'/></x></presence>",
		"<presence to='owner/1'…", "<presence to='admin/1'…", "<iq to='admin/1'…")
	p.in(enter("member/1", "m"))
	if got := p.condition(); got != "auth forbidden" {
		t.Error(got)
	}
	p.join("none/1", "none/2")
	p.in(`<iq from='owner/1' to='' id='d' type='set'><query xmlns='`+muc.NSAdmin+`'><item jid='example.org' affiliation='outcast'/></query></iq>`).want( // §9.2: a domain, but not those on a list
		"<presence to='none/1' from='/none' type='unavailable'…", "<presence to='none/2'…", "<presence to='owner/1'…", "<presence to='admin/1'…", "<iq…")
	p.in(enter("new/1", "n"))
	if got := p.condition(); got != "auth forbidden" {
		t.Error(got)
	}
}

func TestMembersOnlyChanges(t *testing.T) {
	t.Parallel()
	p := withEachAffiliation(t)
	p.SetConfig(p.ctx, rules.Config{MembersOnly: true, Password: "pw"})
	p.wantHas("<status code='104'/>", "<presence to='none/1' from='/none' type='unavailable'><x><item affiliation='none' role='none' jid='none/1'/><status code='322'/><status code='110'/>") // §10.2.1
	set := func(who, aff string) string {
		return p.outcome(fmt.Sprintf(item("jid='"+who+"@example.org' affiliation='"+aff+"'"), "admin/1"))
	}
	if got := set("new", "member"); got != "ok" {
		t.Error(got)
	}
	p.wantHas("<message to='new' from='room'><x><invite from='/admin'/><password>pw</password></x></message>") // §9.5, without the admin's address
	if got := set("member", "none"); got != "ok" {
		t.Error(got)
	}
	p.wantHas("<presence to='member/1' from='/member' type='unavailable'><x><item affiliation='none' role='none' jid='member/1'><actor nick='admin'/></item><status code='321'/>") // §9.4
}

func TestCVE_2021_37601_ReadLists(t *testing.T) { // CVE-2021-37601: who may read the lists
	t.Parallel()
	ask := func(who, attr string) string {
		return "<iq from='" + who + "/1' to='' id='i' type='get'><query xmlns='" + muc.NSAdmin + "'><item " + attr + "/></query></iq>"
	}
	for _, c := range []struct {
		config rules.Config
		who    string
		list   string
		want   string
	}{
		{rules.Config{}, "owner", "affiliation='outcast'", "ok"}, {rules.Config{}, "admin", "affiliation='owner'", "ok"},
		{rules.Config{}, "member", "affiliation='member'", "forbidden"}, // §5.2.1: a semi-anonymous room
		{rules.Config{}, "none", "affiliation='member'", "forbidden"},
		{rules.Config{}, "stranger", "affiliation='member'", "forbidden"},
		{rules.Config{WhoIs: rules.WhoIsAnyone}, "member", "affiliation='member'", "ok"}, // §9.5
		{rules.Config{WhoIs: rules.WhoIsAnyone}, "member", "affiliation='owner'", "ok"},
		{rules.Config{WhoIs: rules.WhoIsAnyone}, "member", "affiliation='outcast'", "forbidden"},
		{rules.Config{WhoIs: rules.WhoIsAnyone}, "none", "affiliation='member'", "forbidden"},
		{rules.Config{WhoIs: rules.WhoIsAnyone, MembersOnly: true}, "none", "affiliation='member'", "ok"},
		{rules.Config{WhoIs: rules.WhoIsAnyone, MembersOnly: true}, "stranger", "affiliation='member'", "forbidden"},
		{rules.Config{}, "admin", "role='visitor'", "ok"}, {rules.Config{}, "member", "role='moderator'", "forbidden"}, // §8.5
		{rules.Config{}, "owner", "role='none'", "bad-request"}, {rules.Config{}, "owner", "affiliation='none'", "bad-request"},
		{rules.Config{}, "owner", "role='king'", "bad-request"}, {rules.Config{}, "owner", "role='visitor' affiliation='member'", "bad-request"},
		{rules.Config{}, "owner", "nick='x'", "bad-request"},
	} {
		p := withEachAffiliation(t)
		p.config = c.config
		if got := p.outcome(ask(c.who, c.list)); got != c.want {
			t.Errorf("%s reads %s: %s, not %s", c.who, c.list, got, c.want)
		}
	}
	p := withEachAffiliation(t)
	p.in(ask("admin", "affiliation='outcast'")).want("<iq to='admin/1' from='room' id='i' type='result'><query xmlns='" + muc.NSAdmin + "'><item affiliation='outcast' jid='outcast'><reason>spam</reason></item></query></iq>") // §9.2
	p.in(ask("admin", "role='visitor'")).want("<iq to='admin/1' from='room' id='i' type='result'><query xmlns='" + muc.NSAdmin + "'><item affiliation='none' jid='none/1' nick='none' role='visitor'/></query></iq>")            // §8.5
	p.puppet(occupants.Puppet{ID: "u", Nick: "Zoe", JID: person("zoe"), Affiliation: rules.AffMember})
	p.in(ask("admin", "affiliation='member'")).wantHas("<item affiliation='member' jid='member'/><item affiliation='member' jid='zoe' nick='Zoe'/></query>")
}

func TestAdminRequests(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"nick='none' role='visitor' affiliation='member'", "bad-request"}, // XEP-0045 §17.4
		{"nick='none'", "bad-request"},
		{"nick='none' role='king'", "bad-request"},
		{"jid='none@example.org' affiliation='king'", "bad-request"},
		{"nick='nobody' role='visitor'", "item-not-found"},
		{"jid='@' affiliation='member'", "jid-malformed"},
		{"affiliation='member'", "bad-request"},
		{"nick='none' affiliation='member'", "ok"},
		{"jid='new@example.org' affiliation='member' nick='dwarf'", "ok"}, // §9.3: a reserved nick
	} {
		p := withEachAffiliation(t)
		if got := p.outcome(fmt.Sprintf(item(c[0]), "owner/1")); got != c[1] {
			t.Errorf("%s: %s, not %s", c[0], got, c[1])
		}
	}
	p := withEachAffiliation(t)
	if got := p.outcome("<iq from='owner/1' to='' id='i' type='set'><query xmlns='" + muc.NSAdmin + "'/></iq>"); got != "bad-request" {
		t.Error(got)
	}
	many := strings.Repeat("<item nick='none' role='visitor'/>", maxItems+1)
	if got := p.outcome("<iq from='owner/1' to='' id='i' type='set'><query xmlns='" + muc.NSAdmin + "'>" + many + "</query></iq>"); got != "not-acceptable" {
		t.Error(got)
	}
	// All or nothing (§9.2): the second change is not allowed.
	both := "<item nick='none' role='participant'/><item jid='owner@example.org' affiliation='outcast'/>"
	if got := p.outcome("<iq from='admin/1' to='' id='i' type='set'><query xmlns='" + muc.NSAdmin + "'>" + both + "</query></iq>"); got != "not-allowed" {
		t.Error(got)
	}
	if o, _ := p.ByNick("none"); o.Role != rules.RoleVisitor {
		t.Error("a refused request was carried out in part")
	}
	// Owner.Allow may refuse the change, or carry it out itself.
	p.owner.allow = func(a Action) error {
		if a.Kind != ActionRole || a.Role != rules.RoleNone || a.Target.Nick != "none" || a.Reason != "r" || a.By.Nick != "admin" || a.JID != person("none") {
			t.Errorf("%+v", a)
		}
		return stanza.NotAllowed("x")
	}
	kick := "<iq from='admin/1' to='' id='i' type='set'><query xmlns='" + muc.NSAdmin + "'><item nick='none' role='none'><reason>r</reason></item></query></iq>"
	if got := p.outcome(kick); got != "not-allowed" {
		t.Error(got)
	}
	p.owner.allow = func(Action) error { return ErrHandled }
	p.sent = nil
	p.in(kick).want("<iq to='admin/1' from='room' id='i' type='result'/>")
	if _, in := p.ByNick("none"); !in {
		t.Error("the engine carried out a change for which Allow returned ErrHandled")
	}
	// An owner may change the lists without being in the room.
	p.owner.allow = nil
	if got := p.outcome(fmt.Sprintf(item("nick='none' role='none'"), "owner2/9")); got != "ok" {
		t.Error(got)
	}
}

func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	p := withEachAffiliation(t, func(o *Options) { o.Limits.Affiliations = 8 }) // two places are not for members
	for i := range 5 {
		p.SetAffiliation(p.ctx, person(fmt.Sprint("u", i)), affiliations.Entry{Affiliation: rules.AffMember})
	}
	if p.lists.Len() != 6 {
		t.Errorf("%d entries", p.lists.Len())
	}
	p.SetAffiliation(p.ctx, person("u0"), affiliations.Entry{Affiliation: rules.AffNone})
	if p.lists.Len() != 5 {
		t.Errorf("%d entries", p.lists.Len())
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	p := withEachAffiliation(t)
	p.SetAffiliation(p.ctx, person("new"), affiliations.Entry{Affiliation: rules.AffMember, Nick: "dwarf"})
	p.SetInfo(p.ctx, rules.Info{Name: "Cave"})
	p.SetSubject(p.ctx, Subject{Text: "Fire"}, "", "")
	kept := p.Snapshot()
	q := newFixture(t, func(o *Options) { o.Snapshot = &kept })
	if q.Info().Name != "Cave" || q.Subject().Text != "Fire" || !q.Config().Moderated || q.lists.Of(person("new")) != rules.AffMember || !q.lists.ReservedFor("dwarf", person("x")) {
		t.Errorf("%+v", q.Snapshot())
	}
	q.SetAffiliation(q.ctx, person("new"), affiliations.Entry{Affiliation: rules.AffNone})
	if p.lists.Of(person("new")) != rules.AffMember {
		t.Error("a snapshot shares its lists")
	}
}
