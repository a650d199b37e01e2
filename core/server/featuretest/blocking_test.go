package featuretest

import (
	"strings"
	"testing"
)

func block(items ...string) string {
	x := `<block xmlns='urn:xmpp:blocking'>`
	for _, j := range items {
		x += `<item jid='` + j + `'/>`
	}
	return x + `</block>`
}

func (c *client) blocks(items ...string) {
	c.t.Helper()
	c.sends(ask("set", "block", "", block(items...)))
	for _, st := range c.take() {
		if st.ID == "block" && st.Type == "result" {
			return
		}
	}
	c.t.Fatal("not blocked")
}

// subscribed makes two accounts of this host see each other.
func (s *testServer) subscribed(a, b *client) {
	s.t.Helper()
	for _, c := range [][2]*client{{a, b}, {b, a}} {
		c[0].sends(`<presence type='subscribe' to='` + c[1].jid.Bare().String() + `'/>`)
		c[1].sends(`<presence type='subscribed' to='` + c[0].jid.Bare().String() + `'/>`)
	}
	a.take()
	b.take()
}

// mediated is an invitation that a room passes on.
func mediated(room, to, from string) string {
	return message("", room, to, `<x xmlns='http://jabber.org/protocol/muc#user'><invite from='`+from+`'><reason>Come</reason></invite></x>`)
}

const (
	unavailable = "service-unavailable"
	refusing    = `<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><blocked xmlns='urn:xmpp:blocking:errors'/></error>`
)

// XEP-0191 §3.3: whatever a blocked address sends, by any way, the account gets nothing of it, and the sender gets what an
// account that is offline would give.
func TestBlockedSender(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sent string
		want string // the condition that the sender gets; "" for nothing
	}{
		"chat, bare":                {message("chat", "", aliceBare, body("x")), unavailable},
		"chat, full":                {message("chat", "", alicePC, body("x")), unavailable},
		"chat, no such session":     {message("chat", "", "alice@example.org/gone", body("x")), unavailable},
		"normal":                    {message("", "", aliceBare, body("x")), unavailable},
		"headline":                  {message("headline", "", aliceBare, body("x")), unavailable},
		"groupchat":                 {message("groupchat", "", alicePC, body("x")), unavailable},
		"error":                     {message("error", "", alicePC, body("x")), ""},
		"chat state":                {message("chat", "", aliceBare, `<active xmlns='http://jabber.org/protocol/chatstates'/>`), unavailable},
		"call proposal":             {message("chat", "", aliceBare, `<propose xmlns='urn:xmpp:jingle-message:0' id='c'/><store xmlns='urn:xmpp:hints'/>`), unavailable},
		"direct invitation":         {message("", "", aliceBare, `<x xmlns='jabber:x:conference' jid='r@muc.example'/>`), unavailable},
		"PEP event":                 {message("headline", "", alicePC, `<event xmlns='http://jabber.org/protocol/pubsub#event'/>`), unavailable},
		"presence":                  {`<presence to='alice@example.org'/>`, ""},
		"presence to the session":   {`<presence to='alice@example.org/pc'/>`, ""},
		"unavailable":               {`<presence type='unavailable' to='alice@example.org/pc'/>`, ""},
		"probe":                     {`<presence type='probe' to='alice@example.org'/>`, ""},
		"probe of the session":      {`<presence type='probe' to='alice@example.org/pc'/>`, ""},
		"subscribe":                 {`<presence type='subscribe' to='alice@example.org'/>`, ""},
		"subscribed":                {`<presence type='subscribed' to='alice@example.org'/>`, ""},
		"unsubscribe":               {`<presence type='unsubscribe' to='alice@example.org'/>`, ""},
		"unsubscribed":              {`<presence type='unsubscribed' to='alice@example.org'/>`, ""},
		"presence error":            {`<presence type='error' to='alice@example.org/pc'/>`, ""},
		"request":                   {ask("get", "q", alicePC, `<ping xmlns='urn:xmpp:ping'/>`), unavailable},
		"change":                    {ask("set", "q", alicePC, `<query xmlns='urn:x'/>`), unavailable},
		"request to the account":    {ask("get", "q", aliceBare, `<vCard xmlns='vcard-temp'/>`), unavailable},
		"disco of the account":      {ask("get", "q", aliceBare, `<query xmlns='http://jabber.org/protocol/disco#info'/>`), unavailable},
		"last activity":             {ask("get", "q", aliceBare, `<query xmlns='jabber:iq:last'/>`), unavailable},
		"archive":                   {ask("set", "q", aliceBare, `<query xmlns='urn:xmpp:mam:2'/>`), unavailable},
		"PEP items":                 {ask("get", "q", aliceBare, `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'/></pubsub>`), unavailable},
		"result":                    {`<iq type='result' id='q' to='alice@example.org/pc'/>`, ""},
		"error of a request":        {`<iq type='error' id='q' to='alice@example.org/pc'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`, ""},
		"through a service of hers": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "alice", "bob")
			alice, bob, phone := s.online(alicePC), s.online(bobDesk), s.login(phoneJID).carbons()
			s.subscribed(alice, bob)
			alice.sends(ask("set", "v", "", `<vCard xmlns='vcard-temp'><FN>Alice</FN></vCard>`))
			alice.blocks(bobBare)
			bob.gets(presenceOf("unavailable", alicePC, bobBare))
			for _, local := range []bool{true, false} {
				sender := &bob.entity
				switch {
				case c.sent == "":
					s.remote.sends(mediated("room@muc.example", aliceBare, bobDesk))
					s.remote.gets()
				case local:
					bob.sends(c.sent)
				default:
					alice.blocks(romeo)
					sender = s.remote
					sender.take()
					from := romeo + "/x"
					if strings.Contains(c.sent, "type='subscribe") || strings.Contains(c.sent, "type='unsubscribe") {
						from = romeo
					}
					xml := c.sent
					if strings.HasPrefix(xml, "<message") {
						xml = strings.Replace(xml, " from=''", "", 1)
					}
					sender.sends(strings.Replace(xml, " ", " from='"+from+"' ", 1))
				}
				if c.want == "" {
					for _, st := range sender.take() {
						if st.From.Bare() != bob.jid.Bare() { // what changes in his own roster he is told
							t.Errorf("local %v: the sender got %s", local, st)
						}
					}
				} else {
					got := sender.take()
					if len(got) != 1 || got[0].Type != "error" || !strings.Contains(got[0].String(), "<"+c.want) {
						t.Errorf("local %v: the sender got %s", local, show(got))
					}
				}
				alice.gets()
				phone.gets()
			}
			s.settle()
			s.nothingStored(alice.jid)
			if lines, _, _ := alice.history(""); len(lines) != 0 {
				t.Error(lines)
			}
			alice.take()
			alice.sends(`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`)
			alice.gets(`<iq type='result' id='r'><query xmlns='jabber:iq:roster'><item jid='bob@example.org' subscription='both'/></query></iq>`)
		})
	}
}

// XEP-0191 §3.3: nothing goes to a blocked address either.
func TestBlockedReceiver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sent     string
		notified bool // the session gets the error
	}{
		"chat":                {message("chat", "", bobBare, body("x")), true},
		"chat, full":          {message("chat", "", bobDesk, body("x")), true},
		"error":               {message("error", "", bobDesk, body("x")), false},
		"directed presence":   {`<presence to='bob@example.org/desk'/>`, true},
		"subscribe":           {`<presence type='subscribe' to='bob@example.org'/>`, true},
		"subscribed":          {`<presence type='subscribed' to='bob@example.org'/>`, true},
		"unsubscribed":        {`<presence type='unsubscribed' to='bob@example.org'/>`, true},
		"probe":               {`<presence type='probe' to='bob@example.org'/>`, true},
		"request":             {ask("get", "q", bobDesk, `<ping xmlns='urn:xmpp:ping'/>`), true},
		"request to account":  {ask("get", "q", bobBare, `<vCard xmlns='vcard-temp'/>`), true},
		"result":              {`<iq type='result' id='q' to='bob@example.org/desk'/>`, false},
		"by a privileged one": {"", false},
		"presence broadcast":  {`<presence><show>away</show></presence>`, false},
		"unavailable, to all": {`<presence type='unavailable'/>`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "alice", "bob")
			alice, bob := s.online(alicePC), s.online(bobDesk)
			s.subscribed(alice, bob)
			alice.blocks(bobBare)
			bob.take()
			if c.sent == "" {
				s.gateway.take()
				s.gateway.sends(message("", "gw.example.org", "example.org", `<privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='alice@example.org' to='bob@example.org' type='chat'><body>x</body></message></forwarded></privilege>`))
				s.gateway.gets(`<message type='error' from='example.org'>` + refusing + `</message>`)
			} else {
				alice.sends(c.sent)
			}
			bob.gets()
			got := alice.take()
			if c.notified {
				if len(got) != 1 || got[0].Type != "error" || differs(parseElement(t, refusing), got[0].Tree().Child("jabber:client", "error")) != "" {
					t.Errorf("alice got %s", show(got))
				}
			}
			if lines, _, _ := alice.history(""); len(lines) != 0 {
				t.Error(lines)
			}
		})
	}
}

// XEP-0191 §5: what an item stands for.
func TestBlockedAddresses(t *testing.T) {
	t.Parallel()
	const senders = "romeo@remote.example/x romeo@remote.example/y romeo@remote.example paris@remote.example remote.example remote.example/z romeo@sub.remote.example"
	for item, want := range map[string]string{
		"romeo@remote.example/x": "romeo@remote.example/x",
		"romeo@remote.example":   "romeo@remote.example/x romeo@remote.example/y romeo@remote.example",
		"remote.example/z":       "remote.example/z",
		"remote.example":         "romeo@remote.example/x romeo@remote.example/y romeo@remote.example paris@remote.example remote.example remote.example/z",
		"ROMEO@Remote.example":   "romeo@remote.example/x romeo@remote.example/y romeo@remote.example",
		"other.example":          "",
		"alice@example.org":      "", // XEP-0191 §4: never one's own
		"example.org":            "",
	} {
		s := start(t, "alice")
		alice, phone := s.online(alicePC), s.online(phoneJID)
		alice.blocks(item)
		var blocked []string
		for _, from := range strings.Fields(senders) {
			alice.take()
			s.remote.sends(message("chat", from, alicePC, body("x")))
			if len(alice.take()) == 0 {
				blocked = append(blocked, from)
			}
		}
		if got := strings.Join(blocked, " "); got != want {
			t.Errorf("%s blocks %q, not %q", item, got, want)
		}
		phone.take()
		alice.sends(message("chat", "", phoneJID, body("x")), ask("get", "d", "example.org", `<ping xmlns='urn:xmpp:ping'/>`))
		phone.gets(message("chat", alicePC, phoneJID, body("x")))
		alice.gets(result("d"))
	}
}

// What was stored for the account before it blocked the sender does not come after it.
func TestBlockedSenderOfStoredMessages(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	bob := s.online(bobDesk)
	s.remote.sends(message("chat", romeo, aliceBare, body("one")))
	bob.sends(message("chat", "", aliceBare, body("two")))
	s.remote.sends(presenceOf("subscribe", romeo, aliceBare))
	alice := s.login(alicePC)
	alice.blocks(romeo)
	alice.sends(`<presence/>`)
	alice.gets(presenceOf("", alicePC, aliceBare), message("chat", bobDesk, aliceBare, body("two")))
	s.settle()
	s.nothingStored(alice.jid)
}

// XEP-0191 §3.4: after an address is unblocked all is as before.
func TestUnblocked(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	s.subscribed(alice, bob)
	alice.blocks(bobBare)
	bob.take()
	alice.sends(ask("set", "u", "", `<unblock xmlns='urn:xmpp:blocking'><item jid='bob@example.org'/></unblock>`))
	alice.gets(presenceOf("", bobDesk, "*"), result("u"))
	bob.gets(presenceOf("", alicePC, "*"))
	bob.sends(message("chat", "", aliceBare, body("x")))
	alice.gets(message("chat", bobDesk, aliceBare, body("x")))
	alice.sends(ask("set", "1", "", block()), ask("set", "2", "", `<block xmlns='urn:xmpp:blocking'><item/></block>`), ask("get", "3", "", block(romeo)),
		ask("set", "4", "", `<other xmlns='urn:xmpp:blocking'/>`), ask("set", "5", bobBare, block(romeo)), ask("get", "6", "", `<blocklist xmlns='urn:xmpp:blocking'/>`))
	alice.gets(fails("iq", "1", "bad-request"), fails("iq", "2", "jid-malformed"), fails("iq", "3", "bad-request"), fails("iq", "4", "bad-request"),
		fails("iq", "5", unavailable), `<iq type='result' id='6'><blocklist xmlns='urn:xmpp:blocking'/></iq>`)
}
