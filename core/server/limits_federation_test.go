package server

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/federation"
	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

// otherServers are servers of the domains far.test and away.test, by hand.
type otherServers struct {
	t       testing.TB
	l       net.Listener
	mute    bool // they accept connections and say nothing
	serving sync.WaitGroup
}

// serveOthers makes p find the other servers, which run until the end of the test. After a call of stop they accept no further connections.
func (p *testServer) serveOthers(mute bool) (stop func()) {
	p.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	o := &otherServers{t: p.t, l: l, mute: mute}
	o.serving.Go(o.accept)
	p.t.Cleanup(func() {
		_ = l.Close()
		o.serving.Wait()
	})
	at := federation.FixedAddress{Address: l.Addr().String()}
	p.server.remote.Fix(map[string]federation.FixedAddress{"far.test": at, "away.test": at})
	return func() { _ = l.Close() }
}

func (o *otherServers) accept() {
	for {
		c, err := o.l.Accept()
		if err != nil {
			return
		}
		o.t.Cleanup(func() { _ = c.Close() })
		if !o.mute {
			o.serving.Go(func() { o.serve(c) })
		}
	}
}

// serve accepts one dialback key, or says that one is valid, and reads no more.
func (o *otherServers) serve(c net.Conn) {
	p := rawstream.New(o.t, c)
	p.Until("<stream:stream ")
	p.Until(">")
	p.Send("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'" +
		" from='far.test' to='home.test' id='one' version='1.0'><stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>")
	p.Until("<db:")
	if request := p.Until(">"); strings.HasPrefix(request, "verify ") {
		_, id, _ := strings.Cut(request, " id='")
		id, _, _ = strings.Cut(id, "'")
		p.Send("<db:verify from='far.test' to='home.test' type='valid' id='" + id + "'/>")
	} else {
		p.Send("<db:result from='far.test' to='home.test' type='valid'/>")
	}
}

// fromFar is a connection on which far.test has proved who it is.
func (p *testServer) fromFar() *peer {
	p.t.Helper()
	p.serveOthers(false)
	c := p.dial(p.server.ports.s2s[0])
	c.Send("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'" +
		" from='far.test' to='home.test' version='1.0'>")
	c.Until("</stream:features>")
	c.Send("<db:result from='far.test' to='home.test'>key</db:result>")
	c.Until("type='valid'/>")
	return c
}

// federationWith enables federation without TLS, with more lines of its section.
func federationWith(lines string) extra {
	return extra{limits: "rate = 0\n[federation]\nenabled = \"yes\"\nrequire_tls = false\n" + lines}
}

// limitsOfFederation are the limits of what other servers do.
func limitsOfFederation(d config.Config) []reached {
	f := d.Federation
	const message = "<message from='romeo@far.test/x' to='juliet@home.test'>"
	fromFar := func(text string) func(*testServer) *peer { return send((*testServer).fromFar, text) }
	toMute := func(to ...string) func(*testServer) *peer {
		return func(p *testServer) *peer {
			p.serveOthers(true)
			c := p.online("romeo")
			for _, domain := range to {
				c.Send("<message to='juliet@" + domain + "'><body>text</body></message>")
			}
			c.Until("<resource-constraint ")
			return nil
		}
	}
	return []reached{
		{"federation.wait", f.Wait, federationWith(`wait = "500ms"`), func(p *testServer) *peer { return p.dial(p.server.ports.s2s[0]) }, "<connection-timeout "},
		{"federation.waiting_stanzas", f.WaitingStanzas, federationWith("waiting_stanzas = 1"), toMute("far.test", "far.test"), ""},
		{"federation.outbox_stanzas", f.OutboxStanzas, federationWith("outbox_stanzas = 1"), toMute("far.test", "far.test"), ""},
		{"federation.outbox_bytes", f.OutboxBytes, federationWith(`outbox_bytes = "400 B"`), toMute("far.test", "far.test"), ""},
		{"federation.outbox_total", f.OutboxTotal, federationWith("outbox_bytes = 0\noutbox_total = \"400 B\""), toMute("far.test", "away.test"), ""},
		{"federation.attempts", f.Attempts, federationWith("attempts = 1"), toMute("far.test", "away.test"), ""},
		{"federation.stanza_bytes", f.StanzaBytes, federationWith(`stanza_bytes = "10000 B"`), fromFar(message + "<body>" + many(10_000, "y")), "<stanza-too-big "},
		{"federation.stanza_elements", f.StanzaElements, federationWith("stanza_elements = 100"), fromFar(message + many(100, "<y/>")), policy},
		{"federation.stanza_time", f.StanzaTime, federationWith(`stanza_time = "500ms"`), fromFar(message), "<connection-timeout "},
		{"federation.rate", f.Rate, federationWith("stanza_bytes = \"10000 B\"\nrate = \"100 KiB\"\nburst = \"10000 B\""), func(p *testServer) *peer {
			p.fromFar().Send(many(4, message+"<body>"+many(9000, "y")+"</body></message>"))
			return nil
		}, ""},
		{"federation.queues", f.Queues, federationWith("stanza_bytes = \"20000 B\"\nwaiting_bytes = \"20000 B\"\nqueue = \"40000 B\"\nqueues = \"40000 B\""), func(p *testServer) *peer {
			stop := p.serveOthers(false)
			c := p.online("romeo")
			rawstream.Eventually(p.t, "refused", func() bool {
				c.Send("<message to='juliet@far.test'><body>" + many(5000, "y") + "</body></message>")
				c.ping()
				return p.count("federation.queues") > 0
			})
			stop() // what waits would be sent again
			return nil
		}, ""},
		{"federation.queue", f.Queue, federationWith("stanza_bytes = \"20000 B\"\nwaiting_bytes = \"20000 B\"\nqueue = \"40000 B\""), func(p *testServer) *peer {
			p.serveOthers(false)
			c := p.online("romeo")
			rawstream.Eventually(p.t, "cut off", func() bool {
				c.Send("<message to='juliet@far.test'><body>" + many(9000, "y") + "</body></message>")
				c.ping()
				return p.count("federation.queue") > 0
			})
			return nil
		}, ""},
	}
}
