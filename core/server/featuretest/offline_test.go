package featuretest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func message(typ, from, to, inner string) string {
	x := `<message from='` + from + `' to='` + to + `'`
	if typ != "" {
		x += ` type='` + typ + `'`
	}
	return x + `>` + inner + `</message>`
}

func body(text string) string { return `<body>` + text + `</body>` }

const delayed = `<delay xmlns='urn:xmpp:delay' from='example.org' stamp='*'/>`

// checklist 56, 58, 64: messages are stored in order, survive a restart and are delivered once.
func TestOfflineMessages(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob")
	bob := s.online(bobDesk)
	negative := s.login("alice@example.org/negative") // a session with negative priority gets no messages
	negative.sends(`<presence><priority>-1</priority></presence>`)
	negative.take()
	for i := range 5 {
		bob.sends(message("chat", bobDesk, aliceBare, body(fmt.Sprint(i))))
	}
	bob.sends(message("", bobDesk, aliceBare, body("normal")+`<x xmlns='urn:x' a='b'><y/></x>`))
	negative.gets()
	bob.gets()
	s.stop()
	s = startAt(t, url)
	alice := s.login(alicePC)
	alice.sends(`<presence><priority>-5</priority></presence>`)
	alice.gets(presenceOf("", alicePC, aliceBare))
	alice.sends(`<presence><priority>0</priority></presence>`)
	want := []string{presenceOf("", alicePC, aliceBare)}
	for i := range 5 {
		want = append(want, message("chat", bobDesk, aliceBare, body(fmt.Sprint(i))+delayed))
	}
	alice.gets(append(want, message("", bobDesk, aliceBare, body("normal")+`<x xmlns='urn:x' a='b'><y/></x>`+delayed))...)
	alice.sends(`<presence/>`, `<presence type='unavailable'/>`, `<presence/>`)
	alice.take()
	s.settle()
	s.nothingStored(alice.jid)
}

// nothingStored waits until what was delivered is deleted.
func (s *testServer) nothingStored(account jid.JID) {
	s.t.Helper()
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		list, err := s.store.OfflineMessages(s.t.Context(), account.Bare(), 0, 10)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(list) == 0 {
			return
		}
		if time.Now().After(limit) {
			s.t.Fatalf("%d messages are left", len(list))
		}
	}
}

// checklist 56, 57, 64: messages that are not stored.
func TestMessagesThatAreNotStored(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Server.Silent = true }, "alice", "bob")
	bob := s.online(bobDesk)
	for _, to := range []string{aliceBare, "nobody@example.org"} { // both get the same answers: 113
		for i, c := range []struct{ typ, inner, answer string }{
			{"chat", `<composing xmlns='http://jabber.org/protocol/chatstates'/>`, ""},
			{"chat", `<gone xmlns='http://jabber.org/protocol/chatstates'/><thread>1</thread>`, ""},
			{"chat", body("secret") + `<no-store xmlns='urn:xmpp:hints'/>`, ""},
			{"chat", body("kept"), ""},
			{"groupchat", body("x"), "service-unavailable"},
			{"headline", body("x"), ""},
			{"error", body("x"), ""},
		} {
			id := fmt.Sprint(i)
			bob.sends(strings.Replace(message(c.typ, bobDesk, to, c.inner), "<message", "<message id='"+id+"'", 1))
			if c.answer == "" {
				bob.gets()
			} else {
				bob.gets(fails("message", id, c.answer))
			}
		}
	}
	s.settle()
	alice := s.login(alicePC)
	alice.sends(`<presence/>`)
	alice.gets(presenceOf("", alicePC, aliceBare), message("chat", bobDesk, aliceBare, body("kept")))
}

func TestStoreHint(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.remote.sends(message("chat", romeo, aliceBare, `<active xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>`),
		message("chat", romeo, aliceBare, `<received xmlns='urn:xmpp:receipts' id='1'/>`))
	alice := s.login(alicePC)
	alice.sends(`<presence/>`)
	if got := alice.take(); len(got) != 3 {
		t.Error(show(got))
	}
}

func TestOfflineIsBounded(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Limits.OfflineMessages, c.Limits.OfflineBytes = 6, 1200 }, "alice", "bob")
	bob := s.online(bobDesk)
	send := func(id, text string) {
		bob.sends(`<message to='alice@example.org' type='chat' id='` + id + `'>` + body(text) + `</message>`)
	}
	// The room of messages that were delivered is free when their deletion is committed.
	sendUntilStored := func(id string) {
		t.Helper()
		for limit := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			send(id, "x")
			if answers := bob.take(); len(answers) == 0 {
				return
			} else if time.Now().After(limit) {
				t.Fatal(show(answers))
			}
		}
	}
	for round := range 2 { // also after it has been emptied
		sendUntilStored("0")
		send("1", "x")
		send("2", "x")
		bob.gets()
		send("full", "x")
		bob.gets(fails("message", "full", "service-unavailable"))
		alice := s.login(alicePC)
		alice.sends(`<presence/>`)
		if got := alice.take(); len(got) != 4 {
			t.Errorf("round %d: %s", round, show(got))
		}
		alice.drop()
	}
	sendUntilStored("fits")
	send("long", strings.Repeat("x", 600))
	bob.gets(fails("message", "long", "service-unavailable"))
	send("fits too", "x")
	bob.gets()
}

// A delay in the server's name is removed from what others send: a sender cannot forge the time of arrival.
func TestForgedDelay(t *testing.T) {
	t.Parallel()
	for name, element := range map[string]string{"XEP-0203": "delay xmlns='urn:xmpp:delay'", "XEP-0091": "x xmlns='jabber:x:delay'"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "alice", "bob")
			forged := "<" + element + " from='example.org' stamp='2001-01-01T00:00:00Z'/><" + element + " from='remote.example' stamp='2002-01-01T00:00:00Z'/>" +
				"<" + element + " from='alice@example.org' stamp='2001-01-01T00:00:00Z'/>"
			s.remote.sends(message("chat", romeo, aliceBare, body("kept")+forged))
			alice := s.login(alicePC)
			alice.sends(`<presence/>`)
			s.remote.sends(message("chat", romeo, aliceBare, body("live")+forged))
			got := alice.take()[1:]
			if len(got) != 2 || strings.Contains(show(got), "='2001-") || strings.Count(show(got), "='2002-") != 2 || strings.Count(show(got), "from='example.org'") != 1 {
				t.Error(show(got))
			}
			// Directed presence, and what an account of this server sends to others.
			bob := s.online(bobDesk)
			bob.sends(`<presence to='`+alicePC+`'>`+forged+`</presence>`, message("chat", bobDesk, aliceBare, body("local")+forged), message("chat", bobDesk, romeo, body("away")+forged))
			if got := alice.take(); len(got) != 2 || strings.Contains(show(got), "='2001-") || strings.Count(show(got), "='2002-") != 2 {
				t.Error(show(got))
			}
			if got := s.remote.take(); len(got) != 1 || strings.Contains(show(got), "from='example.org'") || !strings.Contains(show(got), "='2002-") {
				t.Error(show(got))
			}
		})
	}
}

// A message that was sent to a session but did not reach its client is stored again, with its first time of arrival.
func TestReturnedMessage(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.remote.sends(message("chat", romeo, aliceBare, body("x")))
	alice := s.login(alicePC)
	alice.sends(`<presence/>`)
	got := alice.take()[1]
	alice.drop()
	s.settle()
	s.host.Return(got)
	alice = s.login(alicePC)
	alice.sends(`<presence/>`)
	again := alice.take()
	if len(again) != 2 || again[1].Payload != got.Payload {
		t.Errorf("%s\n%s", got, show(again))
	}
}

// Each message that is sent during a login arrives exactly once, stored or live.
func TestMessagesDuringLogin(t *testing.T) {
	t.Parallel()
	for range 5 {
		s := startWith(t, func(c *config.Config) { c.Limits.OfflineMessages = 10_000 }, "alice")
		const n, senders = 100, 4
		var wg sync.WaitGroup
		for k := range senders {
			wg.Go(func() {
				for i := range n {
					s.router.Route(parse(t, message("chat", romeo, aliceBare, body(fmt.Sprintf("%d-%d", k, i)))))
				}
			})
		}
		phone, pc := s.login("alice@example.org/phone"), s.login(alicePC)
		wg.Go(func() { phone.sends(`<presence/>`) })
		wg.Go(func() { pc.sends(`<presence/>`) })
		wg.Wait()
		s.settle()
		seen := map[string]int{}
		for _, c := range []*client{phone, pc} {
			mine := map[string]bool{}
			for _, st := range c.take() {
				if b := st.Body(); b != "" {
					if mine[b] {
						t.Fatalf("%s came twice to %s", b, c.jid)
					}
					mine[b] = true
					seen[b]++
				}
			}
		}
		if len(seen) != n*senders {
			t.Fatalf("%d of %d messages arrived", len(seen), n*senders)
		}
		s.nothingStored(pc.jid)
	}
}
