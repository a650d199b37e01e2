package server

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// managing are the settings of a component that manages PEP, the archive where a request has a node, and what nobody else knows about accounts.
const managing = `delegated = ["http://jabber.org/protocol/pubsub", "urn:xmpp:mam:2 node", "urn:x", "urn:xmpp:delegation:2:bare:disco#info:*", "urn:xmpp:delegation:2:bare:disco#items:*"]`

var idOfIQ = regexp.MustCompile(` id='([^']+)'`)

// delegated returns the next request that the server passes on: its id, and all of it.
func (c *peer) delegated() (id, text string) {
	c.T.Helper()
	text = c.Until("<delegation xmlns='urn:xmpp:delegation:2'><forwarded")
	head := text[strings.LastIndex(text, "<iq "):]
	text = head + c.Until("</delegation></iq>")
	return idOfIQ.FindStringSubmatch(head)[1], text
}

// answers answers a request that was passed on.
func (c *peer) answers(id, inner string) {
	c.Send("<iq type='result' id='" + id + "' from='gate.home.test' to='home.test'><delegation xmlns='urn:xmpp:delegation:2'>" + forwardOf(inner) + "</delegation></iq>")
}

// describes answers the disco#info requests that a managing component gets when it attaches: its own features, and those by the
// end of the node.
func (c *peer) describes(own string, nodes map[string]string) {
	c.T.Helper()
	one := func() string {
		text := c.Until("<query xmlns='http://jabber.org/protocol/disco#info'") + c.Until("/>")
		head := text[strings.LastIndex(text, "<iq "):]
		_, node, _ := strings.Cut(head, " node='")
		node, _, _ = strings.Cut(node, "'")
		info := own
		if node != "" {
			info = nodes[node]
		}
		c.Send("<iq type='result' id='" + idOfIQ.FindStringSubmatch(head)[1] + "' from='gate.home.test' to='home.test'><query xmlns='http://jabber.org/protocol/disco#info'>" + info + "</query></iq>")
		return node
	}
	one()
	for range 6 { // two of each namespace that is no part of the protocol
		one()
	}
	c.gatePing()
}

func featureOf(name string) string { return "<feature var='" + name + "'/>" }

// XEP-0355 §4.2: in both versions of the protocol.
func TestDelegationIsAdvertised(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing})
	got := p.attached().gatePing()
	for _, want := range []string{
		"<delegation xmlns='urn:xmpp:delegation:2'>", "<delegated namespace='http://jabber.org/protocol/pubsub'/>",
		"<delegated namespace='urn:xmpp:mam:2'><attribute name='node'/></delegated>", "<delegated namespace='urn:xmpp:delegation:2:bare:disco#items:*'/>",
		"<delegation xmlns='urn:xmpp:delegation:1'>", "<delegated namespace='urn:xmpp:delegation:1:bare:disco#info:*'/>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	if got := newTestServer(t, extra{}).attached().gatePing(); strings.Contains(got, "delegat") {
		t.Errorf("without delegation told %q", got)
	}
}

// XEP-0355 §4.3: to the account, to another account and to the host; the sender sees the result as the server's own.
func TestDelegatedRequests(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing})
	romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
	for _, c := range []struct{ to, from, want string }{
		{"", "", ""},
		{"romeo@home.test", "", "from='romeo@home.test'"},
		{"romeo@home.test", "romeo@home.test", "from='romeo@home.test'"},
		{"juliet@home.test", "juliet@home.test", "from='juliet@home.test'"},
		{"home.test", "", "from='home.test'"},
	} {
		attr := ""
		if c.to != "" {
			attr = " to='" + c.to + "'"
		}
		romeo.Send("<iq type='set' id='pep1'" + attr + "><q xmlns='urn:x'><y>1</y></q></iq>")
		id, text := gate.delegated()
		for _, want := range []string{"type='set'", "from='home.test'", "to='gate.home.test'", forwardStart, "from='romeo@home.test/x'", "id='pep1'", "<q xmlns='urn:x'><y>1</y></q>"} {
			if !strings.Contains(text, want) {
				t.Errorf("to %q: no %s in %q", c.to, want, text)
			}
		}
		from := ""
		if c.from != "" {
			from = " from='" + c.from + "'"
		}
		gate.answers(id, "<iq xmlns='jabber:client' type='result' id='pep1' to='romeo@home.test/x'"+from+"><done xmlns='urn:x'/></iq>")
		got := romeo.Until("id='pep1'") + romeo.Until("</iq>")
		if !strings.Contains(got, "<done xmlns='urn:x'/>") || !strings.Contains(got, "type='result'") || !strings.Contains(got, c.want) {
			t.Errorf("to %q: answered %q", c.to, got)
		}
	}
	quietly(t, juliet, "urn:x")
	romeo.Send("<iq type='get' id='full' to='juliet@home.test/x'><q xmlns='urn:x'/></iq>") // not to a session
	juliet.Until("id='full'")
}

const forwardStart = "<forwarded xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client'"

// XEP-0355 §4.3: what is not the result of just this request is not passed on.
func TestDelegatedAnswersRefused(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing})
	romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
	iq := func(attrs, payload string) string {
		return "<delegation xmlns='urn:xmpp:delegation:2'>" + forwardOf("<iq xmlns='jabber:client' "+attrs+">"+payload+"</iq>") + "</delegation>"
	}
	for name, inner := range map[string]string{
		"other receiver":   iq("type='result' id='q' to='juliet@home.test/x' from='romeo@home.test'", "<leak xmlns='urn:x'/>"),
		"bare receiver":    iq("type='result' id='q' to='romeo@home.test' from='romeo@home.test'", "<leak xmlns='urn:x'/>"),
		"no receiver":      iq("type='result' id='q' from='romeo@home.test'", "<leak xmlns='urn:x'/>"),
		"other sender":     iq("type='result' id='q' to='romeo@home.test/x' from='juliet@home.test'", "<leak xmlns='urn:x'/>"),
		"its own sender":   iq("type='result' id='q' to='romeo@home.test/x' from='gate.home.test'", "<leak xmlns='urn:x'/>"),
		"other id":         iq("type='result' id='r' to='romeo@home.test/x'", "<leak xmlns='urn:x'/>"),
		"an error":         iq("type='error' id='q' to='romeo@home.test/x'", "<leak xmlns='urn:x'/>"),
		"a request":        iq("type='set' id='q' to='romeo@home.test/x'", "<leak xmlns='urn:x'/>"),
		"two payloads":     iq("type='result' id='q' to='romeo@home.test/x'", "<leak xmlns='urn:x'/><leak xmlns='urn:x'/>"),
		"a message":        "<delegation xmlns='urn:xmpp:delegation:2'>" + forwardOf("<message xmlns='jabber:client' type='result' id='q' to='romeo@home.test/x'><leak xmlns='urn:x'/></message>") + "</delegation>",
		"other namespace":  "<delegation xmlns='urn:xmpp:delegation:2'>" + forwardOf("<iq type='result' id='q' to='romeo@home.test/x'><leak xmlns='urn:x'/></iq>") + "</delegation>",
		"nothing":          "",
		"no forwarded one": "<delegation xmlns='urn:xmpp:delegation:2'/>",
	} {
		romeo.Send("<iq type='set' id='q' to='romeo@home.test'><q xmlns='urn:x'/></iq>")
		id, _ := gate.delegated()
		gate.Send("<iq type='result' id='" + id + "' from='gate.home.test' to='home.test'>" + inner + "</iq>")
		if got := romeo.Until("id='q'") + romeo.Until("</iq>"); !strings.Contains(got, "<service-unavailable ") || strings.Contains(got, "leak") {
			t.Errorf("%s: answered %q", name, got)
		}
	}
	// N.B.2: an error of the component is told as service-unavailable.
	romeo.Send("<iq type='set' id='q' to='romeo@home.test'><q xmlns='urn:x'/></iq>")
	id, _ := gate.delegated()
	gate.Send("<iq type='error' id='" + id + "' from='gate.home.test' to='home.test'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
	if got := romeo.Until("id='q'") + romeo.Until("</iq>"); !strings.Contains(got, "<service-unavailable ") {
		t.Errorf("an error: answered %q", got)
	}
	// Nobody else answers, and nothing is answered twice.
	romeo.Send("<iq type='set' id='q' to='romeo@home.test'><q xmlns='urn:x'/></iq>")
	id, _ = gate.delegated()
	good := iq("type='result' id='q' to='romeo@home.test/x'", "<leak xmlns='urn:x'/>")
	juliet.Send("<iq type='result' id='" + id + "' to='home.test'>" + good + "</iq>")
	gate.Send("<iq type='result' id='" + id + "' from='user@gate.home.test' to='home.test'>" + good + "</iq>")
	juliet.ping()
	quietly(t, romeo, "leak")
	for range 2 {
		gate.Send("<iq type='result' id='" + id + "' from='gate.home.test' to='home.test'>" + good + "</iq>")
	}
	gate.gatePing()
	if got := romeo.ping(); strings.Count(got, "<leak") != 1 {
		t.Errorf("answered %q", got)
	}
}

// XEP-0355 §4.3 N.B.1, N.B.3; an address without an account is not managed.
func TestDelegationWithoutComponent(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing})
	romeo := p.online("romeo")
	if got := romeo.ask("get", "", "<q xmlns='urn:x'/>"); !strings.Contains(got, "<service-unavailable ") {
		t.Errorf("answered %q", got)
	}
	gate := p.attached()
	if got := romeo.ask("set", "", "<query xmlns='urn:xmpp:mam:2'/>"); !strings.Contains(got, "<fin ") {
		t.Errorf("without the attribute answered %q", got)
	}
	if got := romeo.ask("get", "nobody@home.test", "<q xmlns='urn:x'/>"); !strings.Contains(got, "<service-unavailable ") {
		t.Errorf("for nobody answered %q", got)
	}
	if got := gate.gatePing(); strings.Contains(got, "forwarded") {
		t.Errorf("passed on: %q", got)
	}
	romeo.Send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2' node='n'/></iq>")
	if _, text := gate.delegated(); !strings.Contains(text, "<query xmlns='urn:xmpp:mam:2' node='n'/>") {
		t.Errorf("passed on: %q", text)
	}
	gate.Send("</stream:stream>")
	gate.Rest()
	if got := romeo.ask("get", "home.test", "<q xmlns='urn:x'/>"); !strings.Contains(got, "<service-unavailable ") {
		t.Errorf("after its end answered %q", got)
	}
}

// XEP-0355 §4.3.1: what the component itself sends, also in the name of an account, is not passed on to it.
func TestDelegationOfOwnRequests(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: "delegated = [\"http://jabber.org/protocol/pubsub\", \"jabber:iq:roster\"]\nprivileges = [\"roster\"]\nrequests = [\"both http://jabber.org/protocol/pubsub\"]"})
	romeo, gate := p.online("romeo"), p.attached()
	gate.Send("<iq type='set' id='roster2' from='gate.home.test' to='romeo@home.test'><query xmlns='jabber:iq:roster'><item jid='nurse@home.test'><group>Rivals</group></item></query></iq>" +
		privilegedIQ("set", "pep", "<iq xmlns='jabber:client' type='set' id='in'>"+bookmark+"</iq>") +
		"<iq type='get' id='other' from='user@gate.home.test' to='romeo@home.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'/></pubsub></iq>")
	got := gate.gatePing()
	if strings.Contains(got, forwardStart+" from='romeo@home.test/x'") || strings.Contains(got, "delegation:2'><forwarded") {
		t.Errorf("passed on: %q", got)
	}
	if !strings.Contains(got, "id='roster2'") || !strings.Contains(got, "id='in'") || strings.Contains(got, "<error") && !strings.Contains(got, "id='other'") {
		t.Errorf("answered %q", got)
	}
	romeo.Send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
	if _, text := gate.delegated(); !strings.Contains(text, "jabber:iq:roster") {
		t.Errorf("passed on: %q", text)
	}
}

// XEP-0355 §7.2: what the component says takes the place of what the server says about the namespace.
func TestDelegatedDiscovery(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing})
	romeo, gate := p.online("romeo"), p.attached()
	const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
	plain := newTestServer(t, extra{}).online("romeo").ask("get", "romeo@home.test", info)
	if !strings.Contains(plain, "pubsub#publish'") || !strings.Contains(plain, "type='pep'") {
		t.Fatalf("without delegation: %q", plain)
	}
	gate.describes(featureOf("urn:xmpp:delegation:2"), map[string]string{
		"urn:xmpp:delegation:2::http://jabber.org/protocol/pubsub":     featureOf("http://jabber.org/protocol/pubsub#special"),
		"urn:xmpp:delegation:2:bare:http://jabber.org/protocol/pubsub": "<identity category='pubsub' type='pep' name='Elsewhere'/>" + featureOf("http://jabber.org/protocol/pubsub#elsewhere"),
	})
	host, account := romeo.ask("get", "home.test", info), romeo.ask("get", "romeo@home.test", info)
	for _, c := range []struct {
		where, got, text string
		want             bool
	}{
		{"host", host, "<feature var='urn:xmpp:delegation:2'/>", true},
		{"host", host, "pubsub#special'", true},
		{"host", host, "pubsub#elsewhere'", false},
		{"account", account, "pubsub#elsewhere'", true},
		{"account", account, "<identity category='pubsub' type='pep' name='Elsewhere'/>", true},
		{"account", account, "type='registered'", true},
		{"account", account, "pubsub#publish'", false},
		{"account", account, "urn:xmpp:mam:2'", false},
		{"account", account, "urn:xmpp:blocking", strings.Contains(plain, "urn:xmpp:blocking")},
	} {
		if strings.Contains(c.got, c.text) != c.want {
			t.Errorf("%s: %s: want %v: %q", c.where, c.text, c.want, c.got)
		}
	}
	if n := strings.Count(account, "type='pep'"); n != 1 {
		t.Errorf("%d identities of PEP: %q", n, account)
	}
}

// XEP-0355 §7.2.4, §7.2.5: items of accounts and nodes that the server does not know. Who may not see the account is told nothing.
func TestDelegatedNodes(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing})
	romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
	for _, query := range []string{
		"<query xmlns='http://jabber.org/protocol/disco#items'/>",
		"<query xmlns='http://jabber.org/protocol/disco#items' node='urn:xmpp:microblog:0'/>",
		"<query xmlns='http://jabber.org/protocol/disco#info' node='urn:xmpp:microblog:0'/>",
	} {
		romeo.Send("<iq type='get' id='d' to='romeo@home.test'>" + query + "</iq>")
		id, text := gate.delegated()
		if !strings.Contains(text, query) {
			t.Errorf("passed on %q", text)
		}
		gate.answers(id, "<iq xmlns='jabber:client' type='result' id='d' to='romeo@home.test/x'>"+strings.Replace(query, "/>", "><here xmlns='urn:x'/></query>", 1)+"</iq>")
		if got := romeo.Until("id='d'") + romeo.Until("</iq>"); !strings.Contains(got, "<here xmlns='urn:x'/>") {
			t.Errorf("answered %q", got)
		}
		known, unknown := juliet.ask("get", "romeo@home.test", query), juliet.ask("get", "nobody@home.test", query)
		if strings.ReplaceAll(known, "romeo", "nobody") != unknown {
			t.Errorf("a stranger is answered %q, for nobody %q", known, unknown)
		}
	}
	if got := romeo.ask("get", "romeo@home.test", "<query xmlns='http://jabber.org/protocol/disco#info'/>"); !strings.Contains(got, "type='registered'") {
		t.Errorf("answered %q", got)
	}
	if got := gate.gatePing(); strings.Contains(got, "juliet") || strings.Contains(got, "forwarded") {
		t.Errorf("passed on %q", got)
	}
}

// A component that speaks only the older version is spoken to in that.
func TestDelegationOlderVersion(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing})
	romeo, gate := p.online("romeo"), p.attached()
	gate.describes(featureOf("urn:xmpp:delegation:1"), nil)
	romeo.Send("<iq type='set' id='q' to='romeo@home.test'><q xmlns='urn:x'/></iq>")
	head := gate.Until("<delegation xmlns='urn:xmpp:delegation:1'><forwarded")
	id := idOfIQ.FindStringSubmatch(head[strings.LastIndex(head, "<iq "):])[1]
	gate.Until("</delegation></iq>")
	gate.Send("<iq type='result' id='" + id + "' from='gate.home.test' to='home.test'><delegation xmlns='urn:xmpp:delegation:1'>" +
		forwardOf("<iq xmlns='jabber:client' type='result' id='q' to='romeo@home.test/x'><done xmlns='urn:x'/></iq>") + "</delegation></iq>")
	romeo.Until("<done xmlns='urn:x'/>")
}

// One sender cannot use up what all together may wait for.
func TestDelegatedRequestsAreLimited(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing, limits: "component_requests = 3"})
	romeo, juliet, gate := p.online("romeo"), p.online("juliet"), p.attached()
	for range 5 {
		romeo.Send("<iq type='set' id='q'><q xmlns='urn:x'/></iq>")
	}
	if got := romeo.ping(); strings.Count(got, "<resource-constraint ") != 2 {
		t.Errorf("answered %q", got)
	}
	juliet.Send("<iq type='set' id='q'><q xmlns='urn:x'/></iq>")
	quietly(t, juliet, "resource-constraint")
	for range 4 {
		gate.delegated()
	}
	if n := p.count("limits.component_requests"); n != 2 {
		t.Errorf("counted %d", n)
	}
}

// Some senders cannot use up together what all of the host may wait for, with the limits as they are by default.
func TestDelegatedRequestsOfSomeAccounts(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing})
	romeo, gate := p.online("romeo"), p.attached()
	for i := range 10_500 {
		from := jid.MustParse(fmt.Sprintf("x%d@home.test/y", i%10))
		p.server.router.Route(stanza.NewIQ(jid.MustParse("home.test"), from, stanza.TypeSet, stanza.NewElement("urn:x", "q")))
	}
	if n := p.count("limits.component_requests"); n < 1000 {
		t.Errorf("%d were refused", n)
	}
	romeo.Send("<iq type='set' id='last'><q xmlns='urn:x'/></iq>")
	quietly(t, romeo, "resource-constraint")
	gate.Until("id='last'")
}

// Another server cannot use that up either, with addresses that it makes up.
func TestDelegatedRequestsOfOneDomain(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: managing, limits: "component_requests = 3"})
	gate := p.attached()
	for i := range 5 {
		from := jid.MustParse(fmt.Sprintf("x%d@evil.test/y", i))
		p.server.router.Route(stanza.NewIQ(jid.MustParse("home.test"), from, stanza.TypeSet, stanza.NewElement("urn:x", "q")))
	}
	for range 3 {
		gate.delegated()
	}
	if n := p.count("limits.component_requests"); n != 2 {
		t.Errorf("counted %d", n)
	}
}
