package featuretest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/router"
	storepushes "github.com/dragoman-im/dragoman/core/store/pushes"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const (
	enablePush = `<enable xmlns='urn:xmpp:push:0' jid='gw.example.org' node='n1'/>`
	secretForm = `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>` +
		`<field var='secret'><value>eruio234vzxc2kla-91</value></field></x>`
)

// pushed is the request that a push service gets.
func pushed(node, fields, options string) string {
	return `<iq type='set' from='alice@example.org' to='gw.example.org' id='*'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='` + node + `'><item>` +
		`<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>` +
		fields + `</x></notification></item></publish>` + options + `</pubsub></iq>`
}

func count(n int) string {
	return fmt.Sprintf("<field var='message-count'><value>%d</value></field>", n)
}

// answers answers the requests that the service got.
func (e *entity) answers(inner string) int {
	e.t.Helper()
	got := e.take()
	for _, st := range got {
		typ := "result"
		if inner != "" {
			typ = "error"
		}
		e.sends(`<iq type='` + typ + `' id='` + st.ID + `' from='` + st.To.String() + `' to='` + st.From.String() + `'>` + inner + `</iq>`)
	}
	return len(got)
}

// XEP-0357 §5, §6: enabling and disabling; who else asks gets nothing.
func TestEnablePush(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Push.Devices = 2 }, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(ask("get", "0", "", `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	alice.gets(`<iq type='result' id='0'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:push:0'/></query></iq>`)
	enable := func(attrs, inner string) string {
		return `<enable xmlns='urn:xmpp:push:0'` + attrs + `>` + inner + `</enable>`
	}
	for _, c := range []struct{ typ, payload, want string }{
		{"set", enable(" jid='gw.example.org' node='n1'", ""), ""},
		{"set", enable(" jid='gw.example.org' node='n1'", secretForm), ""}, // the same one
		{"set", enable(" jid='gw.example.org'", ""), ""},
		{"set", enable(" jid='gw.example.org' node='n3'", ""), "resource-constraint"},
		{"set", enable(" jid='gw.example.org' node='n1'", ""), ""},
		{"set", enable(" node='n1'", ""), "bad-request"},
		{"set", enable(" jid='@' node='n1'", ""), "bad-request"},
		{"set", enable(" jid='gw.example.org' node='"+strings.Repeat("n", 2000)+"'", ""), "bad-request"},
		{"set", enable(" jid='gw.example.org' node='n1'", strings.Replace(secretForm, "publish-options", "other", 1)), "bad-request"},
		{"set", enable(" jid='gw.example.org' node='n1'", strings.Replace(secretForm, "eruio", strings.Repeat("x", 5000), 1)), "bad-request"},
		{"get", enable(" jid='gw.example.org' node='n1'", ""), "bad-request"},
		{"set", `<other xmlns='urn:xmpp:push:0' jid='gw.example.org'/>`, "bad-request"},
		{"set", `<disable xmlns='urn:xmpp:push:0'/>`, "bad-request"},
		{"set", `<disable xmlns='urn:xmpp:push:0' jid='gw.example.org' node='unknown'/>`, ""},
	} {
		alice.sends(ask(c.typ, "1", "", c.payload))
		if c.want == "" {
			alice.gets(result("1"))
		} else {
			alice.gets(fails("iq", "1", c.want))
		}
	}
	bob.sends(ask("set", "2", aliceBare, `<disable xmlns='urn:xmpp:push:0' jid='gw.example.org'/>`))
	bob.gets(fails("iq", "2", "service-unavailable"))
	alice.drop()
	bob.sends(message("chat", bobDesk, aliceBare, body("x")))
	s.gateway.getsSome(pushed("n1", count(1), ""), strings.Replace(pushed("", count(1), ""), " node=''", "", 1))
}

// XEP-0357 §7: what is told to whom, and that nobody is told while a client is in use.
func TestPush(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(ask("set", "1", "", strings.Replace(enablePush, "/>", ">"+secretForm+"</enable>", 1)))
	alice.gets(result("1"))
	says := func(inner string) { bob.sends(message("chat", bobDesk, aliceBare, inner)) }
	says(body("in use"))
	s.gateway.gets()
	options := `<publish-options>` + secretForm + `</publish-options>`
	for _, reach := range []router.Reach{router.Inactive, router.Detached} {
		alice.reach = reach
		says(body("not in use"))
		s.gateway.gets(pushed("n1", count(1), options))
		alice.reach = router.Active
		alice.sends(`<presence/>`)
		s.stop()
		s = startAt(t, url) // it is enabled still
		alice, bob = s.online(alicePC), s.online(bobDesk)
	}
	other := s.online("alice@example.org/other")
	alice.reach = router.Detached
	says(body("one is in use"))
	s.gateway.gets()
	other.drop()
	alice.drop()
	for _, silent := range []string{
		`<composing xmlns='http://jabber.org/protocol/chatstates'/>`, `<received xmlns='urn:xmpp:receipts' id='1'/>`, `<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>`, `<body/>`,
		`<finish xmlns='urn:xmpp:jingle-message:0' id='1'/>`,
	} {
		says(silent)
		s.gateway.gets()
	}
	bob.sends(message("headline", bobDesk, aliceBare, body("x")), message("error", bobDesk, aliceBare, body("x")))
	s.gateway.gets()
	n := 0
	for _, loud := range []string{
		body("x"), `<encrypted xmlns='eu.siacs.conversations.axolotl'/>`, `<encrypted xmlns='urn:xmpp:omemo:2'/><encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>`,
		`<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>`,
	} {
		n++
		says(loud)
		got := s.gateway.got
		if len(got) != 1 {
			t.Fatalf("%s: %s", loud, show(got))
		}
		if why := differs(parseElement(t, pushed("n1", count(n), options)), got[0].Tree()); why != "" {
			t.Errorf("%s: %s\n%s", loud, why, got[0])
		}
		if strings.Contains(show(got), "last-message") {
			t.Error("the contents are told")
		}
		s.gateway.answers("")
	}
}

// Messages that come while a notification is under way are told by one more.
func TestPushIsBounded(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Push.Contents = true }, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(ask("set", "1", "", enablePush), `<presence type='unavailable'/>`)
	bob.sends(`<presence type='subscribe' to='alice@example.org'/>`)
	s.settle()
	for range 50 {
		bob.sends(message("chat", bobDesk, aliceBare, body(strings.Repeat("ä", 2000))))
	}
	contents := `<field var='last-message-sender'><value>` + bobDesk + `</value></field><field var='last-message-body'><value>` + strings.Repeat("ä", 512) + `</value></field>`
	pending := `<field var='pending-subscription-count'><value>1</value></field>`
	first := s.gateway.take()
	if len(first) != 1 {
		t.Fatal(show(first))
	}
	if why := differs(parseElement(t, pushed("n1", count(1)+pending+contents, "")), first[0].Tree()); why != "" {
		t.Errorf("%s\n%s", why, first[0])
	}
	s.gateway.sends(`<iq type='result' id='` + first[0].ID + `' from='gw.example.org' to='alice@example.org'/>`)
	s.gateway.gets(pushed("n1", count(50)+pending+contents, ""))
}

// XEP-0357 §7.1, §8: a service that fails is left alone, and is disabled in the end.
func TestPushFails(t *testing.T) {
	t.Parallel()
	fault := func(condition string) string {
		return `<error type='cancel'><` + condition + ` xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
	}
	for name, c := range map[string]struct {
		errors int
		answer func(s *testServer)
		off    bool
	}{
		"temporary":       {16, func(s *testServer) { s.gateway.answers(fault("internal-server-error")) }, false},
		"too many errors": {1, func(s *testServer) { s.gateway.answers(fault("internal-server-error")) }, true},
		"gone":            {16, func(s *testServer) { s.gateway.answers(fault("item-not-found")) }, true},
		"right taken back": {16, func(s *testServer) {
			s.gateway.answers("")
			s.gateway.sends(`<message from='gw.example.org' to='alice@example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub' node='n1'><affiliation jid='alice@example.org' affiliation='none'/></pubsub></message>`)
		}, true},
		"forged answer": {1, func(s *testServer) {
			id := s.gateway.take()[0].ID
			s.remote.sends(`<iq type='error' id='` + id + `' from='romeo@remote.example' to='alice@example.org'>` + fault("gone") + `</iq>`)
		}, false},
		"forged message": {16, func(s *testServer) {
			s.gateway.answers("")
			s.remote.sends(`<message from='remote.example' to='alice@example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub' node='n1'><affiliation jid='alice@example.org' affiliation='none'/></pubsub></message>`)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startWith(t, func(cfg *config.Config) { cfg.Push.Errors = c.errors }, "alice", "bob")
			alice, bob := s.online(alicePC), s.online(bobDesk)
			alice.sends(ask("set", "1", "", enablePush))
			alice.drop()
			bob.sends(message("chat", bobDesk, aliceBare, body("1")))
			c.answer(s)
			bob.sends(message("chat", bobDesk, aliceBare, body("2")))
			if n := len(s.gateway.take()); n > 1 || n == 1 && (c.off || name == "temporary") {
				t.Errorf("%d notifications", n)
			}
			list, err := storepushes.New(s.store).Pushes(t.Context(), alice.jid.Bare())
			if err != nil || (len(list) == 0) != c.off {
				t.Errorf("%d services are enabled, %v", len(list), err)
			}
		})
	}
}
