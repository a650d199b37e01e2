package server

import (
	"strings"
	"testing"
)

// privilegedIQ is a request to romeo's account that asks for another one to be sent in its name (XEP-0356 §6.3).
func privilegedIQ(typ, id, inner string) string {
	return privilegedIQTo("romeo@home.test", typ, id, inner)
}

func privilegedIQTo(to, typ, id, inner string) string {
	return "<iq type='" + typ + "' id='" + id + "' from='gate.home.test' to='" + to + "'><privileged_iq xmlns='urn:xmpp:privilege:2'>" + inner + "</privileged_iq></iq>"
}

// gatePing returns what a component gets up to the answer to a ping.
func (c *peer) gatePing() string {
	c.T.Helper()
	c.Send("<iq type='get' id='gate-sync' from='gate.home.test' to='home.test'><ping xmlns='urn:xmpp:ping'/></iq>")
	return c.Until("id='gate-sync'") + c.Until(">")
}

// XEP-0356 §4.2, §5.2, §6.2, §7.2
func TestPrivilegesAreAdvertised(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		`privileges = ["roster"]`:                                     "<privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' type='both' push='true'/></privilege>",
		"privileges = [\"roster\"]\nno_roster_pushes = true":          "<perm access='roster' type='both' push='false'/></privilege>",
		`privileges = ["roster-get", "message"]`:                      "<perm access='roster' type='get' push='true'/><perm access='message' type='outgoing'/></privilege>",
		`privileges = ["roster-set"]`:                                 "<perm access='roster' type='set' push='false'/></privilege>",
		`privileges = ["presence"]`:                                   "<perm access='presence' type='managed_entity'/></privilege>",
		`privileges = ["roster-get", "presence-roster"]`:              "<perm access='presence' type='roster'/></privilege>",
		`requests = ["get urn:a", "set urn:a", "set urn:b", "urn:c"]`: "<perm access='iq'><namespace ns='urn:a' type='both'/><namespace ns='urn:b' type='set'/><namespace ns='urn:c' type='both'/></perm></privilege>",
	} {
		p := newTestServer(t, extra{component: settings})
		got := p.attached().gatePing()
		if !strings.Contains(got, want) {
			t.Errorf("%s: told %q", settings, got)
		}
		if old := "<privilege xmlns='urn:xmpp:privilege:1'>"; strings.Contains(got, old) == strings.Contains(settings, "requests") {
			t.Errorf("%s: %s: %q", settings, old, got)
		}
	}
	if got := newTestServer(t, extra{}).attached().gatePing(); strings.Contains(got, "privilege") {
		t.Errorf("without privileges told %q", got)
	}
}

const bookmark = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='room@gate.home.test'><conference xmlns='urn:xmpp:bookmarks:1' name='Room' autojoin='true'/></item></publish></pubsub>"

// XEP-0356 §6.3: the account answers as to one of its sessions; the answer is wrapped, with the id of the request.
func TestPrivilegedRequests(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `requests = ["both http://jabber.org/protocol/pubsub", "get jabber:iq:roster", "get urn:xmpp:ping"]`})
	romeo, gate := p.online("romeo"), p.attached()
	gate.Until("access='iq'")
	gate.Send(privilegedIQ("set", "out", "<iq xmlns='jabber:client' type='set' id='in'>"+bookmark+"</iq>"))
	got := gate.Until("<iq ") + gate.Until("</iq></forwarded></privilege></iq>")
	for _, want := range []string{"id='out'", "type='result'", "from='romeo@home.test'", "<privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client'", "id='in'"} {
		if !strings.Contains(got, want) {
			t.Errorf("the answer has no %s: %q", want, got)
		}
	}
	got = romeo.ask("get", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>")
	if !strings.Contains(got, "room@gate.home.test") {
		t.Errorf("romeo has the bookmarks %q", got)
	}
	// Errors are passed on in the same way, and so are answers of others.
	gate.Send(privilegedIQ("get", "missing", "<iq xmlns='jabber:client' type='get' id='in2' from='romeo@home.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='nothing'/></pubsub></iq>") +
		privilegedIQ("get", "host", "<iq xmlns='jabber:client' type='get' id='in3' to='home.test'><ping xmlns='urn:xmpp:ping'/></iq>") +
		privilegedIQ("get", "roster", "<iq xmlns='jabber:client' type='get' id='in4'><query xmlns='jabber:iq:roster'/></iq>"))
	got = gate.gatePing()
	for _, want := range []string{"id='missing'", "<item-not-found ", "id='in2'", "id='host'", "id='in3'", "id='roster'", "<query xmlns='jabber:iq:roster'"} {
		if !strings.Contains(got, want) {
			t.Errorf("the answers have no %s: %q", want, got)
		}
	}
	quietly(t, romeo, "in2", "in3", "in4") // the account has sent these
}

// XEP-0356 §6.3: each violation of a rule is forbidden, changes nothing and reaches nobody.
func TestPrivilegedRequestsRefused(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `requests = ["set urn:x", "get http://jabber.org/protocol/pubsub", "set jabber:iq:roster"]`})
	romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
	gate.Until("access='iq'")
	iq := func(attrs, payload string) string {
		return "<iq xmlns='jabber:client' id='leak' " + attrs + ">" + payload + "</iq>"
	}
	x := "<q xmlns='urn:x'/>"
	for name, send := range map[string]string{
		"not the type":         privilegedIQ("set", "1", iq("type='set'", bookmark)),
		"not the namespace":    privilegedIQ("get", "1", iq("type='get' to='juliet@home.test/x'", "<q xmlns='urn:y'/>")),
		"types differ":         privilegedIQ("get", "1", iq("type='set' to='juliet@home.test/x'", x)),
		"not jabber:client":    privilegedIQ("set", "1", "<iq type='set' id='leak' to='juliet@home.test/x'>"+x+"</iq>"),
		"other sender":         privilegedIQ("set", "1", iq("type='set' from='juliet@home.test' to='juliet@home.test/x'", x)),
		"session as sender":    privilegedIQ("set", "1", iq("type='set' from='romeo@home.test/x' to='juliet@home.test/x'", x)),
		"malformed sender":     privilegedIQ("set", "1", iq("type='set' from='@' to='juliet@home.test/x'", x)),
		"to the host":          privilegedIQTo("home.test", "set", "1", iq("type='set' to='juliet@home.test/x'", x)),
		"to a session":         privilegedIQTo("romeo@home.test/x", "set", "1", iq("type='set' to='juliet@home.test/x'", x)),
		"to nobody":            privilegedIQTo("nobody@home.test", "set", "1", iq("type='set' to='juliet@home.test/x'", x)),
		"a result":             privilegedIQ("set", "1", iq("type='result' to='juliet@home.test/x'", x)),
		"two requests":         privilegedIQ("set", "1", iq("type='set' to='juliet@home.test/x'", x)+iq("type='set' to='juliet@home.test/x'", x)),
		"no payload":           privilegedIQ("set", "1", iq("type='set' to='juliet@home.test/x'", "")),
		"nested":               privilegedIQ("set", "1", iq("type='set' to='juliet@home.test'", "<privileged_iq xmlns='urn:xmpp:privilege:2'>"+iq("type='set'", x)+"</privileged_iq>")),
		"a push to the client": privilegedIQ("set", "1", iq("type='set' to='romeo@home.test/x'", "<query xmlns='jabber:iq:roster'><item jid='evil@gate.home.test' subscription='both'/></query>")),
		"a message":            privilegedIQ("set", "1", "<message xmlns='jabber:client' id='leak' to='juliet@home.test/x'>"+x+"</message>"),
	} {
		gate.Send(send)
		if got := gate.gatePing(); !strings.Contains(got, "<forbidden ") || strings.Contains(got, "privilege:2'><forwarded") {
			t.Errorf("%s: answered %q", name, got)
		}
	}
	for name, send := range map[string]string{
		"two payloads": privilegedIQ("set", "1", iq("type='set' to='juliet@home.test/x'", x+x)),
		"no id":        privilegedIQ("set", "1", "<iq xmlns='jabber:client' type='set' to='juliet@home.test/x'>"+x+"</iq>"),
		"bad receiver": privilegedIQ("set", "1", iq("type='set' to='@'", x)),
	} {
		gate.Send(send)
		if got := gate.gatePing(); !strings.Contains(got, "<bad-request ") && !strings.Contains(got, "<jid-malformed ") {
			t.Errorf("%s: answered %q", name, got)
		}
	}
	quietly(t, romeo, "leak", "privileged_iq", "evil@gate.home.test")
	quietly(t, juliet, "leak", "privileged_iq", "urn:x")
}

// A component and a client without the privilege get the same answer for every address.
func TestUnprivilegedRequests(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `privileges = ["roster", "message"]`})
	juliet, gate := p.online("juliet"), p.attached()
	gate.Until("access='message'")
	inner := "<iq xmlns='jabber:client' type='get' id='leak'><query xmlns='jabber:iq:roster'/></iq>"
	for _, to := range []string{"romeo@home.test", "nobody@home.test", "home.test"} {
		gate.Send(privilegedIQTo(to, "get", "1", inner))
		if got := gate.gatePing(); !strings.Contains(got, "<forbidden ") {
			t.Errorf("the component gets for %s: %q", to, got)
		}
		got := juliet.ask("get", to, "<privileged_iq xmlns='urn:xmpp:privilege:2'>"+inner+"</privileged_iq>")
		if !strings.Contains(got, "<forbidden ") {
			t.Errorf("a client gets for %s: %q", to, got)
		}
	}
}

// A request in the name of an account is refused where the account has blocked the receiver, as for its sessions.
func TestPrivilegedRequestToBlocked(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `requests = ["get urn:xmpp:ping"]`})
	romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
	gate.Until("access='iq'")
	romeo.Send("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='juliet@home.test'/></block></iq>")
	romeo.Until("id='b'")
	gate.Send(privilegedIQ("get", "1", "<iq xmlns='jabber:client' type='get' id='leak' to='juliet@home.test/x'><ping xmlns='urn:xmpp:ping'/></iq>"))
	if got := gate.gatePing(); !strings.Contains(got, "<not-acceptable ") {
		t.Errorf("answered %q", got)
	}
	quietly(t, juliet, "leak", "urn:xmpp:ping")
}

// XEP-0356 §4.4, §8: whoever may read rosters is told of changes, also of those that it makes itself.
func TestPrivilegedRosterPushes(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]bool{
		`privileges = ["roster"]`: true, `privileges = ["roster-get"]`: true, `privileges = ["roster-set"]`: false, `privileges = ["message"]`: false,
		"privileges = [\"roster\"]\nno_roster_pushes = true": false,
	} {
		p := newTestServer(t, extra{component: settings})
		romeo, gate := p.online("romeo"), p.attached()
		gate.Until("privilege:2")
		romeo.ask("set", "", "<query xmlns='jabber:iq:roster'><item jid='nurse@home.test'/></query>")
		got := gate.gatePing()
		if notified := strings.Contains(got, "<item jid='nurse@home.test' subscription='none'/>"); notified != want {
			t.Errorf("%s: %q", settings, got)
		}
		if want && (!strings.Contains(got, "from='romeo@home.test'") || !strings.Contains(got, "to='gate.home.test'")) {
			t.Errorf("%s: the push is %q", settings, got)
		}
	}
}

// XEP-0356 §4.3: get, set or both.
func TestPrivilegedRosterAccess(t *testing.T) {
	t.Parallel()
	for settings, may := range map[string][2]bool{"roster": {true, true}, "roster-get": {true, false}, "roster-set": {false, true}, "message": {}} {
		p := newTestServer(t, extra{component: `privileges = ["` + settings + `"]`})
		gate := p.attached()
		gate.Until("privilege:2")
		for i, typ := range []string{"get", "set"} {
			item := map[string]string{"set": "<item jid='a@gate.home.test'/>"}[typ]
			gate.Send("<iq type='" + typ + "' id='q' from='gate.home.test' to='romeo@home.test'><query xmlns='jabber:iq:roster'>" + item + "</query></iq>")
			if got := gate.gatePing(); strings.Contains(got, "<forbidden ") == may[i] {
				t.Errorf("%s: %s: %q", settings, typ, got)
			}
		}
	}
}
