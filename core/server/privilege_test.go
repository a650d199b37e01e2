package server

import (
	"strings"
	"testing"
)

// privileged is a message to the host that asks for another one to be sent in an account's name (XEP-0356 §5.3).
func privileged(id, message string) string {
	return "<message id='" + id + "' from='gate.home.test' to='home.test'>" + privilegeOf(message) + "</message>"
}

func privilegeOf(message string) string {
	return "<privilege xmlns='urn:xmpp:privilege:2'>" + forwardOf(message) + "</privilege>"
}

func forwardOf(message string) string {
	return "<forwarded xmlns='urn:xmpp:forward:0'>" + message + "</forwarded>"
}

func chatFrom(from, to, id, payload string) string {
	return "<message xmlns='jabber:client' id='" + id + "' type='chat' from='" + from + "' to='" + to + "'>" + payload + "</message>"
}

// writtenElsewhere is what a gateway sends for a message that romeo wrote with the network's own client: a copy of it.
func writtenElsewhere(from, to, id, text string) string {
	return chatFrom("romeo@home.test", "romeo@home.test", "c-"+id,
		"<sent xmlns='urn:xmpp:carbons:2'>"+forwardOf(chatFrom(from, to, id, "<body>"+text+"</body>"))+"</sent>")
}

func lastTo(session string) string {
	return "<message type='headline' from='gate.home.test' to='" + session + "'><body>last</body></message>"
}

// copying is a session that gets copies of what others send and receive.
func (p *testServer) copying(user, resource string) *peer {
	p.t.Helper()
	c := p.loggedIn(user)
	c.Send(strings.Replace(bindX, "<resource>x<", "<resource>"+resource+"<", 1))
	c.Until("/" + resource + "</jid></bind></iq>")
	c.Send("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq><presence/>")
	c.Until("id='c'")
	c.ping()
	return c
}

// countsIn wants each text that often in what a peer has got.
func countsIn(t *testing.T, who, got string, want map[string]int) {
	t.Helper()
	for text, n := range want {
		if is := strings.Count(got, text); is != n {
			t.Errorf("%s has %q %d times, want %d times: %s", who, text, is, n, got)
		}
	}
}

func (c *peer) archiveWith(contact string) string {
	c.T.Helper()
	c.Send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>" + contact + "</value></field></x></query></iq>")
	return c.Until("<fin ")
}

// XEP-0356 §9: a component may do nothing in an account's name that the account could not do.
func TestPrivilegedMessageToBlocked(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `privileges = ["message"]`})
	romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
	gate.Until("access='message'")
	romeo.Send("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='juliet@home.test'/></block></iq>")
	romeo.Until("id='b'")
	send := func(id, from string) {
		gate.Send(privileged(id, chatFrom(from, "juliet@home.test/x", id, "<body>hi</body>")))
	}
	send("refused", "romeo@home.test")
	gate.Until("<not-acceptable ")
	quietly(t, romeo, "refused") // the account has sent nothing that could be refused
	send("sent", "nurse@home.test")
	juliet.Until("nurse@home.test")
}

// A message in an account's name is sent by the account: its sessions get a copy and both archives have it, once.
func TestPrivilegedMessageIsSentByAccount(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `privileges = ["message"]`})
	one, other, juliet, gate := p.copying("romeo", "one"), p.copying("romeo", "other"), p.online("juliet"), p.attached()
	gate.Until("access='message'")
	gate.Send(privileged("1", chatFrom("romeo@home.test", "juliet@home.test", "m1", "<body>written by a bot</body>")) +
		privileged("2", chatFrom("romeo@home.test", "friend@gate.home.test", "m2", "<body>to the gate</body>")) +
		lastTo("romeo@home.test/one") + lastTo("romeo@home.test/other"))
	for who, c := range map[string]*peer{"one": one, "other": other} {
		countsIn(t, who, c.Until("<body>last"), map[string]int{"<sent ": 2, "written by a bot": 1, "to the gate": 1})
	}
	countsIn(t, "juliet", juliet.Until("written by a bot")+juliet.ping(), map[string]int{"written by a bot": 1, "<sent ": 0})
	countsIn(t, "the component", gate.Until("to the gate"), map[string]int{"to the gate": 1})
	countsIn(t, "romeo's archive", one.archiveWith("juliet@home.test"), map[string]int{"written by a bot": 1, "to the gate": 0})
	countsIn(t, "juliet's archive", juliet.archiveWith("romeo@home.test"), map[string]int{"written by a bot": 1, "to the gate": 0})
	countsIn(t, "romeo's archive", one.archiveWith("friend@gate.home.test"), map[string]int{"to the gate": 1})
}

// A copy of what somebody wrote with a network's own client is archived with the contact. The sessions that want copies
// get one, and nobody gets the message itself.
func TestPrivilegedCopyIsSentByAccount(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `privileges = ["message"]`})
	one, other, plain, gate := p.copying("romeo", "one"), p.copying("romeo", "other"), p.online("romeo"), p.attached()
	gate.Until("access='message'")
	gate.Send(privileged("1", writtenElsewhere("romeo@home.test", "friend@gate.home.test", "m1", "from there")) +
		privileged("2", writtenElsewhere("juliet@home.test", "friend@gate.home.test", "m2", "forged")) + // not what romeo sent
		lastTo("romeo@home.test/one") + lastTo("romeo@home.test/other"))
	for who, c := range map[string]*peer{"one": one, "other": other} {
		countsIn(t, who, c.Until("<body>last"), map[string]int{"<sent ": 1, "from there": 1, "forged": 0})
	}
	quietly(t, plain, "from there", "forged")
	gate.Send("<iq type='get' id='end' from='gate.home.test' to='home.test'><ping xmlns='urn:xmpp:ping'/></iq>")
	countsIn(t, "the component", gate.Until("id='end'"), map[string]int{"from there": 0, "<forbidden ": 1})
	countsIn(t, "the archive", one.archiveWith("friend@gate.home.test"), map[string]int{"from there": 1, "forged": 0})
	countsIn(t, "juliet's archive", p.online("juliet").archiveWith("friend@gate.home.test"), map[string]int{"forged": 0})
}
