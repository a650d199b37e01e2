package featuretest

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// questions are the ids of what the server asks a session about capabilities.
func (c *client) questions() []string {
	var ids []string
	for _, st := range c.take() {
		if st.Kind == stanza.IQ && st.Type == "get" {
			ids = append(ids, st.ID)
		}
	}
	return ids
}

// The class of the vulnerability that ejabberd 26.07 corrected: a false answer about a hash counts for nobody else.
func TestEjabberd2607_CapsPoisoning(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob", "carol")
	for _, who := range []string{bobBare, "carol@example.org"} {
		s.put(aliceBare, who, roster.Item{Subscription: roster.Both})
		s.put(who, aliceBare, roster.Item{Subscription: roster.Both})
	}
	wanting := announce(nick + "+notify")
	alice, bob, carol := s.online(alicePC), s.login(bobDesk), s.login("carol@example.org/x")
	carol.sends(wanting.presence())
	bob.sends(wanting.presence())
	if asked := bob.questions(); len(asked) != 0 {
		t.Error("two sessions were asked about one hash")
	}
	asked := carol.questions()
	if len(asked) != 1 {
		t.Fatal(asked)
	}
	carol.sends(strings.Replace(wanting.answer(asked[0]), nick+"+notify", "urn:other+notify", 1))
	asked = bob.questions()
	if len(asked) != 1 {
		t.Fatalf("the next session was not asked: %v", asked)
	}
	bob.sends(wanting.answer("made up"), wanting.answer(asked[0]))
	carol.take()
	alice.take()
	alice.sends(pubsub("set", "1", "", publish(nick, "current", nickname("Al"))))
	bob.gets(event(bobDesk, published(nick, "current", nickname("Al"))))
	carol.gets()
	alice.sends(pubsub("set", "2", "", publish("urn:other", "current", `<x xmlns='urn:x'/>`)))
	carol.gets(event("carol@example.org/x", published("urn:other", "current", `<x xmlns='urn:x'/>`))) // what it said itself
	bob.gets()
	carol.sends(wanting.presence()) // it is asked again by nobody
	if asked := carol.questions(); len(asked) != 0 {
		t.Error(asked)
	}
}

// An answer that somebody else gives, or that comes from elsewhere, is none.
func TestForgedAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	wanting := announce(nick + "+notify")
	bob := s.login(bobDesk)
	bob.sends(wanting.presence())
	asked := bob.questions()
	alice := s.online(alicePC)
	st := strings.Replace(wanting.answer(asked[0]), "<iq ", "<iq to='bob@example.org' ", 1)
	alice.sends(st)
	s.remote.sends(strings.Replace(st, "<iq ", "<iq from='romeo@remote.example/x' ", 1))
	second := s.login("bob@example.org/second")
	second.sends(wanting.presence())
	if got := second.questions(); len(got) != 0 { // the first one's answer is still awaited
		t.Error(got)
	}
	bob.drop()
	bob.sends(wanting.answer(asked[0]))
}

// Prosody's mod_pep: a request to an address without an account leaves nothing behind.
func TestProsodyPEP_NonexistentAccount(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	for range 3 {
		alice.sends(pubsub("set", "1", "nobody@example.org", publish(nick, "current", nickname("x"))), pubsub("get", "2", "nobody@example.org", `<items node='`+nick+`'/>`))
		alice.gets(fails("iq", "1", "item-not-found"), fails("iq", "2", "item-not-found"))
	}
	count := 0
	if err := s.store.Reader().QueryRow(`SELECT count(*) FROM pubsub_nodes`).Scan(&count); err != nil || count != 0 {
		t.Error(count, err)
	}
}

// A session that goes on after the server was started again is asked what its presence announces.
func TestRestoredCapabilities(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	wanting := announce(nick + "+notify")
	alice := s.login(alicePC)
	st := parse(t, wanting.presence())
	st.From = alice.jid
	alice.port.(*router.Bound).Restore(router.Facts{Presence: &router.Presence{Stanza: st}})
	asked := alice.questions()
	if len(asked) != 1 {
		t.Fatal(asked)
	}
	alice.sends(wanting.answer(asked[0]), pubsub("set", "1", "", publish(nick, "current", nickname("Al"))))
	alice.gets(event(alicePC, published(nick, "current", nickname("Al"))), `<iq type='result' id='1'/>`)
}
