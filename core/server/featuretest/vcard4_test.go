package featuretest

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
)

const (
	vcard4Node = "urn:xmpp:vcard4"
	vcard4NS   = "urn:ietf:params:xml:ns:vcard-4.0"
	oldCard    = `<vCard xmlns='vcard-temp'/>`
)

// payloads sends requests and returns the payloads of their answers.
func (c *client) payloads(requests ...string) []string {
	c.t.Helper()
	c.take()
	c.sends(requests...)
	var list []string
	for _, st := range c.take() {
		list = append(list, st.Payload)
	}
	if len(list) != len(requests) {
		c.t.Fatalf("%d answers: %q", len(list), list)
	}
	return list
}

func readNode(id, to, node string) string { return pubsub("get", id, to, `<items node='`+node+`'/>`) }

// XEP-0292: a vCard is the same in both formats, for those who may read the node
func TestVCard4(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob", "carol")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.Both})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.Both})
	alice, bob, carol := s.online(alicePC), s.login(bobDesk), s.login("carol@example.org/x")
	bob.announces(announce(vcard4Node + "+notify"))

	// An old client writes.
	alice.sends(ask("set", "1", "", `<vCard xmlns='vcard-temp'><FN>Alice</FN><MAILER>m</MAILER><TEL><WORK/><NUMBER>+1-2</NUMBER></TEL></vCard>`))
	bob.gets(event(bobDesk, `<items node='`+vcard4Node+`'><item id='current'/></items>`)) // XEP-0292 §4.2.2
	const modern = `<vcard xmlns='` + vcard4NS + `'><fn><text>Alice</text></fn><tel><parameters><type><text>work</text></type></parameters><uri>tel:+1-2</uri></tel></vcard>`
	for _, got := range carol.payloads(readNode("2", aliceBare, vcard4Node), ask("get", "3", aliceBare, `<vcard xmlns='`+vcard4NS+`'/>`)) {
		if !strings.Contains(strings.ReplaceAll(got, "\"", "'"), modern[len(`<vcard xmlns='`+vcard4NS+`'>`):]) {
			t.Errorf("%s", got)
		}
	}

	// A new client writes, for contacts only: strangers do not read it in the old format either.
	alice.take()
	alice.sends(pubsub("set", "4", "", `<configure node='`+vcard4Node+`'>`+`</configure>`))
	alice.take()
	alice.sends(pubsub("set", "5", "", publish(vcard4Node, "other", `<vcard xmlns='`+vcard4NS+`'><fn><text>Al</text></fn><gender><sex>F</sex></gender><note><text>n</text></note></vcard>`)))
	has(t, carol.payloads(ask("get", "6", aliceBare, oldCard)), "<FN>Al</FN>", "<DESC>n</DESC>", "<MAILER>m</MAILER>", "!NUMBER")
	alice.sends(`<iq type='set' id='7'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='` + vcard4Node + `'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#node_config</value></field><field var='pubsub#access_model'><value>presence</value></field></x></configure></pubsub></iq>`)
	has(t, carol.payloads(ask("get", "8", aliceBare, oldCard), ask("get", "9", aliceBare, `<vcard xmlns='`+vcard4NS+`'/>`)), "service-unavailable", "!Al<")
	has(t, bob.payloads(ask("get", "8", aliceBare, oldCard), readNode("9", aliceBare, vcard4Node)), "Al<")

	// What an old client does not know stays.
	alice.sends(ask("set", "10", "", `<vCard xmlns='vcard-temp'><FN>A</FN></vCard>`))
	has(t, alice.payloads(readNode("11", "", vcard4Node)), "<fn><text>A</text></fn>", "<gender><sex>F</sex></gender>", "id='current'", "!note")
	has(t, carol.payloads(ask("get", "12", aliceBare, oldCard)), "service-unavailable")

	// Without the node there is no old vCard.
	alice.sends(`<iq type='set' id='13'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete node='` + vcard4Node + `'/></pubsub></iq>`)
	has(t, alice.payloads(ask("get", "14", "", oldCard)), "vCard", "!FN")
}

// What is no vCard, and one that is too large, changes nothing in the old format; others cannot write.
func TestVCard4Refused(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.login(bobDesk)
	alice.sends(ask("set", "1", "", `<vCard xmlns='vcard-temp'><FN>Alice</FN></vCard>`))
	alice.sends(pubsub("set", "2", "", publish(vcard4Node, "current", `<vcard xmlns='some:other'><fn><text>X</text></fn></vcard>`)))
	alice.sends(pubsub("set", "3", "", publish(vcard4Node, "current", `<vcard xmlns='`+vcard4NS+`'><fn><text>`+strings.Repeat("x", 70<<10)+`</text></fn></vcard>`)))
	has(t, bob.payloads(ask("get", "4", aliceBare, oldCard)), "<FN>Alice</FN>")
	has(t, bob.payloads(ask("set", "5", aliceBare, `<vcard xmlns='`+vcard4NS+`'/>`), ask("get", "6", "nobody@example.org", `<vcard xmlns='`+vcard4NS+`'/>`)), "service-unavailable")
	has(t, bob.payloads(ask("get", "7", "example.org", `<vcard xmlns='`+vcard4NS+`'/>`)), "<kind><text>application</text></kind>")
}

// A picture in an open vCard4 becomes the avatar, once, and the presence tells of it at once (XEP-0398).
func TestVCard4Photo(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.Both})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.Both})
	alice, bob := s.online(alicePC), s.online(bobDesk)
	open := options("pubsub#access_model", "open")
	bob.take()
	alice.sends(pubsub("set", "1", "", publish(vcard4Node, "current", `<vcard xmlns='`+vcard4NS+`'><fn><text>A</text></fn><photo><uri>data:image/png;base64,aGVsbG8gd29ybGQ=</uri></photo></vcard>`)+open))
	const hash = "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"
	bob.gets(`<presence from='` + alicePC + `'><x xmlns='vcard-temp:x:update'><photo>` + hash + `</photo></x></presence>`)
	has(t, bob.payloads(ask("get", "2", aliceBare, oldCard)), "<BINVAL>aGVsbG8gd29ybGQ=</BINVAL>", "<FN>A</FN>")
	has(t, bob.payloads(readNode("3", aliceBare, "urn:xmpp:avatar:metadata")), hash)
}

// XEP-0398 §4: a changed avatar is in the presence of all sessions at once, except of those that show none
func TestPresenceOfNewAvatar(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.Both})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.Both})
	pc, phone, bob := s.online(alicePC), s.online(phoneJID), s.online(bobDesk)
	phone.sends(`<presence><show>away</show><x xmlns='vcard-temp:x:update'><photo/></x></presence>`)
	pc.sends(`<presence><show>dnd</show></presence>`)
	bob.take()
	const hash = "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"
	metadata := func(info string) string {
		return pubsub("set", "1", "", publish("urn:xmpp:avatar:metadata", "x", `<metadata xmlns='urn:xmpp:avatar:metadata'>`+info+`</metadata>`))
	}
	update := func(hash string) string {
		return `<presence from='` + alicePC + `'><show>dnd</show><x xmlns='vcard-temp:x:update'><photo>` + hash + `</photo></x></presence>`
	}
	info := `<info id='` + hash + `' type='image/png' bytes='11'/>`
	for range 2 { // the second one changes nothing
		phone.sends(metadata(info))
	}
	bob.gets(update(hash))
	if got := s.router.Host(domain).Local(jid.MustParse(aliceBare)).Session(jid.MustParse(alicePC)).Presence().Stanza.String(); !strings.Contains(got, hash) {
		t.Errorf("kept: %s", got)
	}
	phone.sends(metadata(""))
	bob.gets(update(""))
	phone.sends(metadata(info))
	bob.gets(update(hash))
}

// A vCard that was stored before there were nodes is there for those who read the node.
func TestVCardOfBefore(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	if err := s.store.SetVCard(t.Context(), jid.MustParse(aliceBare), `<vCard xmlns='vcard-temp'><FN>Alice</FN></vCard>`); err != nil {
		t.Fatal(err)
	}
	bob := s.login(bobDesk)
	has(t, bob.payloads(readNode("1", aliceBare, vcard4Node)), "<fn><text>Alice</text></fn>")
	has(t, bob.payloads(readNode("2", bobBare, vcard4Node)), "item-not-found")
}
