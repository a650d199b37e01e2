package room

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestAvailability(t *testing.T) { // XEP-0045 §7.7
	t.Parallel()
	p := newFixture(t).join("ann/1", "bob/1")
	caps := "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>"
	p.in("<presence from='ann/1' to='/ann' id='7'><show>xa</show><status>gone</status>"+caps+"</presence>").want(
		"<presence to='bob/1' from='/ann'><show>xa</show><status>gone</status>"+caps+"<x><item affiliation='none' role='participant'/></x></presence>",
		"<presence to='ann/1' from='/ann' id='7'><show>xa</show><status>gone</status>"+caps+"<x><item affiliation='none' role='participant' jid='ann/1'/><status code='110'/></x></presence>")
	p.in("<presence from='ann/1' to='/ann' id='8'><show>xa</show><status>gone</status>" + caps + "</presence>").want("<presence to='ann/1' from='/ann' id='8'…") // nothing new
	p.in("<presence from='ann/1' to=''><show>dnd</show></presence>").want("<presence to='bob/1'…", "<presence to='ann/1'…")
	p.in("<presence from='ann/1' to='/ann'><show>bored</show><status>" + strings.Repeat("long ", 2000) + "</status></presence>").take()
	if o := p.occupants.Sessions()[0]; len(o.Payload) > p.limits.Presence || o.Show != "" {
		t.Errorf("%d bytes are kept", len(o.Payload))
	}
	p.in("<presence from='bob/1' to='/ann' type='probe'/>").want("<presence to='bob/1' from='/ann'><status>long…") // §17.3
	p.in("<presence from='eve/1' to='/ann' type='probe'/>").want()
}

func TestNickChange(t *testing.T) { // XEP-0045 §7.6
	t.Parallel()
	p := newFixture(t, func(o *Options) {
		o.Snapshot = &Snapshot{Affiliations: map[jid.JID]affiliations.Entry{person("joe"): {Affiliation: rules.AffMember, Nick: "joey"}}}
	}).join("ann/1", "bob/1", "ann/2")
	p.in("<presence from='ann/1' to='/annie' id='7'/>").want(
		"<presence to='ann/1' from='/ann' type='unavailable'><x><item affiliation='none' role='participant' nick='annie' jid='ann/1'/><status code='303'/><status code='110'/></x></presence>",
		"<presence to='ann/2' from='/ann' type='unavailable'…",
		"<presence to='bob/1' from='/ann' type='unavailable'><x><item affiliation='none' role='participant' nick='annie'/><status code='303'/></x></presence>",
		"<presence to='bob/1' from='/annie'><x><item affiliation='none' role='participant'/></x></presence>",
		"<presence to='ann/1' from='/annie'><x><item affiliation='none' role='participant' jid='ann/1'/><status code='110'/></x></presence>",
		"<presence to='ann/2' from='/annie'…",
	)
	for nick, want := range map[string]string{"bob": "cancel conflict", "ｂｏｂ": "cancel conflict", "joey": "cancel conflict", "  ": "modify jid-malformed"} {
		p.in("<presence from='ann/1' to='/" + nick + "'/>")
		if got := p.condition(); got != want {
			t.Errorf("%q: %s", nick, got)
		}
	}
	p.owner.allow = func(a Action) error {
		if a.Kind != ActionNick || a.Value != "other" || a.By.Nick != "annie" {
			t.Errorf("%+v", a)
		}
		return stanza.NotAcceptable("Nicks are locked.")
	}
	p.in("<presence from='ann/1' to='/other'/>")
	if got := p.condition(); got != "modify not-acceptable" {
		t.Error(got)
	}
	p.owner.allow = func(Action) error { return ErrHandled }
	p.in("<presence from='ann/1' to='/other'/>").want()
	p.owner.allow = nil
	p.config.Moderated, p.config.VisitorsKeepNick = true, true
	p.SetRole(p.ctx, p.occupants.Sessions()[1].Occupant.ID, rules.RoleVisitor, "")
	p.take()
	p.in("<presence from='bob/1' to='/other'/>")
	if got := p.condition(); got != "auth forbidden" { // §5.1.1
		t.Error(got)
	}
	if e := p.owner.events[len(p.owner.events)-1]; e.Kind != NickChange || e.Occupant.Nick != "annie" {
		t.Errorf("%+v", e)
	}
}

func TestHiddenRoles(t *testing.T) { // muc#roomconfig_presencebroadcast
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Config.Broadcast = []rules.Role{rules.RoleModerator} })
	p.owner.enter = func(r EnterRequest) (Grant, error) {
		if r.Session.Local() == "chief" {
			return Grant{Affiliation: rules.AffOwner}, nil
		}
		return Grant{}, nil
	}
	p.join("chief/1")
	p.in(enter("ann/1", "ann")).want("<presence to='ann/1' from='/chief'…", "<presence to='ann/1' from='/ann'…", "<message…")
	p.in(enter("bob/1", "bob")).want("<presence to='bob/1' from='/chief'…", "<presence to='bob/1' from='/bob'…", "<message…")
	p.SetRole(p.ctx, p.occupants.Sessions()[1].Occupant.ID, rules.RoleModerator, "")
	p.want("<presence to='chief/1' from='/ann'…", "<presence to='bob/1' from='/ann'…", "<presence to='ann/1' from='/ann'…")
	p.SetRole(p.ctx, p.occupants.Sessions()[1].Occupant.ID, rules.RoleParticipant, "")
	p.want("<presence to='chief/1' from='/ann' type='unavailable'…", "<presence to='bob/1' from='/ann' type='unavailable'…", "<presence to='ann/1' from='/ann'><…")
	p.in("<presence from='ann/1' to='/ann' type='unavailable'/>").want("<presence to='ann/1' from='/ann' type='unavailable'…")
}

func TestClose(t *testing.T) { // XEP-0045 §11.2
	t.Parallel()
	p := newFixture(t).join("ann/1", "ann/2", "bob/1")
	p.puppet(occupants.Puppet{ID: "u1", Nick: "Zoe"})
	p.Close()
	p.want("<presence to='ann/1' from='/ann' type='unavailable'><x><item affiliation='none' role='none' jid='ann/1'/><status code='332'/><status code='110'/></x></presence>",
		"<presence to='ann/2' from='/ann' type='unavailable'…", "<presence to='bob/1' from='/bob' type='unavailable'…")
	p.check()
	p.join("ann/1")
}

func TestMembers(t *testing.T) {
	t.Parallel()
	p := newFixture(t).join("ann/1")
	set := func(m occupants.Puppet) *fixture {
		t.Helper()
		if _, err := p.SetPuppet(p.ctx, m); err != nil {
			t.Error(err)
		}
		p.check()
		return p
	}
	zoe := occupants.Puppet{ID: "u1", Nick: "Zoe", JID: person("zoe"), Affiliation: rules.AffMember, Show: "away", Status: "lunch",
		Hats:  []hats.Hat{{URI: "urn:bot", Title: "Bot"}},
		Extra: []*stanza.Element{stanza.NewElement("vcard-temp:x:update", "x").Add(stanza.TextElement("vcard-temp:x:update", "photo", "abc"))}}
	shown := "<show>away</show><status>lunch</status><x xmlns='vcard-temp:x:update'><photo>abc</photo></x>" +
		"<hats xmlns='urn:xmpp:hats:0'><hat title='Bot' uri='urn:bot'/></hats><x><item affiliation='member' role='participant'/></x></presence>"
	set(zoe).want("<presence to='ann/1' from='/Zoe'>" + shown)
	set(zoe).want()
	p.in(enter("bob/1", "bob")).want("<presence to='ann/1'…", "<presence to='bob/1' from='/ann'…", "<presence to='bob/1' from='/Zoe'>"+shown, "<presence…", "<message…")
	zoe.Show = ""
	set(zoe).want("<presence to='ann/1' from='/Zoe'><status>lunch</status>…", "<presence to='bob/1'…")
	zoe.Nick = "Zoë"
	set(zoe).want("<presence to='ann/1' from='/Zoe' type='unavailable'><hats…", "<presence to='bob/1'…", "<presence to='ann/1' from='/Zoë'>…", "<presence to='bob/1'…")
	zoe.Role = rules.RoleModerator
	set(zoe).want("<presence to='ann/1'…", "<presence to='bob/1'…")
	p.RemovePuppet(p.ctx, "u1", Departure{Kind: Kicked, Actor: "ann", Reason: "noise"})
	p.want("<presence to='ann/1' from='/Zoë' type='unavailable'><hats xmlns='urn:xmpp:hats:0'><hat title='Bot' uri='urn:bot'/></hats><x><item affiliation='member' role='none'><actor nick='ann'/><reason>noise</reason></item><status code='307'/></x></presence>", "<presence to='bob/1'…")
	if p.RemovePuppet(p.ctx, "u1", Departure{}) || len(p.Occupants()) != 2 {
		t.Error("still there")
	}
	for _, bad := range []string{"", strings.Repeat("i", 129)} { // XEP-0421 §4.1
		if _, err := p.SetPuppet(p.ctx, occupants.Puppet{ID: bad, Nick: "x"}); err == nil {
			t.Errorf("id of %d bytes", len(bad))
		}
	}
}

func TestUniqueNicks(t *testing.T) {
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Limits = rules.Limits{Nick: 32, Puppets: 50} }).join("bob/1")
	nick := func(id, name string) string {
		t.Helper()
		got, err := p.SetPuppet(p.ctx, occupants.Puppet{ID: id, Nick: name})
		if err != nil {
			t.Error(err)
		}
		p.check()
		return got
	}
	for i, c := range [][2]string{
		{"Ann", "Ann"}, {"Ann", "Ann (2)"}, {" Ann\t", "Ann (3)"}, {"", "unknown"}, {"\u200b\u202e", "unknown (2)"},
		{"Jürgen ♥", "Jürgen ♥"}, {"a/b@c", "a/b@c"}, {"\xff\xfe", "unknown (3)"}, {"two\nlines", "two lines"},
		{strings.Repeat("ü", 40), strings.Repeat("ü", 12)}, {"<x>&'\"", "<x>&'\""}, {"👩‍🚀", "👩🚀"},
	} {
		if got := nick(fmt.Sprint(i), c[0]); got != c[1] {
			t.Errorf("%q is called %q, not %q", c[0], got, c[1])
		}
	}
	if nick("1", "Ann") != "Ann (2)" || nick("0", "Bea") != "Bea" || nick("1", "Bea") != "Bea (2)" {
		t.Error("SetPuppet returned an unexpected nick")
	}
	if nick("2", "Ann") != "Ann" || nick("0", "Ann") != "Ann (2)" {
		t.Error("a puppet did not get a free nick")
	}
	for i := 12; ; i++ {
		if _, err := p.SetPuppet(p.ctx, occupants.Puppet{ID: fmt.Sprint("n", i), Nick: "crowd"}); err != nil {
			if p.occupants.Puppets() != 50 {
				t.Errorf("%d puppets", p.occupants.Puppets())
			}
			break
		}
	}
}

// TestSessionJoinsPuppet: a session whose Grant names the id of a puppet belongs to the same occupant.
func TestSessionJoinsPuppet(t *testing.T) {
	t.Parallel()
	p := newFixture(t).join("bob/1").puppet(occupants.Puppet{ID: "u1", Nick: "Ann Smith", JID: person("u1"), Role: rules.RoleModerator, Affiliation: rules.AffAdmin, Show: "away"})
	p.owner.enter = func(EnterRequest) (Grant, error) { return Grant{OccupantID: "u1", Nick: "Ann Smith"}, nil }
	p.in(enter("ann/1", "ann")).want(
		"<presence to='bob/1' from='/Ann Smith'><x><item affiliation='admin' role='moderator'/></x></presence>",
		"<presence to='ann/1' from='/bob'…",
		"<presence to='ann/1' from='/Ann Smith'><x><item affiliation='admin' role='moderator' jid='ann/1'/><status code='110'/><status code='210'/></x></presence>",
		"<message…",
	)
	if o, _ := p.Occupant("u1"); !o.Puppet || len(o.Sessions) != 1 || o.JID != person("ann/1") {
		t.Errorf("%+v", o)
	}
	p.in("<message from='ann/1' to='/Ann Smith' id='n' type='chat'><body>note</body></message>").want("<message to='ann/1' from='/Ann Smith' id='n'…")
	p.in("<presence from='ann/1' to='/ann' type='unavailable'/>").want( // the member stays
		"<presence to='ann/1' from='/Ann Smith' type='unavailable'…",
		"<presence to='bob/1' from='/Ann Smith'><show>away</show><x><item affiliation='admin' role='moderator'/></x></presence>")
	p.join2("ann/1", "ann")
	p.RemovePuppet(p.ctx, "u1", Departure{}) // the session stays
	p.check()
	p.take()
	if o, _ := p.Occupant("u1"); o.Puppet || len(o.Sessions) != 1 {
		t.Errorf("%+v", o)
	}
	p.RemoveOccupant(p.ctx, "u1", Departure{Kind: LostAffiliation, Reason: "You left the channel."})
	p.wantHas("<reason>You left the channel.</reason></item><status code='321'/><status code='110'/>")
	if e := p.owner.events[len(p.owner.events)-1]; e.Kind != Exited || e.Session != person("ann/1") {
		t.Errorf("%+v", e)
	}
	p.RemoveSession(p.ctx, person("bob/1"), Departure{Kind: Banned})
	p.wantHas("<status code='301'/>")
	if p.RemoveSession(p.ctx, person("bob/1"), Departure{}) || p.RemoveOccupant(p.ctx, "u1", Departure{}) || len(p.Occupants()) != 0 {
		t.Error("an occupant is left")
	}
}

func (p *fixture) join2(session, nick string) *fixture {
	p.Helper()
	p.in(enter(session, nick))
	p.take()
	return p
}

// A name that a resourcepart cannot hold as it is has the same nick each time that it is set.
func TestNicksOfDisplayNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Ann ❤️": "Ann ❤", "☕️ Ben": "☕ Ben", "Zoe\u0301": "Zoé", "9️⃣ Nine": "9⃣ Nine"} {
		p := newFixture(t)
		for range 2 {
			if got, err := p.SetPuppet(p.ctx, occupants.Puppet{ID: "1", Nick: name}); err != nil || got != want {
				t.Errorf("%q is called %q, want %q (%v)", name, got, want, err)
			}
		}
	}
}

// Nobody can take a name that looks like that of somebody else in the room.
func TestNicksThatLookAlike(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	for i, c := range [][2]string{
		{"Ann", "Ann"}, {"Ａｎｎ", "Ａｎｎ (2)"}, {"Аnn", "Аnn (3)"}, {"ann", "ann"}, {"Paul ❤", "Paul ❤"}, {"Paul ❤️", "Paul ❤ (2)"}, {"PauI ❤", "PauI ❤ (3)"},
	} {
		if got, err := p.SetPuppet(p.ctx, occupants.Puppet{ID: fmt.Sprint(i), Nick: c[0]}); err != nil || got != c[1] {
			t.Errorf("%q is called %q, want %q (%v)", c[0], got, c[1], err)
		}
	}
	p.RemovePuppet(p.ctx, "0", Departure{})
	if got, err := p.SetPuppet(p.ctx, occupants.Puppet{ID: "x", Nick: "Αnn"}); err != nil || got != "Αnn" {
		t.Errorf("%q after the other one has left (%v)", got, err)
	}
}
