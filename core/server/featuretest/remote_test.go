package featuretest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// checklist 73, 74, 75, 76, 77, 78, 79, 80, 81, 83: the account's side, with a contact on another server
func TestRemoteSubscription(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	item := func(subscription string) string {
		return push(`<item jid='romeo@remote.example' ` + subscription + `/>`)
	}

	alice.sends(`<presence type='subscribe' to='romeo@remote.example/x' id='s'><status>please</status></presence>`)
	s.remote.gets(`<presence type='subscribe' from='alice@example.org' to='romeo@remote.example' id='s'><status>please</status></presence>`)
	alice.gets(item(`subscription='none' ask='subscribe'`))
	s.remote.sends(`<presence type='unsubscribed' from='romeo@remote.example/x' to='alice@example.org/pc'/>`) // denied
	alice.gets(presenceOf("unsubscribed", romeo, aliceBare), item(`subscription='none' ask='-'`))
	s.remote.sends(presenceOf("subscribed", romeo, aliceBare)) // which nobody has asked for
	alice.gets()

	alice.sends(`<presence type='subscribe' to='romeo@remote.example'/>`)
	s.remote.sends(presenceOf("subscribed", romeo, aliceBare), presenceOf("", romeoPC, aliceBare))
	alice.gets(item(`subscription='none' ask='subscribe'`), presenceOf("subscribed", romeo, aliceBare), item(`subscription='to' ask='-'`), presenceOf("", romeoPC, aliceBare))

	s.remote.take()
	s.remote.sends(presenceOf("subscribe", romeoPC, aliceBare))
	alice.gets(presenceOf("subscribe", romeo, aliceBare)) // the server answers nothing by itself
	s.remote.gets()
	alice.sends(`<presence type='subscribed' to='romeo@remote.example'/>`)
	alice.gets(item(`subscription='both'`))
	s.remote.gets(presenceOf("subscribed", aliceBare, romeo), presenceOf("", alicePC, romeo))

	s.remote.sends(presenceOf("unsubscribe", romeo, aliceBare)) // RFC 6121 §3.3.3
	alice.gets(presenceOf("unsubscribe", romeo, aliceBare), item(`subscription='to'`))
	s.remote.gets(presenceOf("unavailable", alicePC, romeo), presenceOf("unsubscribed", aliceBare, romeo))

	s.remote.sends(presenceOf("unsubscribed", romeo, aliceBare)) // cancelled: RFC 6121 §3.2.3
	alice.gets(presenceOf("unsubscribed", romeo, aliceBare), item(`subscription='none'`))
	s.remote.gets()
	for _, typ := range []string{"unsubscribe", "unsubscribed", "subscribed"} { // for the state that is already
		s.remote.sends(presenceOf(typ, romeo, aliceBare))
	}
	s.remote.gets()
	alice.gets()
}

// checklist 73: RFC 6121 §3.1.2: a request that another server may have lost is sent again when a session becomes available
func TestRequestsAreSentAgain(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	for _, c := range []struct {
		contact string
		item    roster.Item
	}{
		{romeo, roster.Item{Subscription: roster.None, Ask: true}}, {"from@remote.example", roster.Item{Subscription: roster.From, Ask: true}},
		{"none@remote.example", roster.Item{Subscription: roster.None}}, {bobBare, roster.Item{Subscription: roster.None, Ask: true}},
		{"blocked@remote.example", roster.Item{Subscription: roster.None, Ask: true}},
	} {
		s.put(aliceBare, c.contact, c.item)
	}
	bob := s.online(bobDesk)
	alice := s.login(alicePC)
	alice.sends(ask("set", "block", "", block("blocked@remote.example")))
	alice.take()
	s.remote.take()
	alice.sends(`<presence/>`)
	s.remote.getsSome(presenceOf("", alicePC, "from@remote.example"),
		`<presence type='subscribe' from='alice@example.org' to='romeo@remote.example' id='*'/>`, `<presence type='subscribe' from='alice@example.org' to='from@remote.example' id='*'/>`)
	alice.sends(`<presence><show>away</show></presence>`) // no new session
	s.remote.gets(presenceOf("", alicePC, "from@remote.example"))
	phone := s.login(phoneJID)
	phone.sends(`<presence/>`) // another one is there
	s.remote.gets(presenceOf("", phoneJID, "from@remote.example"))
	bob.gets()
}

// checklist 93, 109: what another server answers with errors is answered by nothing, and changes nothing in the roster
func TestRemoteErrorsDoNotLoop(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.put(aliceBare, romeo, roster.Item{Subscription: roster.Both})
	alice := s.online(alicePC)
	s.remote.take()
	failure := `<error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
	for _, to := range []string{aliceBare, alicePC, aliceBare + "/gone", "nobody@example.org", "nobody@example.org/x", "example.org", "example.org/x", conferenceDomain, lobby, "pubsub.example.org"} {
		for _, sender := range []string{romeo, romeoPC, "remote.example", to} {
			for _, kind := range []string{"presence", "message", "iq"} {
				s.remote.sends(`<` + kind + ` type='error' id='e' from='` + sender + `' to='` + to + `'>` + failure + `</` + kind + `>`)
				if kind == "iq" {
					s.remote.sends(`<iq type='result' id='e' from='` + sender + `' to='` + to + `'/>`)
				}
			}
		}
	}
	s.remote.gets()
	alice.take()
	alice.sends(get("r", ""))
	alice.gets(`<iq type='result' id='r'><query xmlns='jabber:iq:roster'><item jid='romeo@remote.example' subscription='both'/></query></iq>`)
}

// checklist 91: the server of a contact that has forgotten the subscription says so when it is probed, and the account's state follows
func TestRemoteContactForgot(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.put(aliceBare, romeo, roster.Item{Subscription: roster.To})
	alice := s.online(alicePC)
	s.remote.gets(presenceOf("probe", aliceBare, romeo))
	s.remote.sends(presenceOf("unsubscribed", romeo, aliceBare))
	alice.gets(presenceOf("unsubscribed", romeo, aliceBare), push(`<item jid='romeo@remote.example' subscription='none'/>`))
	alice.drop()
	s.remote.take()
	s.online(alicePC)
	s.remote.gets() // it is not probed any more
}

// checklist 60, 118, 119: a conversation with a contact elsewhere is copied to the other sessions and archived once
func TestRemoteConversation(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice, phone := s.online(alicePC).carbons(), s.online(phoneJID).carbons()
	alice.take()
	s.remote.take()
	s.remote.sends(message("chat", romeoPC, alicePC, body("one")))
	alice.gets(message("chat", romeoPC, alicePC, body("one")))
	phone.gets(carbon("received", "chat", phoneJID, forwarded("chat", romeoPC, alicePC, body("one"))))
	alice.sends(`<message type='chat' to='romeo@remote.example/pc'><body>two</body></message>`)
	s.remote.gets(message("chat", alicePC, romeoPC, body("two")))
	phone.gets(carbon("sent", "chat", phoneJID, forwarded("chat", alicePC, romeoPC, body("two"))))
	alice.gets()
	s.remote.sends(message("error", romeoPC, alicePC, body("two")+`<error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`))
	alice.gets(message("error", romeoPC, alicePC, ""))
	phone.take()
	alice.drop()
	phone.drop()
	s.remote.sends(message("chat", romeoPC, aliceBare, body("three")))
	s.settle()
	s.remote.gets()
	alice = s.login(alicePC)
	alice.sends(`<presence/>`)
	if got := show(alice.take()); strings.Count(got, "<body>three</body>") != 1 || !strings.Contains(got, "urn:xmpp:delay") {
		t.Error(got)
	}
	lines, _, _ := alice.history(with(romeo))
	if got := strings.Join(lines, ", "); got != romeoPC+": one, "+alicePC+": two, "+romeoPC+": three" {
		t.Error(got)
	}
}

// checklist 98: a whole domain is blocked: nobody there sees the account or reaches it, and nothing is written to it
func TestBlockedRemoteDomain(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	for _, who := range []string{romeo, "juliet@remote.example", "paris@other.example"} {
		s.put(aliceBare, who, roster.Item{Subscription: roster.Both})
	}
	alice := s.online(alicePC)
	alice.sends(`<presence to='room@remote.example/nick'/>`)
	s.remote.take()
	alice.sends(ask("set", "block", "", block("remote.example")))
	s.remote.getsSome(presenceOf("unavailable", alicePC, romeo), presenceOf("unavailable", alicePC, "juliet@remote.example"), presenceOf("unavailable", alicePC, "room@remote.example/nick"))
	alice.take()
	alice.sends(`<presence><show>away</show></presence>`)
	s.remote.gets(presenceOf("", alicePC, "paris@other.example"))
	alice.take()
	s.remote.sends(presenceOf("probe", romeo, aliceBare), presenceOf("", romeoPC, aliceBare), presenceOf("subscribe", "new@remote.example", aliceBare))
	alice.gets()
	if got := s.remote.take(); len(got) > 1 || len(got) == 1 && got[0].Type != stanza.TypeUnsubscribed && got[0].Type != stanza.TypeUnavailable {
		t.Errorf("a probe is answered with %s", show(got))
	}
	s.remote.sends(message("chat", romeoPC, aliceBare, body("x")), `<iq type='get' id='q' from='romeo@remote.example/pc' to='alice@example.org'><query xmlns='jabber:iq:last'/></iq>`)
	alice.gets()
	for _, st := range s.remote.take() {
		if st.Type != stanza.TypeError || st.Err().Condition != "service-unavailable" {
			t.Errorf("%s", st)
		}
	}
	alice.sends(`<message type='chat' to='romeo@remote.example' id='m'><body>x</body></message>`)
	s.remote.gets()
	if got := show(alice.take()); !strings.Contains(got, "not-acceptable") || !strings.Contains(got, "urn:xmpp:blocking:errors") {
		t.Error(got)
	}
	alice.drop()
	s.remote.gets(presenceOf("unavailable", alicePC, "paris@other.example"))
}

// TestRemotePubsub lets entities of other servers subscribe to nodes, be notified, publish where they may, and read what they may.
func TestRemotePubsub(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	const service, publisher = "pubsub.example.org", "publisher@remote.example"
	alice := s.online(alicePC)
	alice.sends(pubsub("set", "1", service, `<create node='news'/>`))
	alice.gets(result("1"))
	request := func(sender, typ, id, inner string) *stanza.Stanza {
		t.Helper()
		s.remote.take()
		s.remote.sends(strings.Replace(pubsub(typ, id, service, inner), "<iq", "<iq from='"+sender+"'", 1))
		for _, st := range s.remote.take() {
			if st.ID == id {
				return st
			}
		}
		t.Fatalf("no answer to %s", id)
		return nil
	}
	if st := request(romeoPC, "set", "2", `<subscribe node='news' jid='romeo@remote.example'/>`); st.Type != "result" || !strings.Contains(st.Payload, "subscription='subscribed'") {
		t.Fatal(st)
	}
	for id, wrong := range map[string]string{ // of somebody else: XEP-0060 §6.1.3.1
		"w1": `<subscribe node='news' jid='juliet@remote.example'/>`, "w2": `<subscribe node='news' jid='alice@example.org'/>`, "w3": `<subscribe node='news' jid='remote.example'/>`,
	} {
		if st := request(romeoPC, "set", id, wrong); st.Type != "error" || st.Err().Condition != "bad-request" {
			t.Errorf("%s: %s", wrong, st)
		}
	}
	if st := request(publisher+"/x", "set", "3", publish("news", "a", `<x xmlns='urn:x'/>`)); st.Type != "error" || st.Err().Condition != "forbidden" {
		t.Error(st)
	}
	alice.sends(owner("set", "4", service, `<affiliations node='news'><affiliation jid='`+publisher+`' affiliation='publisher'/></affiliations>`))
	alice.gets(result("4"))
	s.remote.take()
	s.remote.sends(strings.Replace(pubsub("set", "5", service, publish("news", "a", `<x xmlns='urn:x'/>`)), "<iq", "<iq from='"+publisher+"/x'", 1))
	s.remote.getsSome(`<iq type='result' id='5' to='publisher@remote.example/x'><pubsub xmlns='`+pubsubNS+`'><publish node='news'><item id='a'/></publish></pubsub></iq>`,
		`<message type='headline' from='pubsub.example.org' to='romeo@remote.example'><event xmlns='`+pubsubNS+`#event'><items node='news'><item id='a' publisher='`+publisher+`'><x xmlns='urn:x'/></item></items></event></message>`)
	if st := request(romeoPC, "get", "6", `<items node='news'/>`); !strings.Contains(st.Payload, "urn:x") {
		t.Error(st)
	}
	if st := request(publisher+"/x", "set", "7", `<retract node='news'><item id='a'/></retract>`); st.Type != "result" {
		t.Error(st)
	}
	if st := request(romeoPC, "set", "8", `<unsubscribe node='news' jid='romeo@remote.example'/>`); st.Type != "result" {
		t.Error(st)
	}
	s.remote.sends(strings.Replace(pubsub("set", "9", service, publish("news", "b", `<x xmlns='urn:x'/>`)), "<iq", "<iq from='"+publisher+"/x'", 1))
	s.remote.gets(`<iq type='result' id='9'/>`)
}

// checklist 90: occupants of other servers in a room of this one: what they see, and that one whose server answers with errors is removed
// (XEP-0045 §18.1.2)
func TestRemoteOccupants(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	alice.to(lobby, enters(lobby, "Al"), configures(lobby))
	s.remote.take()
	join := func(who, nick string) {
		s.remote.sends(`<presence from='` + who + `' to='` + lobby + `/` + nick + `'><x xmlns='` + mucNS + `'/></presence>`)
		alice.to(lobby)
	}
	join(romeoPC, "Romeo")
	join("juliet@remote.example/x", "Juliet")
	if got := show(s.remote.take()); !strings.Contains(got, "code='110'") || strings.Contains(got, "alice@example.org") {
		t.Errorf("entering: %s", got)
	}
	alice.take()
	s.remote.sends(`<message type='groupchat' id='g' from='` + romeoPC + `' to='` + lobby + `'><body>hi</body></message>`)
	alice.to(lobby)
	for _, st := range append(alice.take(), s.remote.take()...) {
		if st.From.String() != lobby+"/Romeo" || st.Body() != "hi" {
			t.Errorf("%s", st)
		}
	}
	s.remote.sends(message("error", "juliet@remote.example/x", lobby, `<error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`))
	alice.to(lobby)
	got := show(alice.take())
	if !strings.Contains(got, "from='"+lobby+"/Juliet'") || !strings.Contains(got, "type='unavailable'") {
		t.Errorf("the ghost stays: %s", got)
	}
	s.remote.take()
	s.remote.sends(presenceOf("unavailable", romeoPC, lobby+"/Romeo"))
	alice.to(lobby)
	if got := show(alice.take()); !strings.Contains(got, lobby+"/Romeo") || strings.Contains(got, "romeo@remote.example") && !strings.Contains(got, "jid=") {
		t.Error(got)
	}
	alice.to(lobby, `<message type='groupchat' to='`+lobby+`'><body>alone</body></message>`)
	for _, st := range s.remote.take() {
		if st.Type != "unavailable" {
			t.Errorf("who has left gets %s", st)
		}
	}
}

// TestRemoteReaders lets contacts on other servers read the nodes of an account that they may read, and nobody else there.
func TestRemoteReaders(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.put(aliceBare, romeo, roster.Item{Subscription: roster.From})
	s.put(aliceBare, "only@remote.example", roster.Item{Subscription: roster.To})
	alice := s.online(alicePC)
	alice.sends(pubsub("set", "1", "", publish(nick, "current", nickname("Al"))), pubsub("set", "2", "", publish("urn:open", "current", `<x xmlns='urn:x'/>`)+options("pubsub#access_model", "open")),
		pubsub("set", "3", "", publish("urn:own", "current", `<x xmlns='urn:x'/>`)+options("pubsub#access_model", "whitelist")))
	for _, c := range []struct {
		reader, node string
		want         string // the condition; "" if it gets the item
	}{
		{romeoPC, nick, ""}, {romeoPC, "urn:open", ""}, {romeoPC, "urn:own", "item-not-found"},
		{"only@remote.example/x", nick, "not-authorized"}, {"stranger@remote.example/x", nick, "not-authorized"}, {"stranger@remote.example/x", "urn:open", ""},
		{"remote.example", nick, "not-authorized"}, {"alice@remote.example/pc", "urn:own", "item-not-found"},
	} {
		s.remote.take()
		s.remote.sends(strings.Replace(pubsub("get", "q", aliceBare, `<items node='`+c.node+`'/>`), "<iq", "<iq from='"+c.reader+"'", 1))
		got := s.remote.take()
		if len(got) != 1 || (got[0].Type == "error") != (c.want != "") || c.want != "" && got[0].Err().Condition != c.want || c.want == "" && !strings.Contains(got[0].Payload, "id='current'") {
			t.Errorf("%+v: %s", c, show(got))
		}
	}
	if got := s.remote.take(); len(got) != 0 {
		t.Error(show(got))
	}
}

// TestContactAddressesForOtherServers gives the addresses of the administrators to entities of other servers (XEP-0157).
func TestContactAddressesForOtherServers(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i, sender := range []string{"remote.example", romeoPC} {
		s.remote.sends(fmt.Sprintf(`<iq type='get' id='%d' from='%s' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`, i, sender))
		if got := show(s.remote.take()); !strings.Contains(got, "http://jabber.org/network/serverinfo") || !strings.Contains(got, "<value>mailto:admin@example.org</value>") {
			t.Error(got)
		}
	}
}
