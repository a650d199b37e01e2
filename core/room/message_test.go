package room

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestGroupchat(t *testing.T) { // XEP-0045 §7.4
	t.Parallel()
	p := newFixture(t).join("ann/1", "bob/1")
	p.in("<message from='ann/1' to='' id='m1' type='groupchat'><body>hi</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>")
	for i, s := range p.sent {
		if s.ID != "m1" || s.From.Resource() != "ann" || s.Type != stanza.TypeGroupchat || s.To != []*occupants.Session{p.occupants.Sessions()[0], p.occupants.Sessions()[1]}[i].JID {
			t.Errorf("%s", s)
		}
		sid := s.Child(message.NSStanzaID, "stanza-id")
		if sid.Attr("by") != testRoom.String() || len(sid.Attr("id")) != 36 { // XEP-0359 §3
			t.Errorf("%s", sid)
		}
		if s.Child(muc.NSOccupantID, "occupant-id").Attr("id") != p.occupants.Sessions()[0].Occupant.ID { // XEP-0421 §3
			t.Errorf("%s", s)
		}
	}
	p.want("<message to='ann/1' from='/ann' id='m1' type='groupchat'><body>hi</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>", "<message to='bob/1'…")
	p.in("<message from='eve/1' to='' type='groupchat'><body>hi</body></message>")
	if got := p.condition(); got != "modify not-acceptable" {
		t.Error(got)
	}
	p.owner.message = func(Message) error { return stanza.PolicyViolation("no") }
	p.in("<message from='ann/1' to='' id='m2' type='groupchat'><body>hi</body></message>")
	if p.sent[0].ID != "m2" || p.condition() != "modify policy-violation" {
		t.Error("the refusal does not reach the sender")
	}
	p.owner.message = func(Message) error { return errors.New("disk") }
	p.in("<message from='ann/1' to='' type='groupchat'><body>hi</body></message>")
	if got := p.condition(); got != "cancel internal-server-error" {
		t.Error(got)
	}
	p.in("<message from='ann/1' to='' type='chat'><body>hi</body></message>")
	if got := p.condition(); got != "modify bad-request" { // §17.2
		t.Error(got)
	}
	p.in("<message from='ann/1' to='/bob' type='groupchat'><body>hi</body></message>")
	if got := p.condition(); got != "modify bad-request" { // §7.5
		t.Error(got)
	}
}

// TestReflectionIsAcknowledgement: a message is reflected only when the Owner broadcasts it.
func TestReflectionIsAcknowledgement(t *testing.T) {
	t.Parallel()
	p := newFixture(t).join("ann/1")
	var m Message
	p.owner.message = func(got Message) error { m = got; return nil }
	p.in("<message from='ann/1' to='' id='m1' type='groupchat'><body>hi</body></message>").want()
	p.in("<presence from='ann/1' to='/ann' type='unavailable'/>").join("bob/1")
	if id := p.Broadcast(m.Post("stanza-7")); id != "stanza-7" {
		t.Error(id)
	}
	if !strings.Contains(p.sent[0].String(), "<stanza-id xmlns='urn:xmpp:sid:0' id='stanza-7' by='coven@chat.example'/>") {
		t.Error(p.sent[0])
	}
	p.want("<message to='bob/1' from='/ann' id='m1' type='groupchat'><body>hi</body></message>") // the sender has left since
}

// ejabberd 25.04, Openfire OF-3055 and OF-2607: what only the room may add is removed, however often it occurs.
func TestEjabberd2504_Spoofing(t *testing.T) {
	t.Parallel()
	p := newFixture(t).join("ann/1", "bob/1")
	room, nick := testRoom.String(), testRoom.String()+"/bob"
	for name, c := range map[string]struct {
		xml  string
		kept bool
	}{
		"XEP-0359 §3 stanza-id":             {"<stanza-id xmlns='urn:xmpp:sid:0' id='SPOOF' by='" + room + "'/>", false},
		"stanza-id, written otherwise":      {"<stanza-id xmlns='urn:xmpp:sid:0' id='SPOOF' by='COVEN@Chat.Example'/>", false},
		"stanza-id by occupant":             {"<stanza-id xmlns='urn:xmpp:sid:0' id='SPOOF' by='" + nick + "'/>", false},
		"stanza-id, prefixed":               {"<s:stanza-id xmlns:s='urn:xmpp:sid:0' id='SPOOF' by='" + room + "'/>", false},
		"stanza-id by another":              {"<stanza-id xmlns='urn:xmpp:sid:0' id='SPOOF' by='joe@elsewhere.example'/>", true},
		"stanza-id with the real address":   {"<stanza-id xmlns='urn:xmpp:sid:0' id='SPOOF' by='Ann@example.org'/>", false},
		"delay with the real address":       {"<delay xmlns='urn:xmpp:delay' from='ann@example.org/1' stamp='SPOOF'/>", false},
		"delay of the sender's server":      {"<delay xmlns='urn:xmpp:delay' from='example.org' stamp='SPOOF'/>", false},
		"origin-id":                         {"<origin-id xmlns='urn:xmpp:sid:0' id='SPOOF'/>", true},
		"XEP-0421 §4 occupant-id":           {"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='SPOOF'/>", false},
		"three occupant-ids":                {strings.Repeat("<occupant-id xmlns='urn:xmpp:occupant-id:0' id='SPOOF'/>", 3), false},
		"XEP-0045 §17.3 muc#user":           {"<x xmlns='" + muc.NSUser + "'><status code='SPOOF'/></x>", false},
		"delay of the room":                 {"<delay xmlns='urn:xmpp:delay' from='" + room + "' stamp='SPOOF'/>", false},
		"delay of nobody":                   {"<delay xmlns='urn:xmpp:delay' stamp='SPOOF'/>", false},
		"delay of another":                  {"<delay xmlns='urn:xmpp:delay' from='elsewhere.example' stamp='SPOOF'/>", true},
		"XEP-0033 original sender":          {"<addresses xmlns='http://jabber.org/protocol/address'><address type='ofrom' jid='SPOOF'/></addresses>", false},
		"carbon":                            {"<received xmlns='urn:xmpp:carbons:2'>SPOOF</received>", false},
		"archive result":                    {"<result xmlns='urn:xmpp:mam:2' id='SPOOF'/>", false},
		"hats":                              {"<hats xmlns='urn:xmpp:hats:0'><hat title='SPOOF'/></hats>", false},
		"XEP-0425 §5 moderation":            {"<retract xmlns='urn:xmpp:message-retract:1' id='SPOOF'><moderated xmlns='urn:xmpp:message-moderate:1'/></retract>", false},
		"XEP-0424 retraction of one's own":  {"<retract xmlns='urn:xmpp:message-retract:1' id='SPOOF'/>", true},
		"XEP-0308 correction of one's own":  {"<replace xmlns='urn:xmpp:message-correct:0' id='SPOOF'/>", true},
		"namespace in character references": {"<occupant-id xmlns='urn&#58;xmpp:occupant-id:0' id='SPOOF'/>", false},
	} {
		for _, to := range []string{"' type='groupchat", "/bob' type='chat"} {
			p.in("<message from='ann/1' id='m' to='" + to + "'><body>hi</body>" + c.xml + "</message>")
			for _, s := range p.sent {
				if strings.Contains(s.Payload, "SPOOF") != c.kept {
					t.Errorf("%s: %s", name, s)
				}
				ids := 0
				for range s.Tree().Named(muc.NSOccupantID, "occupant-id") {
					ids++
				}
				if ids != 1 { // CVE class: only the first of several was replaced
					t.Errorf("%s: %d occupant-ids", name, ids)
				}
			}
			if len(p.sent) == 0 {
				t.Errorf("%s: nothing arrived", name)
			}
			p.take()
		}
		p.in("<presence from='ann/1' to='/ann'><status>s" + name + "</status>" + c.xml + "</presence>")
		for _, s := range p.sent {
			n := map[string]int{}
			for e := range s.Tree().Elements() {
				n[e.Space]++
			}
			if n[muc.NSOccupantID] != 1 || n[muc.NSUser] != 1 || n[hats.NS]+n[message.NSDelay]+n[muc.NSAddress] != 0 || s.Child(muc.NSOccupantID, "occupant-id").Attr("id") == "SPOOF" {
				t.Errorf("%s: %s", name, s)
			}
		}
		p.take()
	}
}

func TestTransient(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]bool{
		"<body>hi</body>": false,
		"<composing xmlns='http://jabber.org/protocol/chatstates'/>":                                           true,
		"<composing xmlns='http://jabber.org/protocol/chatstates'/><thread>1</thread>":                         true,
		"<body>hi</body><composing xmlns='http://jabber.org/protocol/chatstates'/>":                            false,
		"<body>hi</body><no-store xmlns='urn:xmpp:hints'/>":                                                    true,
		"<composing xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>":            false,
		"<reactions xmlns='urn:xmpp:reactions:0' id='1'/>":                                                     false,
		"<encrypted xmlns='eu.siacs.conversations.axolotl'/>":                                                  false,
		"<composing xmlns='http://jabber.org/protocol/chatstates'/><no-copy xmlns='urn:xmpp:hints'/>":          true,
		"<composing xmlns='http://jabber.org/protocol/chatstates'/><origin-id xmlns='urn:xmpp:sid:0' id='1'/>": true,
	} {
		st := &stanza.Stanza{Kind: stanza.Message, Payload: payload}
		if (Message{Stanza: st}).Post("").Transient != want {
			t.Errorf("%s: %v", payload, !want)
		}
	}
	p := newFixture(t).join("ann/1")
	p.in("<message from='ann/1' to='' id='c' type='groupchat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
	if len(p.sent) != 1 || strings.Contains(p.sent[0].Payload, "stanza-id") || p.ring.Len() != 0 {
		t.Errorf("a chat state is in the history: %s", p.take())
	}
}

func TestPrivateMessages(t *testing.T) { // XEP-0045 §7.5
	t.Parallel()
	p := newFixture(t).join("ann/1", "bob/1")
	p.in("<message from='ann/1' to='/bob' id='p1'><body>psst</body><x xmlns='" + muc.NSUser + "'/></message>").want(
		"<message to='bob/1' from='/ann' id='p1'><body>psst</body><x/></message>")
	p.in("<message from='ann/1' to='/nobody' type='chat'><body>psst</body></message>")
	if got := p.condition(); got != "cancel item-not-found" {
		t.Error(got)
	}
	p.in("<message from='eve/1' to='/bob' type='chat'><body>psst</body></message>")
	if got := p.condition(); got != "modify not-acceptable" {
		t.Error(got)
	}
	for _, c := range []struct {
		allow rules.PrivateMessages
		role  rules.Role
		want  bool
	}{
		{"", rules.RoleVisitor, true}, {rules.PrivateByAnyone, rules.RoleVisitor, true}, {rules.PrivateByNone, rules.RoleModerator, false},
		{rules.PrivateByParticipants, rules.RoleVisitor, false}, {rules.PrivateByParticipants, rules.RoleParticipant, true},
		{rules.PrivateByModerators, rules.RoleParticipant, false}, {rules.PrivateByModerators, rules.RoleModerator, true},
	} {
		p.config.Private = c.allow
		p.SetRole(p.ctx, p.occupants.Sessions()[0].Occupant.ID, c.role, "")
		p.take()
		p.in("<message from='ann/1' to='/bob' type='chat'><body>psst</body></message>")
		if got := p.sent[0].Type == stanza.TypeChat; got != c.want {
			t.Errorf("%+v: %s", c, p.sent[0])
		}
		p.take()
	}
}

func TestPrivateToNetworkMember(t *testing.T) {
	t.Parallel()
	p := newFixture(t).join("ann/1")
	p.puppet(occupants.Puppet{ID: "u1", Nick: "Zoe"})
	p.in("<message from='ann/1' to='/Zoe' id='p1' type='chat'><body>psst</body></message>").want()
	if m := p.owner.messages[0]; m.To == nil || m.To.ID != "u1" || m.Stanza.Body() != "psst" || m.Stanza.From != person("ann/1") {
		t.Errorf("%+v", m)
	}
	if !p.SendPrivate(p.occupants.Sessions()[0].Occupant.ID, Post{From: "u1", ID: "p2", Payload: "<body>yes?</body>"}) {
		t.Error("SendPrivate to an unknown occupant returned true")
	}
	p.want("<message to='ann/1' from='/Zoe' id='p2' type='chat'><body>yes?</body><x/></message>")
	if p.SendPrivate("u1", Post{}) || p.SendPrivate("nobody", Post{}) {
		t.Error("SendPrivate to a puppet without sessions returned true")
	}
}

func TestSubject(t *testing.T) { // XEP-0045 §8.1
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Limits.Subject = 20 }).join("ann/1", "bob/1")
	p.in("<message from='ann/1' to='' type='groupchat'><subject>Fire</subject></message>")
	if got := p.condition(); got != "auth forbidden" {
		t.Error(got)
	}
	p.config.OccupantsMaySubject = true
	p.in("<message from='ann/1' to='' id='s' type='groupchat'><subject>Fire</subject></message>").want(
		"<message to='ann/1' from='/ann' id='s' type='groupchat'><subject>Fire</subject></message>", "<message to='bob/1'…")
	for _, inner := range []string{"<body>b</body>", "<thread>t</thread>"} { // no change of the subject
		p.in("<message from='ann/1' to='' type='groupchat'><subject>Other</subject>" + inner + "</message>").take()
	}
	if s := p.Subject(); s.Text != "Fire" || s.Nick != "ann" {
		t.Errorf("%+v", s)
	}
	p.in("<message from='ann/1' to='' type='groupchat'><subject>" + strings.Repeat("s", 21) + "</subject></message>")
	if got := p.condition(); got != "modify not-acceptable" {
		t.Error(got)
	}
	// §7.2.15: sent after all else, with the time of the change, from the occupant that made it
	p.in("<presence from='ann/1' to='/ann' type='unavailable'/>").take()
	p.clock = p.clock.Add(time.Hour)
	p.in(enter("eve/1", "eve")).want("<presence to='bob/1'…", "<presence…", "<presence…",
		"<message…", "<message…", // the two messages that did not change the subject
		"<message to='eve/1' from='/ann' type='groupchat'><subject>Fire</subject><delay xmlns='urn:xmpp:delay' from='room' stamp='2026-03-01T12:00:00.000Z'/></message>")
	p.config.OccupantsMaySubject = true
	p.in("<message from='bob/1' to='' id='s' type='groupchat'><subject/></message>").want(
		"<message to='bob/1' from='/bob' id='s' type='groupchat'><subject/></message>", "<message…")
}

func TestVoice(t *testing.T) { // XEP-0045 §7.4, §7.13, §8.3, §8.6
	t.Parallel()
	p := newFixture(t, func(o *Options) { o.Config.Moderated = true })
	p.owner.enter = func(r EnterRequest) (Grant, error) {
		if r.Session.Local() == "chief" {
			return Grant{Affiliation: rules.AffOwner}, nil
		}
		return Grant{}, nil
	}
	p.join("chief/1", "ann/1")
	p.in("<message from='ann/1' to='' type='groupchat'><body>hi</body></message>")
	if got := p.condition(); got != "auth forbidden" {
		t.Error(got)
	}
	form := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field>"
	p.in("<message from='ann/1' to=''>" + form + "<field var='muc#role'><value>participant</value></field></x></message>")
	if len(p.sent) != 1 || p.sent[0].To != person("chief/1") {
		t.Fatal(p.take())
	}
	p.wantHas("<field var='muc#jid' type='jid-single' label='Address'><value>ann/1</value>", "<field var='muc#roomnick'", "muc#request_allow")
	yes := form + "<field var='muc#role'><value>participant</value></field><field var='muc#roomnick'><value>ann</value></field><field var='muc#request_allow'><value>true</value></field></x>"
	p.in("<message from='ann/1' to=''>" + yes + "</message>").take() // a visitor cannot approve
	if o, _ := p.ByNick("ann"); o.Role != rules.RoleVisitor {
		t.Error("the visitor approved itself")
	}
	p.in("<message from='chief/1' to=''>" + strings.Replace(yes, "true", "false", 1) + "</message>").want()
	p.in("<message from='chief/1' to=''>"+yes+"</message>").want(
		"<presence to='chief/1' from='/ann'><x><item affiliation='none' role='participant' jid='ann/1'><actor nick='chief'/></item></x></presence>",
		"<presence to='ann/1' from='/ann'><x><item affiliation='none' role='participant' jid='ann/1'><actor nick='chief'/></item><status code='110'/></x></presence>")
	p.in("<message from='ann/1' to='' type='groupchat'><body>hi</body></message>").want("<message…", "<message…")
	p.in("<message from='eve/1' to=''>" + yes + "</message>")
	if got := p.condition(); got != "modify not-acceptable" {
		t.Error(got)
	}
}
