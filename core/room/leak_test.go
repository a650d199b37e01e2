package room

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

var anyRealJID = regexp.MustCompile(`(?i)[a-z0-9]+@example\.org`)

// TestCVE_2021_37601_RealJIDs goes through the use cases of a semi-anonymous room. An ordinary occupant and somebody outside get
// no real address but their own and those that they have named themselves.
func TestCVE_2021_37601_RealJIDs(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"spy@example.org": true, "stranger@example.org": true}
	received := 0
	p := newFixture(t, kept, func(o *Options) {
		o.Info = rules.Info{Name: "Coven", AvatarHash: "abc", Features: []string{FeatureModerate}}
		o.Snapshot = &Snapshot{Info: o.Info, Config: rules.Config{Listed: true, Persistent: true, OccupantsMaySubject: true, Registration: rules.RegistrationApproved}, Affiliations: map[jid.JID]affiliations.Entry{
			person("ann"): {Affiliation: rules.AffOwner}, person("adm"): {Affiliation: rules.AffAdmin}, person("mem"): {Affiliation: rules.AffMember, Nick: "mem"}, person("bad"): {Affiliation: rules.AffOutcast, Reason: "spam"},
		}}
	})
	collect := p.occupants.Send
	p.occupants.Send = func(st *stanza.Stanza) {
		if to := st.To.Local(); to == "spy" || to == "stranger" {
			received++
			for _, found := range anyRealJID.FindAllString(st.String(), -1) {
				if !known[strings.ToLower(found)] {
					t.Errorf("%s learns %s: %s", to, found, st)
				}
			}
		}
		collect(st)
	}
	p.occupants.SendMany = func(st *stanza.Stanza, to []stanza.Receiver) { stanza.SendEach(p.send, []*stanza.Stanza{st}, to) }
	p.owner.query = func(Query) (*stanza.Element, error) { return nil, stanza.ItemNotFound("") }
	p.join("ann/1", "mem/1", "joe/1", "spy/1", "spy/2")

	const space = "urn:ietf:params:xml:ns:xmpp-stanzas"
	leaky := "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='mem@example.org'/><stanza-id xmlns='urn:xmpp:sid:0' id='2' by='Mem@Example.org'/>" +
		"<delay xmlns='urn:xmpp:delay' from='mem@example.org/1' stamp='2026-01-01T00:00:00Z'/><x xmlns='jabber:x:delay' from='mem@example.org' stamp='20260101T00:00:00'/>" +
		"<addresses xmlns='http://jabber.org/protocol/address'><address type='ofrom' jid='mem@example.org/1'/></addresses>" +
		"<x xmlns='" + muc.NSUser + "'><item jid='mem@example.org/1'/></x>"
	for _, who := range []string{"mem/1", "joe/1"} {
		leak := strings.NewReplacer("mem@", who[:3]+"@", "Mem@", who[:3]+"@").Replace(leaky)
		p.in("<message from='" + who + "' to='' id='g' type='groupchat'><body>hi</body>" + leak + "</message>")
		p.in("<message from='" + who + "' to='/spy' id='p' type='chat'><body>psst</body>" + leak + "</message>")
		p.in("<message from='" + who + "' to='' type='groupchat'><subject>s</subject>" + leak + "</message>")
		p.in("<presence from='" + who + "' to='/" + who[:3] + "'><status>away</status>" + leak + "</presence>")
	}
	// Answers and errors that pass through the room.
	for _, ask := range []string{"<vCard xmlns='vcard-temp'/>", "<query xmlns='" + nsDiscoItems + "'/>", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'/></pubsub>"} {
		for _, answer := range []string{
			"type='result'><vCard xmlns='vcard-temp'><JABBERID>Mem@example.org/1</JABBERID><FN>mem</FN><DESC>I am mem@example.org, and not joe.</DESC></vCard>",
			"type='result'><query xmlns='" + nsDiscoItems + "'><item jid='mem@example.org' node='x'/></query>",
			"type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='x'><item publisher='mem@example.org/1'/></items></pubsub>",
			"type='error'><error by='mem@example.org' type='cancel'><not-allowed xmlns='" + space + "'>xmpp:mem@example.org</not-allowed><text xmlns='" + space + "'>mem@example.org/1 is away</text></error>",
		} {
			p.sent = nil
			p.in(iq("spy/1", "/mem", "get", ask))
			relayed := p.sent[0]
			from := relayed.To.Local()
			if relayed.To.IsFull() {
				from += "/" + relayed.To.Resource()
			}
			p.sent = nil
			if p.in("<iq from='" + from + "' to='/spy' id='" + relayed.ID + "' " + answer + "</iq>"); len(p.sent) != 1 {
				t.Fatalf("no answer to %s", ask)
			}
		}
	}
	p.in(iq("mem/1", "/spy", "get", "<query xmlns='x'><item jid='mem@example.org/1'/></query>"))
	p.in("<message from='spy/1' to='/mem' id='e' type='chat'><body>x</body></message>")
	p.in("<message from='mem/1' to='/spy' id='e' type='error'><error by='mem@example.org' type='cancel'><not-allowed xmlns='" + space + "'/><text xmlns='" + space + "'>mem@example.org does not want it</text><x xmlns='y' jid='mem@example.org'/></error></message>")
	// Changes of names, roles and affiliations, by those in the room and by an admin outside.
	p.in("<presence from='mem/1' to='/member'/>").in("<presence from='spy/1' to='/member'/>")
	for _, by := range []string{"ann/1", "adm/9"} {
		for _, attrs := range []string{
			"nick='joe' role='visitor'", "nick='joe' role='participant'", "nick='joe' role='moderator'", "nick='joe' role='participant'", "nick='joe' role='none'",
			"jid='joe@example.org' affiliation='member'", "jid='joe@example.org' affiliation='outcast'", "jid='joe@example.org' affiliation='none'",
			"jid='spy@example.org' affiliation='member'", "jid='spy@example.org' affiliation='none'", "jid='stranger@example.org' affiliation='member'", "jid='stranger@example.org' affiliation='none'",
			"jid='ann@example.org' affiliation='outcast'", "nick='ann' role='none'",
		} {
			p.in(fmt.Sprintf(item(attrs), by))
			p.in(enter("joe/1", "joe"))
		}
	}
	p.in(fmt.Sprintf(item("jid='mem@example.org' affiliation='admin'"), "ann/1")).in(fmt.Sprintf(item("jid='mem@example.org' affiliation='member'"), "ann/1"))
	// Invitations, and members of a members-only room.
	p.in(invite("mem/1", "<invite to='stranger@example.org'><reason>r</reason></invite>")).in(invite("stranger/1", "<decline to='coven@chat.example/mem'/>"))
	p.in(configure("ann/1", rules.FieldMembersOnly, "1"))
	for _, by := range []string{"ann/1", "adm/9"} {
		for _, aff := range []string{"member", "none", "outcast", "none"} {
			p.in(fmt.Sprintf(item("jid='stranger@example.org' affiliation='"+aff+"'"), by))
		}
	}
	p.in(configure("ann/1", rules.FieldMembersOnly, "0", rules.FieldAdmins, "adm@example.org|joe@example.org")).in(configure("ann/1", rules.FieldAdmins, "adm@example.org"))
	// What one may ask.
	p.join("spy/1").join("spy/2")
	for _, who := range []string{"spy/1", "stranger/1"} {
		for _, ask := range []string{
			"<query xmlns='" + nsDiscoInfo + "'/>", "<query xmlns='" + nsDiscoItems + "'/>", "<query xmlns='" + nsDiscoInfo + "' node='" + NodeNick + "'/>", askRegister,
			"<query xmlns='" + muc.NSOwner + "'/>", "<query xmlns='" + muc.NSAdmin + "'><item affiliation='owner'/></query>", "<query xmlns='" + muc.NSAdmin + "'><item affiliation='admin'/></query>",
			"<query xmlns='" + muc.NSAdmin + "'><item affiliation='member'/></query>", "<query xmlns='" + muc.NSAdmin + "'><item affiliation='outcast'/></query>", "<query xmlns='" + muc.NSAdmin + "'><item role='participant'/></query>",
		} {
			p.in(iq(who, "", "get", ask)).in(iq(who, "/ann", "get", ask))
		}
		p.in(registration(who, "mem")).in(registration(who, "ann")).in(registration(who, "new "+who[:3]))
		p.in(enter(who, "mem")).in(enter(who, "ann"))
	}
	for _, who := range []string{"spy", "stranger"} {
		p.in(approval("ann/1", "muc#jid", who+"@example.org", "muc#register_roomnick", "new "+who, "muc#register_allow", "1"))
	}
	// A message is moderated; an occupant's client is gone; one enters and gets the history.
	p.Broadcast(Post{From: p.occupants.BySession(person("mem/1")).Occupant.ID, StanzaID: "bad", Payload: "<body>b</body>"})
	p.in(iq("ann/1", "", "set", "<moderate xmlns='urn:xmpp:message-moderate:1' id='bad'><retract xmlns='urn:xmpp:message-retract:1'/><reason>r</reason></moderate>"))
	p.in("<message from='mem/1' to='/ann' id='x' type='error'><error by='example.org' type='cancel'><gone xmlns='" + space + "'/></error></message>")
	p.in("<presence from='spy/2' to='/spy' type='unavailable'/>").join("spy/2").in("<presence from='spy/1' to='/ann' type='probe'/>")
	// Voice in a moderated room.
	p.in(configure("ann/1", rules.FieldModerated, "1")).in(fmt.Sprintf(item("nick='spy' role='visitor'"), "ann/1"))
	p.in("<message from='spy/1' to=''>" + form.New(form.Submit, muc.NSRequest, "").Set("muc#role", "participant").Element().String() + "</message>")
	p.in("<message from='ann/1' to=''>" + form.New(form.Submit, muc.NSRequest, "").Set("muc#role", "participant").Set("muc#roomnick", "spy").Set("muc#request_allow", "1").Element().String() + "</message>")
	// The end.
	p.join("joe/1")
	p.in(fmt.Sprintf(item("jid='joe@example.org' affiliation='outcast'"), "ann/1"))
	p.in("<iq from='ann/1' to='' id='d' type='set'><query xmlns='" + muc.NSOwner + "'><destroy jid='other@chat.example'><reason>r</reason></destroy></query></iq>")
	if received < 200 || !p.Gone() {
		t.Errorf("%d stanzas were looked at", received)
	}
}
