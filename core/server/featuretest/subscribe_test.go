package featuretest

import (
	"errors"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func presenceOf(typ, from, to string) string {
	x := `<presence from='` + from + `' to='` + to + `'`
	if typ != "" {
		x += ` type='` + typ + `'`
	}
	return x + `/>`
}

const (
	aliceBare = "alice@example.org"
	bobBare   = "bob@example.org"
	alicePC   = "alice@example.org/pc"
	bobDesk   = "bob@example.org/desk"
	romeo     = "romeo@remote.example"
)

// checklist 81, 83, 84: both sides of one host, from nothing to both and back
func TestLocalSubscription(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)

	alice.sends(`<presence type='subscribe' to='bob@example.org/ignored' id='s1'><nick xmlns='n'>Al</nick></presence>`)
	alice.gets(push(`<item jid='bob@example.org' subscription='none' ask='subscribe'/>`))
	bob.gets(`<presence type='subscribe' from='alice@example.org' to='bob@example.org' id='s1'><nick xmlns='n'>Al</nick></presence>`)

	bob.sends(`<presence type='subscribed' to='alice@example.org'/>`)
	bob.gets(push(`<item jid='alice@example.org' subscription='from' ask='-'/>`))
	alice.gets(
		presenceOf("subscribed", bobBare, aliceBare), // RFC 6121 §3.1.6: before the push
		push(`<item jid='bob@example.org' subscription='to' ask='-'/>`),
		presenceOf("", bobDesk, aliceBare))

	bob.sends(`<presence type='subscribe' to='alice@example.org'/>`)
	alice.gets(presenceOf("subscribe", bobBare, aliceBare))
	alice.sends(`<presence type='subscribed' to='bob@example.org'/>`)
	alice.gets(push(`<item jid='bob@example.org' subscription='both'/>`))
	bob.gets(
		push(`<item jid='alice@example.org' subscription='from' ask='subscribe'/>`),
		presenceOf("subscribed", aliceBare, bobBare), push(`<item jid='alice@example.org' subscription='both'/>`),
		presenceOf("", alicePC, bobBare))

	alice.sends(`<presence><show>away</show></presence>`)
	alice.gets(`<presence from='alice@example.org/pc'><show>away</show></presence>`)
	bob.gets(`<presence from='alice@example.org/pc'><show>away</show></presence>`)

	// Alice looks away.
	alice.sends(`<presence type='unsubscribe' to='bob@example.org'/>`)
	alice.gets(
		push(`<item jid='bob@example.org' subscription='from'/>`),
		presenceOf("unavailable", bobDesk, aliceBare))
	bob.gets(presenceOf("unsubscribe", aliceBare, bobBare), push(`<item jid='alice@example.org' subscription='to'/>`))

	// Alice does not want to be seen either.
	alice.sends(`<presence type='unsubscribed' to='bob@example.org'/>`)
	alice.gets(push(`<item jid='bob@example.org' subscription='none'/>`))
	bob.gets(presenceOf("unavailable", alicePC, bobBare),
		presenceOf("unsubscribed", aliceBare, bobBare), push(`<item jid='alice@example.org' subscription='none'/>`))
}

// checklist 82: kept whole, one of each, until it is answered, also over a restart
func TestRequestsWait(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob")
	s.remote.sends(
		`<presence type='subscribe' from='romeo@remote.example/x' to='alice@example.org/y' id='1'><a xmlns='urn:a' k='v'>first</a></presence>`,
		`<presence type='subscribe' from='romeo@remote.example' to='alice@example.org' id='2'><a xmlns='urn:a'>second</a></presence>`)
	bob := s.online(bobDesk)
	bob.sends(`<presence type='subscribe' to='alice@example.org'/>`)
	want := `<presence type='subscribe' from='romeo@remote.example' to='alice@example.org' id='1'><a xmlns='urn:a' k='v'>first</a></presence>`
	s.stop()
	s = startAt(t, url)
	for range 2 {
		alice := s.login(alicePC)
		alice.sends(get("r", ""), `<presence/>`)
		alice.gets(`<iq type='result' id='r'><query xmlns='jabber:iq:roster'/></iq>`, // 72: not in the roster
			presenceOf("", alicePC, aliceBare), want, presenceOf("subscribe", bobBare, aliceBare))
		alice.sends(`<presence><show>dnd</show></presence>`) // no new session, no new delivery
		alice.gets(`<presence from='alice@example.org/pc'/>`)
		alice.drop()
	}
	if items, _, err := s.store.Roster(t.Context(), jid.MustParse(aliceBare), ""); err != nil || len(items) != 0 {
		t.Error(items, err)
	}
	alice := s.online(alicePC)
	alice.sends(`<presence type='unsubscribed' to='romeo@remote.example'/>`) // declined
	alice.gets()
	s.remote.gets(presenceOf("unsubscribed", aliceBare, romeo))
	s.remote.sends(`<presence type='unsubscribe' from='bob@example.org' to='alice@example.org'/>`) // taken back
	alice.gets(presenceOf("unsubscribe", bobBare, aliceBare))
	alice.drop()
	alice = s.login(alicePC)
	alice.sends(`<presence/>`)
	alice.gets(presenceOf("", alicePC, aliceBare))
}

func TestLongRequestIsKeptWithoutItsLoad(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.remote.sends(`<presence type='subscribe' from='romeo@remote.example' to='alice@example.org' id='1'><status>` + strings.Repeat("x", 5000) + `</status></presence>`)
	alice := s.login(alicePC)
	alice.sends(`<presence/>`)
	if got := alice.take(); len(got) != 2 || got[1].Payload != "" || got[1].ID != "1" {
		t.Error(show(got))
	}
}

// checklist 77, 83: somebody who is subscribed already and asks again
func TestSubscribedAlready(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	s.remote.sends(presenceOf("subscribe", romeo, aliceBare))
	alice.sends(`<presence type='subscribed' to='romeo@remote.example'/>`)
	alice.take()
	s.remote.gets(presenceOf("subscribed", aliceBare, romeo), presenceOf("", alicePC, romeo))
	s.remote.sends(`<presence type='subscribe' from='romeo@remote.example' to='alice@example.org' id='again'/>`)
	s.remote.gets(`<presence type='subscribed' from='alice@example.org' to='romeo@remote.example' id='again'/>`, presenceOf("", alicePC, romeo))
	alice.gets()
}

// checklist 75, 77, 85, 86
func TestPreApproval(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	alice.sends(`<presence type='subscribed' to='romeo@remote.example'/>`)
	s.remote.gets()
	alice.gets(push(`<item jid='romeo@remote.example' subscription='none' approved='true'/>`))
	s.remote.sends(presenceOf("probe", romeo, aliceBare)) // must not cancel it
	s.remote.gets(presenceOf("unsubscribed", aliceBare, romeo))
	s.remote.sends(presenceOf("subscribe", romeo, aliceBare))
	s.remote.gets(presenceOf("subscribed", aliceBare, romeo), presenceOf("", alicePC, romeo))
	alice.gets(push(`<item jid='romeo@remote.example' subscription='from' approved='true'/>`))
	alice.sends(`<presence type='unsubscribed' to='romeo@remote.example'/>`)
	alice.gets(push(`<item jid='romeo@remote.example' subscription='none' approved='-'/>`))
	s.remote.gets(presenceOf("unavailable", alicePC, romeo), presenceOf("unsubscribed", aliceBare, romeo))
	s.remote.sends(presenceOf("subscribe", romeo, aliceBare)) // from now on she is asked again
	s.remote.gets()
	alice.gets(presenceOf("subscribe", romeo, aliceBare))
}

// checklist 69: what ends with the item
func TestRemovedContact(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		item     roster.Item
		notified []string
	}{
		"none": {roster.Item{Subscription: roster.None}, nil},
		"ask":  {roster.Item{Subscription: roster.None, Ask: true}, []string{"unsubscribe"}},
		"to":   {roster.Item{Subscription: roster.To}, []string{"unsubscribe"}},
		"from": {roster.Item{Subscription: roster.From}, []string{"unavailable", "unsubscribed"}},
		"both": {roster.Item{Subscription: roster.Both}, []string{"unavailable", "unsubscribe", "unsubscribed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "alice")
			s.put(aliceBare, romeo, c.item)
			alice := s.online(alicePC)
			s.remote.take()
			alice.sends(set("1", `<item jid='romeo@remote.example' subscription='remove'/>`))
			alice.gets(push(`<item jid='romeo@remote.example' subscription='remove'/>`), result("1"))
			var want []string
			for _, typ := range c.notified {
				from := aliceBare
				if typ == "unavailable" {
					from = alicePC
				}
				want = append(want, presenceOf(typ, from, romeo))
			}
			s.remote.gets(want...)
		})
	}
	t.Run("request", func(t *testing.T) {
		t.Parallel()
		s := start(t, "alice")
		alice := s.online(alicePC)
		alice.sends(set("1", `<item jid='romeo@remote.example'/>`))
		s.remote.sends(presenceOf("subscribe", romeo, aliceBare))
		alice.sends(set("2", `<item jid='romeo@remote.example' subscription='remove'/>`))
		s.remote.gets(presenceOf("unsubscribed", aliceBare, romeo))
		alice.drop()
		alice = s.login(alicePC)
		alice.sends(`<presence/>`)
		alice.gets(presenceOf("", alicePC, aliceBare))
	})
}

// put makes an item without asking anybody.
func (s *testServer) put(account, contact string, item roster.Item) {
	s.t.Helper()
	err := s.store.ChangeRoster(s.t.Context(), jid.MustParse(account), jid.MustParse(contact), func(e *roster.Entry) error {
		item.JID = e.JID
		e.Item, e.Listed = item, true
		return nil
	}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
}

// checklist 84, 96, 113: nobody is there, and nothing tells
func TestSubscriptionToNobody(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	alice.sends(`<presence type='subscribe' to='nobody@example.org'/>`)
	alice.gets(push(`<item jid='nobody@example.org' subscription='none' ask='subscribe'/>`))
	alice.sends(`<presence type='subscribe' to='alice@example.org'/>`, `<presence type='unsubscribe' to='alice@example.org/x'/>`)
	alice.gets()
	for _, typ := range []string{"subscribe", "subscribed", "unsubscribe", "unsubscribed", "", "unavailable"} {
		s.remote.sends(presenceOf(typ, romeo, "nobody@example.org"))
	}
	s.remote.gets()
	_, _, err := s.store.Roster(t.Context(), jid.MustParse("nobody@example.org"), "")
	if !errors.Is(err, roster.ErrNoAccount) {
		t.Error(err)
	}
}
