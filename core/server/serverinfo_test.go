package server

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/features/serverinfo"
	"github.com/dragoman-im/dragoman/core/federation"
	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

// A host publishes its connections for everybody to read, and names the domains that do the same, no others (XEP-0485).
func TestServerInformation(t *testing.T) {
	t.Parallel()
	const every = `publish_connections = "1s"`
	home, near, far := newFederatedServer(t, "home.test", "", every), newFederatedServer(t, "near.test", "", every), newFederatedServer(t, "far.test", "")
	table := map[string]federation.FixedAddress{}
	for _, p := range []*testServer{home, near, far} {
		at := federation.FixedAddress{Address: p.server.ports.s2s[0].Addr().String()}
		name := p.server.hosts[0].domain.String()
		table[name], table["pubsub."+name] = at, at
	}
	for _, p := range []*testServer{home, near, far} {
		p.server.remote.Fix(table)
	}
	romeo, juliet := home.session("romeo"), far.session("juliet")
	request := func(c *peer, typ, to, payload string) string {
		c.Send("<iq type='" + typ + "' id='q' to='" + to + "'>" + payload + "</iq>")
		return c.Until("</iq>")
	}
	const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
	if got := request(romeo, "get", "home.test", info); !strings.Contains(got, "<feature var='urn:xmpp:serverinfo:0'/>") || !strings.Contains(got, "<value>xmpp:pubsub.home.test?;node=serverinfo</value>") {
		t.Errorf("disco#info %q", got)
	}
	if got := request(juliet, "get", "far.test", info); strings.Contains(got, "serverinfo:0") || strings.Contains(got, "serverinfo-pubsub-node") {
		t.Errorf("disco#info %q", got)
	}
	romeo.Send("<message to='romeo@near.test' type='chat'><body>x</body></message>")
	romeo.Send("<message to='juliet@far.test/x' type='chat'><body>first</body></message>")
	juliet.Until("first</body>")
	items := "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='serverinfo'/></pubsub>"
	rawstream.Eventually(t, "both connections are published, one without a name", func() bool {
		got := request(juliet, "get", "pubsub.home.test", items)
		if strings.Contains(got, "name='far.test'") {
			t.Fatalf("it did not agree: %q", got)
		}
		return strings.Contains(got, "<domain name='home.test'><federation>") && strings.Contains(got, "<remote-domain name='near.test'><connection type='incoming'/><connection type='outgoing'/></remote-domain><remote-domain><connection ")
	})
	if got := request(romeo, "get", "pubsub.home.test", "<query xmlns='http://jabber.org/protocol/disco#info' node='serverinfo'/>"); !strings.Contains(got, "<identity category='pubsub' type='leaf'") {
		t.Errorf("disco#info of the node: %q", got)
	}
	for _, set := range []string{
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='serverinfo'><item id='current'><serverinfo xmlns='urn:xmpp:serverinfo:0'/></item></publish></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><retract node='serverinfo'><item id='current'/></retract></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete node='serverinfo'/></pubsub>",
	} {
		if got := request(romeo, "set", "pubsub.home.test", set); !strings.Contains(got, "type='error'") || !strings.Contains(got, "<forbidden ") {
			t.Errorf("%s: %q", set, got)
		}
	}
	// Where it is switched off, what was published is removed.
	start := func(p *testServer, every time.Duration) {
		h := p.server.hosts[0]
		info := serverinfo.New(h.Host, serverinfo.Options{Every: every, Service: h.events.at, Nodes: h.events.domain.Engine()})
		info.Start(t.Context())
	}
	start(near, 0)
	if got := request(romeo, "get", "pubsub.near.test", items); strings.Contains(got, "<domain ") {
		t.Errorf("it is still published: %q", got)
	}
	start(near, 0) // there is nothing left to remove
	// A node that an account has created says nothing in the server's name.
	juliet.Send("<iq type='set' id='create' to='pubsub.far.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='serverinfo'/></pubsub></iq>")
	juliet.Until("id='create' type='result'/>")
	start(far, time.Hour)
	if got := request(juliet, "get", "pubsub.far.test", items); strings.Contains(got, "<domain ") {
		t.Errorf("published in the node of an account: %q", got)
	}
	start(far, 0)
	if got := request(juliet, "get", "pubsub.far.test", items); strings.Contains(got, "type='error'") {
		t.Errorf("the node of an account is gone: %q", got)
	}
}
