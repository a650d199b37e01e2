package s2s

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
	"github.com/dragoman-im/dragoman/core/s2s/dialback"
)

// connectFrom is connect from another address.
func (o *node) connectFrom(address string) *other {
	o.t.Helper()
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}).Dial("tcp", o.addr)
	if err != nil {
		o.t.Fatal(err)
	}
	return &other{Peer: rawstream.New(o.t, c), node: o}
}

// manyConnections allows as many from one address as a test needs.
func manyConnections(o *Config) { o.Limits.Connections, o.Limits.Arrivals = 1000, 1000 }

// Keys whose domains do not answer leave room for those that come from other networks.
func TestVerificationsOfOneNetwork(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := newNode(t, n, "a.test", manyConnections), newNode(t, n, "b.test", nil)
	const each = maxVerifying
	for i := range maxOneNetwork/each + 1 {
		p := a.connect()
		p.secure("evil.test", "a.test", nil)
		for k := range each {
			domain := fmt.Sprintf("d%d-%d.test", i, k)
			n.set(domain, host{hangs: true})
			p.Send("<db:result from='" + domain + "' to='a.test'>abc</db:result>")
			if i*each+k < maxOneNetwork {
				rawstream.Eventually(t, "its domain is dialled", func() bool { return n.count(domain) == 1 })
			} else {
				if got := p.Until("</db:result>"); !strings.Contains(got, "<"+dialback.NoResources+" ") {
					t.Errorf("key %d: %q", i*each+k, got)
				}
			}
		}
	}
	if got := a.server.opening.verifications.Load(); got > maxOneNetwork {
		t.Errorf("%d connections are opened", got)
	}
	p := a.connectFrom("127.0.0.2")
	p.secure("b.test", "a.test", nil)
	p.Send("<db:result from='b.test' to='a.test'>" + b.server.keys.of(pair{ours: "b.test", theirs: "a.test"}, p.id) + "</db:result>")
	p.Until("<db:result from='a.test' to='b.test' type='valid'/>")
	a.shutdown()
	if !a.server.opening.domains.Enter("b.test", 1) {
		t.Error("a key of b.test still counts")
	}
}

// Who claims to be a domain does not make this server open many connections to it.
func TestVerificationsOfOneDomain(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", manyConnections)
	n.set("victim.test", host{hangs: true})
	for i := range maxOneDomain + 5 {
		p := a.connect()
		p.secure("victim.test", "a.test", nil)
		p.Send("<db:result from='victim.test' to='a.test'>abc</db:result>")
		if i < maxOneDomain {
			rawstream.Eventually(t, "it is dialled", func() bool { return n.count("victim.test") == i+1 })
		} else if got := p.Until("</db:result>"); !strings.Contains(got, "<"+dialback.NoResources+" ") {
			t.Errorf("key %d: %q", i, got)
		}
	}
	if got := n.count("victim.test"); got != maxOneDomain {
		t.Errorf("%d connections are opened", got)
	}
}

// Certificates for which slow documents have to be read leave room for those from other networks.
func TestLookupsOfOneNetwork(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	var looking, most atomic.Int64
	end := make(chan struct{})
	a := newNode(t, n, "a.test", func(o *Config) {
		manyConnections(o)
		o.Evidence = func(string) certificate.Evidence {
			return certificate.Evidence{Initiator: true, Lookup: func() certificate.Evidence {
				now := looking.Add(1)
				defer looking.Add(-1)
				if now > most.Load() {
					most.Store(now)
				}
				<-end
				return certificate.Evidence{}
			}}
		}
	})
	defer close(end)
	own := newAuthority(t).sign(t, nil, "evil.test")
	for range maxLookups + 5 {
		p := a.connect()
		p.open("evil.test", "a.test")
		p.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		p.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		p.TLS(&tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{*own}})
		p.Send(header("from='evil.test' to='a.test' version='1.0'"))
	}
	rawstream.Eventually(t, "lookups are refused", func() bool { return a.server.Counters.LimitCounters.Crowded.Load() >= 5 })
	if got := most.Load(); got > maxLookups {
		t.Errorf("%d lookups at once", got)
	}
}

// An account that writes to many domains which do not answer does not keep others from new ones.
func TestAttemptsOfOneAccount(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) { o.Limits.Attempts = 10 * shareOfAttempts })
	b := newNode(t, n, "b.test", nil)
	home := jid.MustParse("home.test")
	if err := a.router.Attach(home, router.NewHost(a.router, home, router.HostOptions{})); err != nil {
		t.Fatal(err)
	}
	n.set("home.test", host{addr: a.addr})
	for i := range 10 * shareOfAttempts {
		domain := fmt.Sprintf("d%d.test", i)
		n.set(domain, host{hangs: true})
		a.send("x@"+domain, "mallory@home.test/x", "never")
	}
	if got := a.server.opening.attempts.Load(); got != 10 {
		t.Errorf("%d connections are opened for one account", got)
	}
	a.send("juliet@b.test", "romeo@home.test/x", "now")
	b.wants("romeo@home.test/x", "now")
	a.shutdown()
	if !a.server.opening.accounts.Enter(jid.MustParse("mallory@home.test"), 1) {
		t.Error("an attempt of mallory still counts")
	}
}

// Domains that could not be reached do not keep a further one from getting a link.
func TestManyFailedLinks(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := newNode(t, n, "a.test", nil), newNode(t, n, "b.test", nil)
	a.server.links.max = 10
	for i := range 20 {
		a.send(fmt.Sprintf("x@missing%d.test", i), "romeo@a.test/x", "lost")
		a.wantsError("lost", "remote-server-not-found")
	}
	a.send("juliet@b.test", "romeo@a.test/x", "1")
	b.wants("romeo@a.test/x", "1")
	if got := len(a.server.links.list()); got > 10 {
		t.Errorf("%d links", got)
	}
}

// What waits for many domains together is limited, and counted off when it does not wait any more.
func TestWaitingOfAllLinks(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	a.server.links.maxWaiting = 10_000
	text := strings.Repeat("x", 1000)
	for i := range 20 {
		domain := fmt.Sprintf("d%d.test", i)
		n.set(domain, host{hangs: true})
		a.send("x@"+domain, "romeo@a.test/x", text)
	}
	a.wantsError(text, "resource-constraint")
	if got := a.server.links.waiting.Load(); got < 10_000 || got > 20_000 {
		t.Errorf("%d bytes wait", got)
	}
	a.shutdown()
	if got := a.server.links.waiting.Load(); got != 0 {
		t.Errorf("%d bytes still count", got)
	}
}
