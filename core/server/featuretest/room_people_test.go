package featuretest

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func registersWith(id, nick string) string {
	return ask("set", id, lobby, `<query xmlns='jabber:iq:register'>`+submitted(mucNS+"#register", value("muc#register_roomnick", nick))+`</query>`)
}

func hasRole(id, nick, role string) string {
	return ask("set", id, lobby, `<query xmlns='`+mucNS+`#admin'><item nick='`+nick+`' role='`+role+`'/></query>`)
}

// What moderators have decided and what waits for them outlasts a restart, and ends with the account (XEP-0045 §5.1, §9.9).
func TestDecisionsAboutPeople(t *testing.T) {
	t.Parallel()
	url, data := storetest.URL(t), t.TempDir()
	start := func(accounts ...string) *testServer {
		return startWith(t, func(c *config.Config) {
			c.Store.URL, c.Server.Data, c.Accounts.DeletedNames = url, data, 0
		}, accounts...)
	}
	s := start("alice", "bob", "carol")
	alice, bob, carol := s.online(alicePC), s.online(bobDesk), s.online("carol@example.org/x")
	alice.to(lobby, enters(lobby, "Al"), ask("set", "c", lobby, `<query xmlns='`+mucNS+`#owner'>`+submitted(mucNS+"#roomconfig",
		value("muc#roomconfig_persistentroom", "1")+value("x-muc#roomconfig_registration", "approval"))+`</query>`))
	bob.to(lobby, enters(lobby, "Bob"))
	carol.to(lobby, enters(lobby, "Carol"), `<message type='groupchat' to='`+lobby+`' id='m'><body>secret plan</body></message>`)
	alice.to(lobby, hasRole("1", "Bob", "visitor"), hasRole("2", "Carol", "visitor"))
	bob.to(lobby, registersWith("3", "builder"))
	carol.to(lobby, registersWith("4", "dwarf"))
	if got := show(carol.take()); strings.Contains(got, "type='error'") {
		t.Fatal(got)
	}
	s.stop()

	s = start()
	bob, carol = s.online(bobDesk), s.online("carol@example.org/x")
	bob.to(lobby, enters(lobby, "Bob"), registersWith("5", "builder"))
	if got := show(bob.take()); !strings.Contains(got, "role='visitor'") || !strings.Contains(got, "<resource-constraint") {
		t.Errorf("a visitor who waits for an answer, after a restart: %s", got)
	}
	before, _ := occupantAndMessage(t, carol)
	carol.sends(`<iq type='set' id='bye'><query xmlns='jabber:iq:register'><remove/></query></iq>`)
	carol.take()
	if carol.ended() != "not-authorized" {
		t.Error("the session of a deleted account goes on")
	}
	carol.drop()
	s.removed("carol@example.org")

	s.create("carol")
	carol = s.online("carol@example.org/x")
	id, message := occupantAndMessage(t, carol)
	if id == before {
		t.Error("whoever gets the name has the occupant id of the predecessor")
	}
	carol.to(lobby, `<message type='groupchat' to='`+lobby+`' id='r'><retract xmlns='urn:xmpp:message-retract:1' id='`+message+`'/></message>`, registersWith("6", "dwarf"))
	if got := show(carol.take()); strings.Contains(got, "type='error'") || strings.Contains(got, "role='visitor'") {
		t.Errorf("whoever gets the name is treated as the predecessor: %s", got)
	}
	if lines, _, _ := carol.archived(lobby, `<query xmlns='urn:xmpp:mam:2'/>`); !strings.Contains(strings.Join(lines, "\n"), "secret plan") {
		t.Errorf("whoever gets the name has retracted the predecessor's message: %q", lines)
	}
}

// occupantAndMessage enters the room, and returns the own occupant id and the stanza-id of the message that the history shows.
func occupantAndMessage(t *testing.T, c *client) (occupant, message string) {
	t.Helper()
	c.to(lobby, enters(lobby, "Carol"))
	for _, st := range c.take() {
		if st.Kind == stanza.Presence && st.From.Resource() == "Carol" {
			occupant = st.Child("urn:xmpp:occupant-id:0", "occupant-id").Attr("id")
		}
		if st.Body() != "" {
			message = st.Child("urn:xmpp:sid:0", "stanza-id").Attr("id")
		}
	}
	if occupant == "" || message == "" {
		t.Errorf("occupant id %q, message %q", occupant, message)
	}
	return occupant, message
}
