package server

import (
	"regexp"
	"strings"
	"testing"
)

const (
	delegable = `delegable = ["http://jabber.org/protocol/pubsub", "urn:x"]`
	pepSpace  = "http://jabber.org/protocol/pubsub"
)

var challengeOf = regexp.MustCompile(`var='challenge'[^>]*><value>([^<]+)<`)

// question is what an entity sends that wants to answer an account's requests (XEP-0355 §5.1).
func question(from, account string, namespaces ...string) string {
	var b strings.Builder
	for _, n := range namespaces {
		b.WriteString("<delegate namespace='" + n + "'/>")
	}
	return "<iq type='get' id='question' from='" + from + "' to='home.test'><query xmlns='urn:xmpp:delegation:2' to='" + account + "'>" + b.String() + "</query></iq>"
}

// asksFor has the component ask an account, and returns what it was answered.
func (c *peer) asksFor(account string, namespaces ...string) string {
	c.T.Helper()
	c.Send(question("gate.home.test", account, namespaces...))
	if text := c.gatePing(); strings.Contains(text, "<error ") {
		return text
	}
	return "result"
}

// challenge returns the challenge of the question that a client is asked.
func (c *peer) challenge() string {
	c.T.Helper()
	text := c.Until("</message>")
	match := challengeOf.FindStringSubmatch(text)
	if match == nil {
		c.T.Fatalf("no question: %q", text)
	}
	return match[1]
}

// allows answers a question; kind is that of the form.
func allows(challenge, kind, value string, namespaces ...string) string {
	fields := "<field var='FORM_TYPE'><value>urn:xmpp:delegation:2</value></field><field var='challenge'><value>" + challenge + "</value></field>"
	for _, n := range namespaces {
		fields += "<field var='" + n + "'><value>" + value + "</value></field>"
	}
	return "<message to='home.test'><x xmlns='jabber:x:data' type='" + kind + "'>" + fields + "</x></message>"
}

const items = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'/></pubsub>"

// XEP-0355 §5: what an account allows an entity, that answers requests of the account and of others to it.
func TestClientDelegation(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: delegable})
	romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
	if got := gate.asksFor("romeo@home.test", pepSpace, "urn:filtered"); got != "result" {
		t.Fatalf("answered %q", got)
	}
	asked := romeo.Until("</message>")
	for _, want := range []string{"<body>gate.home.test wants", "type='form'", "<field var='http://jabber.org/protocol/pubsub' type='list-single'", "<value>0</value>", "urn:xmpp:hints"} {
		if !strings.Contains(asked, want) {
			t.Errorf("the question has no %q: %q", want, asked)
		}
	}
	if strings.Contains(asked, "urn:filtered") { // XEP-0355 §10 rule 2
		t.Errorf("asked for what is not allowed: %q", asked)
	}
	romeo.Send(allows(challengeOf.FindStringSubmatch(asked)[1], "submit", "1", pepSpace, "urn:x"))
	notified := gate.Until("</message>")
	if !strings.Contains(notified, "<delegation xmlns='urn:xmpp:delegation:2' to='romeo@home.test'><delegated namespace='http://jabber.org/protocol/pubsub'/></delegation>") {
		t.Fatalf("notified %q", notified)
	}

	// §5.2 rule 2: to the bare address, from everybody.
	juliet.Send("<iq type='get' id='j' to='romeo@home.test'>" + items + "</iq>")
	id, text := gate.delegated()
	if !strings.Contains(text, "from='juliet@home.test/x'") || !strings.Contains(text, "id='j'") {
		t.Errorf("passed on %q", text)
	}
	gate.answers(id, "<iq xmlns='jabber:client' type='result' id='j' from='romeo@home.test' to='juliet@home.test/x'><pubsub xmlns='http://jabber.org/protocol/pubsub'><elsewhere/></pubsub></iq>")
	juliet.Until("<elsewhere/>")
	// Rule 1: to the host, or without an address, from the account.
	for _, to := range []string{"", " to='home.test'"} {
		romeo.Send("<iq type='get' id='r'" + to + ">" + items + "</iq>")
		if _, text := gate.delegated(); !strings.Contains(text, "from='romeo@home.test/x'") {
			t.Errorf("passed on %q", text)
		}
	}
	// Rule 3, and what was not allowed.
	juliet.Send("<iq type='get' id='a' to='home.test'>" + items + "</iq><iq type='get' id='b' to='juliet@home.test'>" + items + "</iq><iq type='get' id='c' to='romeo@home.test'><q xmlns='urn:x'/></iq>" +
		"<iq type='get' id='d' to='romeo@home.test/x'>" + items + "</iq>")
	for range 3 {
		juliet.Until("</iq>")
	}
	romeo.Until("id='d'")
	gate.Send("<iq type='get' id='own' from='gate.home.test' to='romeo@home.test'>" + items + "</iq>")
	if got := gate.gatePing(); strings.Contains(got, "<forwarded") {
		t.Errorf("passed on %q", got)
	}

	// It ends with the session (§8 rule 2).
	romeo.Close()
	again := p.online("romeo")
	again.Send("<iq type='get' id='r'>" + items + "</iq>")
	again.Until(" id='r'")
	if got := gate.gatePing(); strings.Contains(got, "<forwarded") {
		t.Errorf("passed on after the session: %q", got)
	}
}

// What an account did not allow itself, in answer to its own question, is not delegated.
func TestClientDelegationNotAllowed(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(romeo, juliet *peer, challenge string){
		"no":        func(r, _ *peer, c string) { r.Send(allows(c, "submit", "0", pepSpace)) },
		"cancelled": func(r, _ *peer, c string) { r.Send(allows(c, "cancel", "1", pepSpace)) },
		"not named": func(r, _ *peer, c string) { r.Send(allows(c, "submit", "1", "urn:x")) },
		"another challenge": func(r, _ *peer, _ string) {
			r.Send(allows("guess", "submit", "1", pepSpace))
			r.Until("<item-not-found ")
		},
		"another account": func(_, j *peer, c string) { j.Send(allows(c, "submit", "1", pepSpace)); j.Until("<item-not-found ") },
		"answered once more": func(r, _ *peer, c string) {
			r.Send(allows(c, "cancel", "0", pepSpace) + allows(c, "submit", "1", pepSpace))
			r.Until("<item-not-found ")
		},
		"no answer":         func(*peer, *peer, string) {},
		"a form of its own": func(r, _ *peer, c string) { r.Send(allows(c, "form", "1", pepSpace)); r.Until("<service-unavailable ") },
		"an error in its way": func(r, _ *peer, c string) {
			r.Send(strings.Replace(allows(c, "submit", "1", pepSpace), "<message ", "<message type='error' ", 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTestServer(t, extra{server: delegable})
			romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
			gate.asksFor("romeo@home.test", pepSpace)
			answer(romeo, juliet, romeo.challenge())
			romeo.Send("<iq type='get' id='end'>" + items + "</iq>")
			romeo.Until(" id='end'")
			if got := gate.gatePing(); strings.Contains(got, "delegation:2") {
				t.Errorf("the component got %q", got)
			}
		})
	}
}

// Who asks learns nothing about accounts, and cannot ask for what only the server answers, nor in another's name.
func TestClientDelegationQuestions(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: delegable})
	romeo, gate := p.online("romeo"), p.attached()
	romeo.Send("<iq type='set' id='block'><block xmlns='urn:xmpp:blocking'><item jid='gate.home.test'/></block></iq>")
	romeo.Until(" id='block'")
	for _, account := range []string{"romeo@home.test", "nobody@home.test", "nurse@home.test"} { // blocked, unknown, without a session
		if got := gate.asksFor(account, pepSpace); got != "result" {
			t.Errorf("%s: %q", account, got)
		}
	}
	for _, c := range []struct{ account, namespace, want string }{
		{"romeo@home.test", "urn:xmpp:delegation:2", "<forbidden "}, // XEP-0355 §8 rule 5
		{"romeo@home.test", "urn:xmpp:delegation:2:bare:disco#info:*", "<forbidden "},
		{"romeo@home.test", "jabber:iq:roster", "<forbidden "},
		{"romeo@elsewhere.test", pepSpace, "<item-not-found "},
		{"home.test", pepSpace, "<bad-request "},
		{"", pepSpace, "<bad-request "},
		{"romeo@home.test", "", "<bad-request "},
	} {
		if got := gate.asksFor(c.account, c.namespace); !strings.Contains(got, c.want) {
			t.Errorf("%s of %s: %q", c.namespace, c.account, got)
		}
	}
	romeo.Send("<iq type='get' id='end'><ping xmlns='urn:xmpp:ping'/></iq>")
	if got := romeo.Until(" id='end'"); strings.Contains(got, "challenge") {
		t.Errorf("asked: %q", got)
	}
	without := newTestServer(t, extra{})
	if got := without.attached().asksFor("romeo@home.test", pepSpace); !strings.Contains(got, "<service-unavailable ") {
		t.Errorf("where it is off: %q", got)
	}
}

// XEP-0355 §6: accounts see what they have allowed, and end it; the entity is notified (§8 rule 3).
func TestClientDelegationConfigure(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: delegable})
	romeo, gate := p.online("romeo"), p.attached()
	gate.asksFor("romeo@home.test", pepSpace, "urn:x")
	romeo.Send(allows(romeo.challenge(), "submit", "1", pepSpace, "urn:x"))
	gate.Until("</message>")
	const command = "<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:delegation:2#configure'"
	romeo.Send("<iq type='set' id='c1' to='home.test'>" + command + "/></iq>")
	form := romeo.Until("</iq>")
	for _, want := range []string{pepSpace, "urn:x: gate.home.test"} {
		if !strings.Contains(form, want) {
			t.Errorf("the form does not show %q: %q", want, form)
		}
	}
	session := regexp.MustCompile(`sessionid='([^']+)'`).FindStringSubmatch(form)[1]
	romeo.Send("<iq type='set' id='c2' to='home.test'>" + command + " sessionid='" + session + "'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='" + pepSpace + "'><value>0</value></field><field var='urn:x'><value>1</value></field></x></command></iq>")
	notified := gate.Until("</message>")
	if !strings.Contains(notified, "to='romeo@home.test'><delegated namespace='urn:x'/></delegation>") {
		t.Errorf("notified %q", notified)
	}
	romeo.Until(" id='c2'")
	romeo.Send("<iq type='get' id='r'>" + items + "</iq>")
	romeo.Until(" id='r'")
	if got := gate.gatePing(); strings.Contains(got, "<forwarded") {
		t.Errorf("passed on %q", got)
	}
}
