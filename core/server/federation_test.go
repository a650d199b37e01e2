package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/federation"
)

// federated are two servers that communicate: home.test and far.test, each with the accounts romeo, juliet and nurse.
type federated struct{ home, far *testServer }

func newFederated(t testing.TB) federated {
	t.Helper()
	return newFederatedWith(t, "")
}

// newFederatedWith is newFederated with more lines in section server.
func newFederatedWith(t testing.TB, more string) federated {
	t.Helper()
	f := federated{newFederatedServer(t, "home.test", more), newFederatedServer(t, "far.test", more)}
	home, far := federation.FixedAddress{Address: f.home.server.ports.s2s[0].Addr().String()}, federation.FixedAddress{Address: f.far.server.ports.s2sTLS[0].Addr().String(), DirectTLS: true}
	missing := federation.FixedAddress{Address: "127.0.0.1:0"}
	table := map[string]federation.FixedAddress{"home.test": home, "conference.home.test": home, "far.test": far, "conference.far.test": far, "missing.test": missing}
	f.home.server.remote.Fix(table)
	f.far.server.remote.Fix(table)
	return f
}

// newFederatedServer returns one of them; more are lines of section server, and others of section federation.
func newFederatedServer(t testing.TB, host, more string, others ...string) *testServer {
	t.Helper()
	text := fmt.Sprintf(`
[server]
hosts = [%q]
data = %q
%s
[listen]
c2s = ["127.0.0.1:0"]
c2s_tls = []
s2s = ["127.0.0.1:0"]
s2s_tls = ["127.0.0.1:0"]
component = []
http = []
http_tls = []
[limits]
rate = 0
[federation]
enabled = "yes"
`, host, t.TempDir(), more) + strings.Join(others, "\n")
	c, err := config.Parse([]byte(text), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return startTestServer(t, c, noServices)
}

// session is an available session of an account of a federated server.
func (p *testServer) session(user string) *peer {
	p.t.Helper()
	host := p.server.hosts[0].domain.String()
	c := p.dial(p.server.ports.c2s[0])
	c.Send(head("jabber:client", host))
	c.Until("</stream:features>")
	c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.TLS(anyTLS)
	c.Send(head("jabber:client", host))
	c.Until("</stream:features>")
	c.Send(plainAuth(user, user))
	c.Until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	c.Send(head("jabber:client", host) + bindX)
	c.Until("/x</jid></bind></iq>")
	c.Send("<presence/>")
	c.Until("<presence ")
	return c
}

// An administrator sees the connections with other servers, and closes them; the next message makes new ones.
func TestLinkCommands(t *testing.T) {
	t.Parallel()
	f := newFederatedWith(t, "admins = [\"nurse@home.test\"]")
	romeo, juliet, nurse := f.home.session("romeo"), f.far.session("juliet"), f.home.session("nurse")
	romeo.Send("<message to='juliet@far.test/x' type='chat' id='1'><body>first</body></message>")
	juliet.Until("first</body>")
	const execute = "<command xmlns='http://jabber.org/protocol/commands' action='execute' node="
	nurse.Send("<iq type='set' id='list' to='home.test'>" + execute + "'links-list'/></iq>")
	if got := nurse.Until("</iq>"); !strings.Contains(got, "<value>far.test</value>") || !strings.Contains(got, "home.test · out · since ") {
		t.Errorf("got %q", got)
	}
	nurse.Send("<iq type='set' id='count' to='home.test'>" + execute + "'links-statistics'/></iq>")
	if got := nurse.Until("</iq>"); !strings.Contains(got, "var='domains'") || !strings.Contains(got, "var='resumable'") || !strings.Contains(got, "<value>1</value>") {
		t.Errorf("got %q", got)
	}
	closing := func(session string) string {
		return "<iq type='set' id='close' to='home.test'><command xmlns='http://jabber.org/protocol/commands' action='complete' node='links-close'" + session +
			"><x xmlns='jabber:x:data' type='submit'><field var='domain'><value>far.test</value></field></x></command></iq>"
	}
	nurse.Send("<iq type='set' id='ask' to='home.test'>" + execute + "'links-close'/></iq>")
	_, session, _ := strings.Cut(nurse.Until("</iq>"), "sessionid='")
	session, _, _ = strings.Cut(session, "'")
	nurse.Send(closing(" sessionid='" + session + "'"))
	if got := nurse.Until("</iq>"); !strings.Contains(got, "closed.") {
		t.Errorf("got %q", got)
	}
	romeo.Send("<message to='juliet@far.test/x' type='chat' id='2'><body>second</body></message>")
	juliet.Until("second</body>")
	for _, node := range []string{"links-list", "links-statistics"} {
		romeo.Send("<iq type='set' id='forbidden' to='home.test'>" + execute + "'" + node + "'/></iq>")
		if got := romeo.Until("</iq>"); !strings.Contains(got, "type='error'") {
			t.Errorf("%s: got %q", node, got)
		}
	}
}

// Two whole servers exchange messages, requests, subscriptions with presence, and a room.
func TestFederation(t *testing.T) {
	t.Parallel()
	f := newFederated(t)
	romeo, juliet := f.home.session("romeo"), f.far.session("juliet")
	romeo.Send("<message to='juliet@far.test/x' type='chat' id='1'><body>there</body></message>")
	if got := juliet.Until("there</body>"); !strings.Contains(got, "from='romeo@home.test/x'") {
		t.Errorf("got %q", got)
	}
	juliet.Send("<message to='romeo@home.test/x' type='chat' id='2'><body>back</body></message>")
	romeo.Until("back</body>")
	romeo.Send("<iq type='get' id='asked' to='far.test'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
	if got := romeo.Until("</query></iq>"); !strings.Contains(got, "id='asked'") || !strings.Contains(got, "type='result'") {
		t.Errorf("got %q", got)
	}

	romeo.Send("<presence type='subscribe' to='juliet@far.test'/>")
	juliet.Until("type='subscribe'")
	juliet.Send("<presence type='subscribed' to='romeo@home.test'/>")
	romeo.Until("from='juliet@far.test/x'") // her presence
	juliet.Send("<presence><show>away</show></presence>")
	romeo.Until("<show>away</show>")

	juliet.Send("<presence to='hall@conference.far.test/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	juliet.Until("<subject")
	juliet.Send("<iq type='set' id='made' to='hall@conference.far.test'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	juliet.Until("id='made'")
	romeo.Send("<presence to='hall@conference.far.test/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	romeo.Until("<subject")
	juliet.Send("<message to='hall@conference.far.test' type='groupchat' id='3'><body>in the hall</body></message>")
	romeo.Until("in the hall</body>")

	romeo.Send("<message to='nobody@missing.test' type='chat' id='lost'><body>x</body></message>")
	if got := romeo.Until("</error></message>"); !strings.Contains(got, "id='lost'") || !strings.Contains(got, "type='error'") {
		t.Errorf("got %q", got)
	}
}
