package featuretest

import (
	"testing"
)

func (c *client) carbons() *client {
	c.t.Helper()
	c.sends(`<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`)
	c.gets(result("c"))
	return c
}

func carbon(direction, typ, to, inner string) string {
	x := `<message from='alice@example.org' to='` + to + `'`
	if typ != "" {
		x += ` type='` + typ + `'`
	}
	return x + `><` + direction + ` xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>` + inner + `</forwarded></` + direction + `></message>`
}

func forwarded(typ, from, to, inner string) string {
	x := `<message xmlns='jabber:client' from='` + from + `' to='` + to + `'`
	if typ != "" {
		x += ` type='` + typ + `'`
	}
	return x + `>` + inner + `</message>`
}

const (
	phoneJID  = "alice@example.org/phone"
	tabletJID = "alice@example.org/tablet"
)

// checklist 118
func TestCarbons(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	pc, phone, tablet, bob := s.login(alicePC), s.login(phoneJID).carbons(), s.login(tabletJID), s.online(bobDesk)
	pc.sends(`<presence/>`)
	tablet.carbons()
	tablet.take()
	pc.take()

	pc.sends(message("chat", "", bobBare, body("out")))
	bob.gets(message("chat", alicePC, bobBare, body("out")))
	phone.gets(carbon("sent", "chat", phoneJID, forwarded("chat", alicePC, bobBare, body("out"))))
	tablet.gets(carbon("sent", "chat", tabletJID, forwarded("chat", alicePC, bobBare, body("out"))))
	pc.gets()

	bob.sends(message("chat", "", alicePC, body("in")))
	pc.gets(message("chat", bobDesk, alicePC, body("in")))
	stamped := body("in") + `<stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='*'/>`
	phone.gets(carbon("received", "chat", phoneJID, forwarded("chat", bobDesk, alicePC, stamped)))
	tablet.take()

	tablet.sends(`<presence/>`) // now the bare address is hers as well
	tablet.take()
	pc.take()
	bob.sends(message("chat", "", aliceBare, body("both")))
	pc.gets(message("chat", bobDesk, aliceBare, body("both")))
	tablet.gets(message("chat", bobDesk, aliceBare, body("both")))
	phone.gets(carbon("received", "chat", phoneJID, forwarded("chat", bobDesk, aliceBare, body("both"))))

	phone.sends(`<iq type='set' id='d'><disable xmlns='urn:xmpp:carbons:2'/></iq>`, `<iq type='get' id='e'><enable xmlns='urn:xmpp:carbons:2'/></iq>`, `<iq type='set' id='f'><other xmlns='urn:xmpp:carbons:2'/></iq>`)
	phone.gets(result("d"), fails("iq", "e", "bad-request"), fails("iq", "f", "bad-request"))
	bob.sends(message("chat", "", alicePC, body("no more")), `<iq type='set' id='g' to='alice@example.org'><enable xmlns='urn:xmpp:carbons:2'/></iq>`)
	bob.gets(fails("iq", "g", "service-unavailable"))
	phone.gets()
}

// checklist 118: XEP-0280 §6.1, §9
func TestWhatIsCopied(t *testing.T) {
	t.Parallel()
	const (
		room    = "room@muc.example"
		pm      = `<x xmlns='http://jabber.org/protocol/muc#user'/>`
		invite  = `<x xmlns='http://jabber.org/protocol/muc#user'><invite from='r@x.example'/></x>`
		private = `<private xmlns='urn:xmpp:carbons:2'/>`
		noCopy  = `<no-copy xmlns='urn:xmpp:hints'/>`
	)
	for name, c := range map[string]struct {
		typ, other, inner string
		out, in           bool
	}{
		"chat":              {"chat", romeo + "/x", body("x"), true, true},
		"chat state":        {"chat", romeo + "/x", `<active xmlns='http://jabber.org/protocol/chatstates'/>`, true, true},
		"normal, body":      {"", romeo, body("x"), true, true},
		"normal, receipt":   {"normal", romeo, `<received xmlns='urn:xmpp:receipts' id='1'/>`, true, true},
		"normal, marker":    {"", romeo, `<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>`, true, true},
		"normal, other":     {"", romeo, `<x xmlns='urn:other'/>`, false, false},
		"direct invite":     {"", romeo, `<x xmlns='jabber:x:conference' jid='r@x.example'/>`, true, true},
		"mediated invite":   {"", room, invite, true, true},
		"groupchat":         {"groupchat", room + "/n", body("x"), false, false},
		"headline":          {"headline", romeo, body("x"), false, false},
		"error":             {"error", romeo, body("x"), false, false},
		"private":           {"chat", romeo, body("x") + private, false, false},
		"no-copy":           {"chat", romeo, body("x") + noCopy, false, false},
		"private in a room": {"chat", room + "/n", body("x") + pm, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "alice")
			pc, phone := s.login(alicePC), s.login(phoneJID).carbons()
			pc.sends(message(c.typ, "", c.other, c.inner))
			if got := phone.take(); len(got) == 1 != c.out {
				t.Errorf("sent: %s", show(got))
			}
			s.remote.sends(message(c.typ, c.other, alicePC, c.inner))
			if got := phone.take(); len(got) == 1 != c.in {
				t.Errorf("received: %s", show(got))
			}
			if got := pc.take(); len(got) != 1 {
				t.Errorf("the message itself: %s", show(got))
			}
		})
	}
}

// What one sends to oneself comes once to each session.
func TestCarbonsOfNotesToSelf(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	pc, phone, tablet := s.login(alicePC).carbons(), s.login(phoneJID).carbons(), s.login(tabletJID).carbons()
	for _, c := range []*client{pc, phone} {
		c.sends(`<presence/>`)
	}
	pc.take()
	phone.take()
	pc.sends(message("chat", "", aliceBare, body("note")))
	pc.gets(message("chat", alicePC, aliceBare, body("note")))
	phone.gets(message("chat", alicePC, aliceBare, body("note")))
	tablet.gets(carbon("received", "chat", tabletJID, forwarded("chat", alicePC, aliceBare, body("note"))))
}

// A copy that its session never had is not kept as if it were a message.
func TestCarbonsAreNotKept(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	pc, phone := s.login(alicePC), s.login(phoneJID).carbons()
	pc.sends(message("chat", "", romeo, body("x")))
	lost := phone.take()[0]
	phone.drop()
	pc.drop()
	s.host.Return(lost)
	s.settle()
	s.nothingStored(pc.jid)
}
