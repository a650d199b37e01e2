package server

import "testing"

// XEP-0356 §9: a component may do nothing in an account's name that the account could not do.
func TestPrivilegedMessageToBlocked(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `privileges = ["message"]`})
	romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
	gate.Until("access='message'")
	romeo.Send("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='juliet@home.test'/></block></iq>")
	romeo.Until("id='b'")
	send := func(id, from string) {
		gate.Send("<message id='" + id + "' from='gate.home.test' to='home.test'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>" +
			"<message xmlns='jabber:client' id='" + id + "' type='chat' from='" + from + "' to='juliet@home.test/x'><body>hi</body></message></forwarded></privilege></message>")
	}
	send("refused", "romeo@home.test")
	gate.Until("<not-acceptable ")
	send("sent", "nurse@home.test")
	juliet.Until("nurse@home.test")
}
