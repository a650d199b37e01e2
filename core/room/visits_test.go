package room

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func say(who, text string) string {
	return "<message from='" + who + "' to='' type='groupchat'><body>" + text + "</body></message>"
}

func TestSlowMode(t *testing.T) { // XEP-0500 §6
	t.Parallel()
	p := withEachAffiliation(t)
	p.config.Moderated, p.config.SlowMode = false, 20
	p.join("mod/1")
	p.SetRole(p.ctx, p.occupants.BySession(person("mod/1")).Occupant.ID, rules.RoleModerator, "")
	p.take()
	for _, who := range []string{"member/1", "mod/1"} {
		p.in(say(who, "one"))
		if len(p.sent) != 5 {
			t.Errorf("%s: %s", who, p.take())
		}
		p.sent = nil
		p.in("<message from='" + who + "' to='' type='groupchat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>").take() // only bodies count
		p.in(say(who, "two"))
		if e := p.sent[0].Err(); len(p.sent) != 1 || e.Type != "wait" || e.Condition != "policy-violation" || !strings.Contains(e.Text, "20 seconds") {
			t.Errorf("%s: %s", who, p.take())
		}
		p.sent = nil
	}
	// §8: for all sessions of an account, and whether they have left meanwhile.
	p.join("member/2").in(say("member/2", "two"))
	if e := p.sent[0].Err(); e == nil || e.Condition != "policy-violation" {
		t.Error(p.take())
	}
	p.in("<presence from='member/1' to='/member' type='unavailable'/>").in("<presence from='member/2' to='/member' type='unavailable'/>")
	p.take()
	p.join("member/1").in(say("member/1", "two"))
	if e := p.sent[0].Err(); e == nil || e.Condition != "policy-violation" {
		t.Error(p.take())
	}
	p.sent = nil
	for range 3 { // admins and owners are not limited
		p.in(say("admin/1", "x")).in(say("owner/1", "x"))
	}
	if got := p.take(); strings.Contains(got, "error") {
		t.Error(got)
	}
	p.clock = p.clock.Add(20 * time.Second)
	if got := p.in(say("member/1", "two")).take(); strings.Contains(got, "error") {
		t.Error(got)
	}
	// A message that the Owner refuses does not count.
	p.clock = p.clock.Add(20 * time.Second)
	p.owner.message = func(Message) error { return stanza.ResourceConstraint("full") }
	p.in(say("member/1", "three"))
	p.owner.message = nil
	p.sent = nil
	if got := p.in(say("member/1", "three")).take(); strings.Contains(got, "error") {
		t.Error(got)
	}
	if got := p.in(iq("member/1", "", "get", "<query xmlns='"+nsDiscoInfo+"'/>")).take(); !strings.Contains(got, "<field var='muc#roominfo_slow_mode_duration' type='text-single'><value>20</value></field>") { // §5.2
		t.Error(got)
	}
}

func TestRolesAcrossVisits(t *testing.T) { // XEP-0045 §5.1
	t.Parallel()
	p := withEachAffiliation(t)
	role := func(who string) rules.Role {
		o, _ := p.ByNick(who)
		return o.Role
	}
	again := func(who string) rules.Role {
		p.in("<presence from='" + who + "/1' to='/" + who + "' type='unavailable'/>").join(who + "/1")
		return role(who)
	}
	if role("none") != rules.RoleVisitor || again("none") != rules.RoleVisitor {
		t.Error(role("none"))
	}
	p.outcome(fmt.Sprintf(item("nick='none' role='participant'"), "owner/1"))
	p.outcome(fmt.Sprintf(item("nick='member' role='visitor'"), "owner/1"))
	if again("none") != rules.RoleParticipant || again("member") != rules.RoleVisitor || again("admin") != rules.RoleModerator {
		t.Errorf("%s %s %s", role("none"), role("member"), role("admin"))
	}
	// Moderators are made for one visit, and a kick ends what was given.
	p.outcome(fmt.Sprintf(item("nick='none' role='moderator'"), "owner/1"))
	if again("none") != rules.RoleVisitor {
		t.Error(role("none"))
	}
	p.outcome(fmt.Sprintf(item("nick='none' role='participant'"), "owner/1"))
	p.outcome(fmt.Sprintf(item("nick='none' role='none'"), "owner/1"))
	if p.join("none/1"); role("none") != rules.RoleVisitor {
		t.Error(role("none"))
	}
	// The state moves with the room.
	p.in("<presence from='member/1' to='/member' type='unavailable'/>")
	q := newFixture(t)
	if err := q.Restore(p.State()); err != nil {
		t.Fatal(err)
	}
	if q.join("member/1"); q.occupants.BySession(person("member/1")).Occupant.Role != rules.RoleVisitor {
		t.Error("a visitor has got a voice by leaving")
	}
	// A room that is not moderated any longer gives all a voice (§5.1.2).
	if got := q.outcome(configure("owner/1", "muc#roomconfig_moderatedroom", "0")); got != "ok" {
		t.Error(got)
	}
	for _, o := range q.Occupants() {
		if o.Role == rules.RoleVisitor {
			t.Errorf("%s is still a visitor", o.Nick)
		}
	}
}

func TestPresenceFlood(t *testing.T) { // XEP-0045 §14.6
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Limits.Changes = 5 }).join("ann/1", "bob/1")
	refused := func() bool {
		for _, s := range p.sent {
			if s.Type == stanza.TypeError && s.Err().Condition == "resource-constraint" {
				return true
			}
		}
		return false
	}
	for i := range 8 {
		p.sent = nil
		if p.in(fmt.Sprintf("<presence from='ann/1' to='/ann'><status>%d</status></presence>", i)); refused() != (i >= 4) { // entering was the first
			t.Errorf("%d: %s", i, p.take())
		}
	}
	p.sent = nil
	for _, xml := range []string{"<presence from='ann/1' to='/annie'/>", enter("ann/1", "ann"), enter("ann/2", "ann")} {
		if p.in(xml); !refused() || len(p.sent) != 1 {
			t.Errorf("%s: %s", xml, p.take())
		}
		p.sent = nil
	}
	p.in("<presence from='ann/1' to='/ann' type='unavailable'/>").want("<presence to='ann/1'…", "<presence to='bob/1'…") // leaving is always possible
	p.in(enter("ann/1", "ann"))
	if got := p.condition(); got != "wait resource-constraint" {
		t.Error(got)
	}
	p.join2("bob/2", "bob") // others are not concerned
	p.clock = p.clock.Add(10 * time.Second)
	p.join("ann/1")
}

func TestVoiceRequestsAreLimited(t *testing.T) {
	t.Parallel()
	p := withEachAffiliation(t)
	ask := "<message from='none/1' to=''><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + muc.NSRequest + "</value></field><field var='muc#role'><value>participant</value></field></x></message>"
	p.in(ask).want("<message to='owner/1'…", "<message to='admin/1'…")
	p.in(ask)
	if got := p.condition(); got != "wait resource-constraint" {
		t.Error(got)
	}
	p.clock = p.clock.Add(time.Minute)
	p.in(ask).want("<message to='owner/1'…", "<message to='admin/1'…")
	// The answer is about the person who asked, not about who has the nick by then.
	yes := "<message from='owner/1' to=''><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + muc.NSRequest + "</value></field><field var='muc#role'><value>participant</value></field><field var='muc#jid'><value>%s</value></field><field var='muc#roomnick'><value>none</value></field><field var='muc#request_allow'><value>1</value></field></x></message>"
	p.in(fmt.Sprintf(yes, "somebody@example.org/1"))
	if got := p.condition(); got != "cancel item-not-found" {
		t.Error(got)
	}
	p.in(fmt.Sprintf(yes, "none@example.org/1")).wantHas("role='participant'")
}

func TestLockedRoom(t *testing.T) { // XEP-0045 §7.2.10, §10.1.3, §17.2
	t.Parallel()
	p := newFixture(t, func(o *Options) {
		o.Snapshot = &Snapshot{Config: rules.Config{Locked: true, Persistent: true}, Affiliations: map[jid.JID]affiliations.Entry{person("ann"): {Affiliation: rules.AffOwner}}}
	}).join("ann/1", "ann/2")
	for name, xml := range map[string]string{
		"a stranger's words":      say("bob/1", "x"),
		"a private message":       "<message from='ann/1' to='/ann' type='chat'><body>x</body></message>",
		"a stranger's invitation": invite("bob/1", "<invite to='joe@example.org'/>"),
		"a stranger's IQ":         iq("bob/1", "", "get", "<query xmlns='"+nsDiscoInfo+"'/>"),
		"a stranger's try":        enter("bob/1", "bob"),
	} {
		p.in(xml)
		if got := p.condition(); got != "cancel item-not-found" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := p.outcome(iq("ann/1", "", "get", "<query xmlns='"+nsDiscoInfo+"'/>")); got != "ok" {
		t.Error(got)
	}
	p.sent = nil
	p.in("<presence from='ann/2' to='/ann' type='unavailable'/>").want("<presence to='ann/2'…") // another session is still there
	p.in("<presence from='ann/1' to='/ann' type='unavailable'/>").want(
		"<presence to='ann/1' from='/ann' type='unavailable'><x><item affiliation='owner' role='none' jid='ann/1'/><destroy/><status code='110'/></x></presence>")
	if !p.Gone() {
		t.Error("the room was left before it was configured, and exists")
	}
}

func TestDestroyWithPassword(t *testing.T) { // XEP-0045 §10.9
	t.Parallel()
	p := withEachAffiliation(t)
	destroy := func(jid string) string {
		return "<iq from='owner/1' to='' id='d' type='set'><query xmlns='" + muc.NSOwner + "'><destroy jid='" + jid + "'><reason>Bye</reason><password>cauldronburn</password></destroy></query></iq>"
	}
	if got := p.outcome(destroy("@")); got != "jid-malformed" || p.Gone() {
		t.Error(got)
	}
	p.in(destroy("new@chat.example")).wantHas("<destroy jid='new@chat.example'><password>cauldronburn</password><reason>Bye</reason></destroy>")
}

func TestInvitationFails(t *testing.T) { // XEP-0045 §7.8.2
	t.Parallel()
	p := newFixture(t).join("ann/1", "bob/1")
	p.in(invite("ann/1", "<invite to='joe@example.org'/>")).want("<message to='joe' from='room' id='v'>…")
	bounce := "<message from='joe' to='' id='v' type='error'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
	p.in(strings.Replace(bounce, "joe", "eve", 1)).want()
	p.in(bounce).want("<message to='ann/1' from='room' id='v' type='error'><error type='cancel'><item-not-found/></error></message>")
	p.in(bounce).want()
}
