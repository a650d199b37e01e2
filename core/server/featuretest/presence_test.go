package featuretest

import (
	"context"
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// friends is alice with a contact of each kind, all far away.
func friends(t *testing.T) *testServer {
	s := start(t, "alice", "bob")
	for _, c := range []struct {
		name string
		sub  roster.Subscription
	}{{"none", roster.None}, {"to", roster.To}, {"from", roster.From}, {"both", roster.Both}} {
		s.put(aliceBare, c.name+"@remote.example", roster.Item{Subscription: c.sub})
	}
	return s
}

// checklist 87, 88, 89
func TestBroadcast(t *testing.T) {
	t.Parallel()
	s := friends(t)
	alice := s.login(alicePC)
	alice.sends(`<presence type='unavailable'/>`) // she was not there yet: nobody cares
	alice.gets()
	s.remote.gets()
	alice.sends(`<presence id='p'><status>hi</status></presence>`)
	alice.gets(`<presence from='alice@example.org/pc' to='alice@example.org' id='p'><status>hi</status></presence>`)
	s.remote.gets(
		`<presence from='alice@example.org/pc' to='both@remote.example' id='p'><status>hi</status></presence>`,
		`<presence from='alice@example.org/pc' to='from@remote.example' id='p'><status>hi</status></presence>`,
		presenceOf("probe", aliceBare, "both@remote.example"), presenceOf("probe", aliceBare, "to@remote.example"))

	phone := s.login("alice@example.org/phone")
	phone.sends(`<presence><priority>-1</priority></presence>`)
	phone.gets(presenceOf("", "alice@example.org/phone", aliceBare), `<presence from='alice@example.org/pc' id='p'><status>hi</status></presence>`)
	alice.gets(presenceOf("", "alice@example.org/phone", aliceBare))
	s.remote.take()

	phone.sends(`<presence><show>xa</show></presence>`) // an update: no probes
	for _, c := range []*client{alice, phone} {
		c.gets(`<presence from='alice@example.org/phone'><show>xa</show></presence>`)
	}
	s.remote.gets(presenceOf("", "alice@example.org/phone", "both@remote.example"), presenceOf("", "alice@example.org/phone", "from@remote.example"))

	phone.sends(`<presence type='unavailable'><status>bye</status></presence>`)
	gone := `<presence from='alice@example.org/phone' type='unavailable'><status>bye</status></presence>`
	alice.gets(gone)
	phone.gets(gone)
	s.remote.gets(gone, gone)
	phone.drop() // it has said so already
	s.remote.gets()
	alice.gets()

	alice.drop()
	s.remote.gets(presenceOf("unavailable", alicePC, "both@remote.example"), presenceOf("unavailable", alicePC, "from@remote.example"))

	again := s.login(alicePC)
	again.sends(`<presence/>`, `<presence type='unavailable'/>`)
	s.remote.take()
	again.sends(`<presence/>`) // initial once more
	s.remote.getsSome(presenceOf("", alicePC, "both@remote.example"), presenceOf("", alicePC, "from@remote.example"),
		presenceOf("probe", aliceBare, "both@remote.example"), presenceOf("probe", aliceBare, "to@remote.example"))
}

// The probe of a contact that is served by this process comes from the session that asks, so that the answer does not go to
// the account's other sessions.
func TestProbeOfInternalContact(t *testing.T) {
	t.Parallel()
	s := friends(t)
	inside := jid.MustParse("inside.example.org")
	s.put(aliceBare, "friend@"+inside.String(), roster.Item{Subscription: roster.To})
	e, err := s.router.Endpoint(inside)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *stanza.Stanza, 10)
	e.Handle(func(st *stanza.Stanza) { got <- st })
	s.login("alice@example.org/phone").sends("<presence/>")
	s.login(alicePC).sends("<presence/>")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := e.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	for _, from := range []string{"alice@example.org/phone", alicePC} {
		if st := <-got; st.Type != stanza.TypeProbe || st.From.String() != from || st.To.String() != "friend@inside.example.org" {
			t.Errorf("%s, want a probe from %s", st, from)
		}
	}
	cancel()
	<-ended
}

// checklist 89, 90
func TestDirectedPresence(t *testing.T) {
	t.Parallel()
	s := friends(t)
	alice := s.login(alicePC)
	room, friend := "room@muc.example/nick", "from@remote.example/phone"
	alice.sends(presenceOf("", alicePC, room)) // before any broadcast
	s.remote.gets(presenceOf("", alicePC, room))
	alice.sends(`<presence type='unavailable'/>`)
	s.remote.gets(presenceOf("unavailable", alicePC, room))
	alice.sends(`<presence/>`, presenceOf("", alicePC, room), presenceOf("", alicePC, "x@y.example"),
		presenceOf("", alicePC, friend), presenceOf("", alicePC, "left@muc.example/n"), presenceOf("", alicePC, "kicked@muc.example/n"))
	alice.sends(presenceOf("unavailable", alicePC, "left@muc.example/n"))
	s.remote.sends(presenceOf("unavailable", "kicked@muc.example/n", alicePC))
	alice.take()
	s.remote.take()
	alice.sends(`<presence><show>away</show></presence>`)
	s.remote.gets(presenceOf("", alicePC, "both@remote.example"), presenceOf("", alicePC, "from@remote.example"))
	alice.drop()
	s.remote.getsSome( // the friend is told once
		presenceOf("unavailable", alicePC, "both@remote.example"), presenceOf("unavailable", alicePC, "from@remote.example"),
		presenceOf("unavailable", alicePC, room), presenceOf("unavailable", alicePC, "x@y.example"))
}

func TestDirectedPresenceIsBounded(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.login(alicePC)
	for i := range router.MaxDirected {
		alice.sends(fmt.Sprintf(`<presence to='%d@muc.example/n'/>`, i))
	}
	alice.gets()
	alice.sends(`<presence to='more@muc.example/n' id='1'/>`)
	alice.gets(fails("presence", "1", "resource-constraint"))
}

// checklist 91, 92
func TestProbes(t *testing.T) {
	t.Parallel()
	s := friends(t)
	ask := func(from, to string) {
		s.remote.sends(`<presence type='probe' id='q' from='` + from + `' to='` + to + `'/>`)
	}
	refused := func(to string) string {
		return `<presence type='unsubscribed' id='q' from='alice@example.org' to='` + to + `'/>`
	}
	ask("from@remote.example", aliceBare) // never been there
	s.remote.gets(`<presence type='unavailable' id='q' from='alice@example.org' to='from@remote.example'/>`)
	alice := s.online(alicePC)
	alice.sends(`<presence id='mine'><status>hi</status></presence>`)
	s.remote.take()
	ask("from@remote.example", aliceBare)
	s.remote.gets(`<presence id='mine' from='alice@example.org/pc' to='from@remote.example'><status>hi</status></presence>`)
	ask("from@remote.example", alicePC) // one resource: that it is there, no more
	if got := s.remote.take(); len(got) != 1 || got[0].Payload != "" || got[0].Type != "" || got[0].From.String() != alicePC {
		t.Error(show(got))
	}
	ask("from@remote.example", aliceBare+"/nothing")
	s.remote.gets(`<presence type='unavailable' id='q' from='alice@example.org/nothing'/>`)
	for _, other := range []string{"none@remote.example", "to@remote.example", "mallory@remote.example/x"} {
		ask(other, aliceBare)
		ask(other, alicePC)
		s.remote.gets(refused(other), refused(other))
	}
	// A room knows that she is there, because she told it.
	alice.sends(`<presence to='room@muc.example/nick'/>`)
	s.remote.take()
	ask("room@muc.example", alicePC)
	ask("room@muc.example/nick", alicePC)
	ask("room@muc.example", alicePC+"x")
	got := s.remote.take()
	if len(got) != 3 || got[0].Payload+got[1].Payload+got[0].Type+got[1].Type != "" || got[2].Type != "unsubscribed" {
		t.Error(show(got))
	}
	alice.sends(`<presence type='unavailable'/>`)
	s.settle()
	s.remote.take()
	ask("from@remote.example", aliceBare)
	s.remote.gets(`<presence type='unavailable' id='q' from='alice@example.org'><delay xmlns='urn:xmpp:delay' stamp='*' from='example.org'/></presence>`)
	// A user asks a contact of the same server.
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.To})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.From})
	bob := s.online(bobDesk)
	bob.sends(`<presence><show>chat</show></presence>`)
	bob.take()
	alice.take()
	alice.sends(`<presence type='probe' to='bob@example.org'/>`)
	alice.gets(`<presence from='bob@example.org/desk'><show>chat</show></presence>`)
	bob.gets()
}

// checklist 91, 113
func TestProbeOfNobody(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.remote.sends(presenceOf("probe", romeo, "nobody@example.org"))
	s.remote.gets(presenceOf("unsubscribed", "nobody@example.org", romeo))
}

// checklist 87: a new session learns which contacts are available
func TestContactsOfTheSameHost(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.Both})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.Both})
	bob := s.online(bobDesk)
	alice := s.login(alicePC)
	alice.sends(`<presence/>`)
	alice.gets(presenceOf("", alicePC, aliceBare), presenceOf("", bobDesk, alicePC))
	bob.gets(presenceOf("", alicePC, bobBare))
	phone := s.login("alice@example.org/phone")
	phone.sends(`<presence/>`)
	alice.gets(presenceOf("", "alice@example.org/phone", aliceBare)) // and not Bob again
	phone.getsSome(presenceOf("", "alice@example.org/phone", aliceBare), presenceOf("", alicePC, aliceBare), presenceOf("", bobDesk, "alice@example.org/phone"))
	info := `<query xmlns='http://jabber.org/protocol/disco#info'/>` // only for those who may see the presence
	bob.take()
	bob.sends(ask("get", "1", aliceBare, info))
	bob.gets(result("1"))
	s.remote.sends(by(romeo, ask("get", "2", aliceBare, info)))
	s.remote.gets(fails("iq", "2", "service-unavailable"))
}

// A contact of a gateway is answered for by the gateway, as any other server's is.
func TestGatewayContact(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	const pat = "u1@gw.example.org"
	s.gateway.sends(presenceOf("subscribe", pat, aliceBare))
	alice := s.online(alicePC)
	alice.sends(`<presence type='subscribed' to='u1@gw.example.org'/>`, `<presence type='subscribe' to='u1@gw.example.org'/>`)
	s.gateway.gets(presenceOf("subscribed", aliceBare, pat), presenceOf("", alicePC, pat), presenceOf("subscribe", aliceBare, pat))
	s.gateway.sends(presenceOf("subscribed", pat, aliceBare), presenceOf("", pat+"/slack", aliceBare))
	alice.take()
	phone := s.login("alice@example.org/phone")
	phone.sends(`<presence/>`)
	s.gateway.gets(presenceOf("", "alice@example.org/phone", pat), presenceOf("probe", aliceBare, pat))
	s.gateway.sends(presenceOf("", pat+"/slack", aliceBare))
	alice.getsSome(presenceOf("", "alice@example.org/phone", aliceBare), presenceOf("", pat+"/slack", aliceBare))
}

// checklist 93, 95, 97
func TestPresenceThatIsNoBroadcast(t *testing.T) {
	t.Parallel()
	s := friends(t)
	alice, bob := s.online(alicePC), s.online(bobDesk)
	s.remote.take()
	alice.sends(`<presence to='example.org'/>`, `<presence to='bob@example.org/nothing'/>`)
	alice.gets()
	bob.gets()
	alice.sends(`<presence to='alice@example.org'><status>me</status></presence>`)
	alice.gets(`<presence from='alice@example.org/pc' to='alice@example.org'><status>me</status></presence>`)
	s.remote.gets()
	bob.sends(`<presence to='alice@example.org/pc' type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`)
	alice.gets(`<presence type='error' from='bob@example.org/desk'/>`)
	bob.gets()
}
