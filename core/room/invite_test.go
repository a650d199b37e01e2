package room

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

func invite(from, inner string) string {
	return "<message from='" + from + "' to='' id='v'><x xmlns='" + muc.NSUser + "'>" + inner + "</x></message>"
}

func TestInvite(t *testing.T) { // XEP-0045 §7.8.2
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Config.Password = "pw"; o.Config.WhoIs = rules.WhoIsAnyone })
	p.in("<presence from='ann/1' to='/ann'><x xmlns='" + muc.NS + "'><password>pw</password></x></presence>").take()
	p.in(invite("ann/1", "<invite to='hecate@example.org'><reason>Come!</reason><continue thread='t' x='y'><more/>text</continue></invite><invite to='joe@example.org'/>")).want(
		"<message to='hecate' from='room' id='v'><x><invite from='ann'><reason>Come!</reason><continue thread='t'/></invite><password>pw</password></x></message>",
		"<message to='joe' from='room' id='v'><x><invite from='ann'/><password>pw</password></x></message>")
	p.in(invite("hecate/1", "<decline to='ann@example.org'><reason>Busy</reason></decline>")).want(
		"<message to='ann/1' from='room'><x><decline from='hecate'><reason>Busy</reason></decline></x></message>")
	if e := p.owner.events[len(p.owner.events)-1]; e.Kind != Declined || e.JID != person("hecate") || e.Reason != "Busy" {
		t.Errorf("%+v", e)
	}
	p.config.WhoIs = rules.WhoIsModerators
	p.in(invite("ann/1", "<invite to='joe@example.org'/>")).wantHas("<invite from='/ann'/>") // the address stays hidden
	for _, c := range [][3]string{
		{"eve/1", "<invite to='joe@example.org'/>", "modify not-acceptable"},
		{"ann/1", "<invite to='@'/>", "modify jid-malformed"},
		{"ann/1", "<invite/>", "modify jid-malformed"},
		{"hecate/1", "<decline to='ann@example.org'/>", "cancel item-not-found"}, // declined already
		{"eve/1", "<decline to='ann@example.org'/>", "cancel item-not-found"},    // never invited
		{"eve/1", "", "modify not-acceptable"},
		{"ann/1", "", "modify bad-request"},
	} {
		p.in(invite(c[0], c[1]))
		if got := p.condition(); got != c[2] {
			t.Errorf("%v: %s", c, got)
		}
	}
	p.in(invite("ann/1", strings.Repeat("<invite to='joe@example.org'/>", maxInvites+1)))
	if got := p.sent[len(p.sent)-1].Err(); got == nil || got.Condition != "not-acceptable" {
		t.Errorf("%v", got)
	}
	for i := range 2 * maxOpenInvites {
		p.in(invite("ann/1", fmt.Sprintf("<invite to='u%d@example.org'/>", i)))
	}
	if len(p.invites) > maxOpenInvites {
		t.Errorf("%d invitations are remembered", len(p.invites))
	}
	p.take()
	p.owner.allow = func(a Action) error {
		if a.Kind != ActionInvite || a.JID != person("joe") || a.Reason != "r" {
			t.Errorf("%+v", a)
		}
		return ErrHandled
	}
	p.in(invite("ann/1", "<invite to='joe@example.org'><reason>r</reason></invite>")).want()
	p.Invite(person("zoe"), testRoom, "Welcome")
	p.want("<message to='zoe' from='room'><x><invite from='room'><reason>Welcome</reason></invite><password>pw</password></x></message>")
}

func TestInviteToMembersOnly(t *testing.T) { // XEP-0045 §9.5
	t.Parallel()
	p := newFixture(t, func(o *Options) {
		o.Snapshot = &Snapshot{Config: rules.Config{MembersOnly: true}, Affiliations: map[jid.JID]affiliations.Entry{
			person("admin"): {Affiliation: rules.AffAdmin}, person("member"): {Affiliation: rules.AffMember}}}
	}).join("admin/1", "member/1")
	p.in(invite("member/1", "<invite to='joe@example.org'/>"))
	if got := p.condition(); got != "auth forbidden" {
		t.Error(got)
	}
	p.in(invite("admin/1", "<invite to='joe@example.org'/>")).want("<message to='joe'…")
	p.join("joe/1")
	p.config.MembersMayInvite = true
	p.in(invite("member/1", "<invite to='zoe@example.org'/>")).want("<message to='zoe'…")
	if p.lists.Of(person("zoe")) != rules.AffMember {
		t.Error("an invited JID cannot enter")
	}
}
