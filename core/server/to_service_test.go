package server

import (
	"strings"
	"testing"
)

// What a user writes to a gateway or another service itself may be a password: no other session gets a copy, and no archive has
// it. What is written to its users is treated as any other message.
func TestMessagesToServicesAreNotKept(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	gate, romeo, other := p.attached(), p.online("romeo"), p.loggedIn("romeo")
	other.Send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>other</resource></bind></iq>")
	other.Until("/other</jid>")
	other.Send("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq><presence/>")
	other.Until("id='c'")
	romeo.Send("<message to='gate.home.test' type='chat' id='m1'><body>xoxb-token</body></message>" +
		"<message to='gate.home.test/form' type='chat' id='m2'><body>xoxb-token</body></message>" +
		"<message to='friend@gate.home.test' type='chat' id='m3'><body>good morning</body></message>")
	gate.Until("good morning")
	if got := other.Until("good morning"); strings.Contains(got, "xoxb-token") {
		t.Errorf("the other session got %s", got)
	}
	romeo.Send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>")
	got := romeo.Until("<fin ")
	if strings.Contains(got, "xoxb-token") || !strings.Contains(got, "good morning") {
		t.Errorf("the archive has %s", got)
	}
}
