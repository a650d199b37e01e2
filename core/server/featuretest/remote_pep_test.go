package featuretest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const romeoPC = romeo + "/pc"

// from gives a stanza that an entity of another server sends its addresses.
func from(sender, to, xml string) string {
	xml = strings.Replace(xml, " to='example.org'", "", 1)
	i := strings.IndexAny(xml, " >/")
	return xml[:i] + " from='" + sender + "' to='" + to + "'" + xml[i:]
}

// remoteQuestions are the ids of what the server asks sessions of another server about capabilities.
func (s *testServer) remoteQuestions() (ids []string) {
	for _, st := range s.remote.take() {
		if st.Kind == stanza.IQ && st.Type == "get" {
			ids = append(ids, st.ID)
		}
	}
	return ids
}

// TestNotifyRemoteContact notifies the session of a contact on another server of what it wants, from its presence on and until it goes.
func TestNotifyRemoteContact(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.put(aliceBare, romeo, roster.Item{Subscription: roster.Both})
	alice := s.login(alicePC)
	alice.sends(pubsub("set", "1", "", publish(nick, "current", nickname("Al"))))
	alice.take()
	wanting := announce(nick + "+notify")
	s.remote.sends(from(romeoPC, aliceBare, wanting.presence())) // also while no session of the account is available
	asked := s.remoteQuestions()
	if len(asked) != 1 {
		t.Fatalf("asked %v", asked)
	}
	s.remote.sends(from(romeoPC, aliceBare, wanting.answer(asked[0])))
	s.remote.gets(event(romeoPC, published(nick, "current", nickname("Al")))) // XEP-0163 §4.3.4
	s.remote.sends(from(romeoPC, aliceBare, wanting.presence()))
	s.remote.gets() // nothing has changed
	alice.sends(pubsub("set", "2", "", publish(nick, "current", nickname("Ally"))))
	s.remote.gets(event(romeoPC, published(nick, "current", nickname("Ally"))))
	alice.sends(pubsub("set", "3", "", publish("urn:other", "current", `<x xmlns='urn:x'/>`)))
	s.remote.gets()
	second := romeo + "/phone" // the hash is known
	s.remote.sends(from(second, aliceBare, wanting.presence()))
	s.remote.gets(event(second, published(nick, "current", nickname("Ally"))))
	for _, end := range []string{
		from(romeoPC, aliceBare, `<presence type='unavailable'/>`),
		from(second, aliceBare, `<message type='error'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`),
	} {
		s.remote.sends(end)
	}
	alice.sends(pubsub("set", "4", "", publish(nick, "current", nickname("A"))))
	s.remote.gets()
	s.remote.sends(from(romeoPC, aliceBare, wanting.presence()), from(romeoPC, aliceBare, `<presence/>`)) // without capabilities
	s.remote.take()
	alice.sends(pubsub("set", "5", "", publish(nick, "current", nickname("B"))))
	s.remote.gets()
}

// TestRemoteContactSeesWhatItMay sends nothing to those who may not see the node, or the account: not to strangers, to who is blocked, or to whom
// the account does not share its presence with.
func TestRemoteContactSeesWhatItMay(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	const only, blocked, stranger = "only@remote.example", "blocked@remote.example", "stranger@remote.example"
	s.put(aliceBare, romeo, roster.Item{Subscription: roster.Both, Groups: []string{"Friends"}})
	s.put(aliceBare, only, roster.Item{Subscription: roster.To})
	s.put(aliceBare, blocked, roster.Item{Subscription: roster.Both})
	alice := s.login(alicePC)
	alice.sends(`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='` + blocked + `'/></block></iq>`)
	s.remote.take()
	wanting := announce(nick+"+notify", "urn:friends+notify")
	answered := false
	for _, who := range []string{romeo, only, blocked, stranger} {
		s.remote.sends(from(who+"/pc", aliceBare, wanting.presence()))
		if asked := s.remoteQuestions(); len(asked) > 0 {
			s.remote.sends(from(who+"/pc", aliceBare, wanting.answer(asked[0])))
			answered = true
		}
	}
	if !answered {
		t.Fatal("nobody was asked")
	}
	s.remote.take()
	alice.sends(pubsub("set", "1", "", publish(nick, "current", nickname("Al"))),
		pubsub("set", "2", "", publish("urn:friends", "current", `<x xmlns='urn:x'/>`)+options("pubsub#access_model", "roster", "pubsub#roster_groups_allowed", "Friends")))
	s.remote.gets(event(romeoPC, published(nick, "current", nickname("Al"))), event(romeoPC, published("urn:friends", "current", `<x xmlns='urn:x'/>`)))
	// A contact whose request is granted gets the last items that it may see.
	s.remote.sends(presenceOf("subscribe", only, aliceBare))
	alice.sends(`<presence type='subscribed' to='` + only + `'/>`)
	got := show(s.remote.take())
	if !strings.Contains(got, "to='"+only+"/pc'") || !strings.Contains(got, nickname("Al")) || strings.Contains(got, "urn:friends") {
		t.Error(got)
	}
	alice.sends(`<presence type='unsubscribed' to='` + romeo + `'/>`)
	s.remote.take()
	alice.sends(pubsub("set", "3", "", publish(nick, "current", nickname("Ally"))))
	s.remote.gets(event(only+"/pc", published(nick, "current", nickname("Ally"))))
}

// TestRemoteCapsPoisoning: a false answer of another server about a hash counts for nobody else, and what comes from elsewhere is none.
func TestRemoteCapsPoisoning(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	const eve = "eve@evil.example"
	s.put(aliceBare, romeo, roster.Item{Subscription: roster.Both})
	s.put(aliceBare, eve, roster.Item{Subscription: roster.Both})
	alice := s.online(alicePC)
	s.remote.take()
	wanting := announce(nick + "+notify")
	s.remote.sends(from(eve+"/x", aliceBare, wanting.presence()))
	asked := s.remoteQuestions()
	s.remote.sends(from(romeoPC, aliceBare, wanting.presence()))
	if len(asked) != 1 || len(s.remoteQuestions()) != 0 {
		t.Fatal("two sessions were asked about one hash, or none")
	}
	s.remote.sends(
		from(romeoPC, aliceBare, wanting.answer(asked[0])), // which was not asked
		from(eve+"/x", aliceBare, strings.Replace(wanting.answer(asked[0]), nick+"+notify", "urn:evil+notify", 1)))
	asked = s.remoteQuestions()
	if len(asked) != 1 {
		t.Fatalf("the next session was not asked: %v", asked)
	}
	s.remote.sends(from(romeoPC, aliceBare, wanting.answer(asked[0])))
	alice.take()
	alice.sends(pubsub("set", "1", "", publish(nick, "current", nickname("Al"))))
	s.remote.gets(event(romeoPC, published(nick, "current", nickname("Al"))))
	alice.sends(pubsub("set", "2", "", publish("urn:evil", "current", `<x xmlns='urn:x'/>`)))
	s.remote.gets(event(eve+"/x", published("urn:evil", "current", `<x xmlns='urn:x'/>`))) // what it said itself
}

// TestRemoteSessionsBounded keeps a limited number of sessions of a contact, and asks one that changes its hash again and again only twice.
func TestRemoteSessionsBounded(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.put(aliceBare, romeo, roster.Item{Subscription: roster.Both})
	alice := s.online(alicePC)
	s.remote.take()
	for i := range 50 {
		s.remote.sends(from(romeoPC, aliceBare, announce(fmt.Sprint("urn:x:", i)).presence()))
	}
	if n := len(s.remoteQuestions()); n != 2 {
		t.Errorf("%d questions", n)
	}
	wanting := announce(nick + "+notify")
	s.remote.sends(from(romeo+"/0", aliceBare, wanting.presence()))
	s.remote.sends(from(romeo+"/0", aliceBare, wanting.answer(s.remoteQuestions()[0])))
	for i := range 100 {
		s.remote.sends(from(fmt.Sprint(romeo, "/", i), aliceBare, wanting.presence()))
	}
	s.remote.take()
	alice.sends(pubsub("set", "1", "", publish(nick, "current", nickname("Al"))))
	if n := len(s.remote.take()); n != 20 {
		t.Errorf("%d sessions of a contact are notified", n)
	}
}

// TestRemoteQuestionsOfOneDomain: sessions that a server makes up, and that answer nothing, leave questions for contacts on others.
func TestRemoteQuestionsOfOneDomain(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.put(aliceBare, romeo, roster.Item{Subscription: roster.Both})
	s.put(aliceBare, "benvolio@friends.example", roster.Item{Subscription: roster.Both})
	s.online(alicePC)
	s.remote.take()
	for i := range 2100 {
		s.remote.sends(from(fmt.Sprint(romeo, "/", i), aliceBare, announce(fmt.Sprint("urn:x:", i)).presence()))
	}
	if n := len(s.remoteQuestions()); n != 200 {
		t.Errorf("%d questions", n)
	}
	s.remote.sends(from("benvolio@friends.example/pc", aliceBare, announce("urn:y").presence()))
	if n := len(s.remoteQuestions()); n != 1 {
		t.Errorf("%d questions to another server", n)
	}
}

// TestRemoteOccupantsAreNoContacts learns nothing from presence that is sent to a session, as a room sends it.
func TestRemoteOccupantsAreNoContacts(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.put(aliceBare, "room@muc.example", roster.Item{Subscription: roster.Both})
	s.online(alicePC)
	s.remote.take()
	s.remote.sends(from("room@muc.example/nick", alicePC, announce(nick+"+notify").presence()))
	if asked := s.remoteQuestions(); len(asked) != 0 {
		t.Error(asked)
	}
}
