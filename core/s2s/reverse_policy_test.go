package s2s

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// Nothing is sent back to a peer to whose domain no stream would be opened (XEP-0288), although the peer may send for it: whoever relays the
// connection of a domain passes dialback, and reads all that is sent back.
func TestReverseDirectionPolicy(t *testing.T) { // checklist 111
	t.Parallel()
	n := newNetwork(t)
	own := n.ca.sign(t, nil, "evil.test")
	unknown := newAuthority(t).sign(t, nil, "evil.test")
	clientOnly := n.ca.sign(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "evil.test")
	chain := *unknown
	for range 11 { // more than are examined
		chain.Certificate = append(chain.Certificate, unknown.Certificate[0])
	}
	record := func(data []byte) certificate.Evidence {
		return certificate.Evidence{TLSA: []certificate.TLSA{{Usage: 3, Data: data}}} // DANE-EE, the whole certificate
	}
	another, published := record([]byte("another")), record(own.Certificate[0])
	for name, c := range map[string]struct {
		cert    *tls.Certificate
		servers certificate.Evidence
		err     error
		rule    Rule
		back    bool
	}{
		"a certificate":                         {own, certificate.Evidence{}, nil, Rule{}, true},
		"dialback":                              {unknown, certificate.Evidence{}, nil, Rule{}, true},
		"no certificate":                        {nil, certificate.Evidence{}, nil, Rule{}, true},
		"the published one":                     {own, published, nil, Rule{}, true},
		"DANE, another certificate":             {own, another, nil, Rule{}, false},
		"DANE, dialback":                        {unknown, published, nil, Rule{}, false},
		"DANE, no certificate":                  {nil, published, nil, Rule{}, false},
		"DANE, too many certificates":           {&chain, published, nil, Rule{}, false},
		"DANE, records that cannot be had":      {own, certificate.Evidence{}, errors.New("the records cannot be had"), Rule{}, false},
		"required certificate, of a client":     {clientOnly, certificate.Evidence{}, nil, Rule{Certificates: true}, false},
		"required certificate, of a server":     {own, certificate.Evidence{}, nil, Rule{Certificates: true}, true},
		"required certificate, that DANE names": {own, published, nil, Rule{Certificates: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &network{t: t, ca: n.ca, servers: map[string]host{}, dialled: map[string]int{}}
			a := newNode(t, n, "a.test", func(o *Config) {
				o.Servers = func(string) (certificate.Evidence, error) { return c.servers, c.err }
				o.Policy.Domains = map[string]Rule{"evil.test": c.rule}
			})
			evil := newNode(t, n, "evil.test", selfSigned(t, "evil.test")) // answers for the domain's keys
			p := a.connect()
			features := p.secure("evil.test", "a.test", c.cert)
			p.Send(askBidi)
			if strings.Contains(features, "EXTERNAL") {
				p.Send(external + "=</auth>")
				p.Until("<success")
				p.open("evil.test", "a.test")
			} else {
				p.Send("<db:result from='evil.test' to='a.test'>" + evil.server.keys.of(pair{ours: "evil.test", theirs: "a.test"}, p.id) + "</db:result>")
				p.Until("type='valid'/>")
			}
			n.set("evil.test", host{addr: rawstreamClosed(t)}) // from now on there is no connection but this one
			p.Send("<message from='x@evil.test' to='romeo@a.test' id='1'/>")
			a.arrived.next(t)
			a.send("x@evil.test", "romeo@a.test/x", "secret")
			if c.back {
				p.Until("<body>secret</body></message>")
				return
			}
			if st := a.arrived.next(t); st.Err() == nil || st.ID != "secret" {
				t.Errorf("got %s", st)
			}
			p.Send("<enable" + nsSM + "/>")
			p.Until("<enabled" + nsSM + "/>")
			a.send("x@evil.test", "romeo@a.test/x", "more")
			if st := a.arrived.next(t); st.Err() == nil || st.ID != "more" {
				t.Errorf("got %s", st)
			}
			p.Send("</stream:stream>")
			if got, _ := p.Remains(); strings.Contains(got, "secret") || strings.Contains(got, "more") {
				t.Errorf("got %q", got)
			}
		})
	}
}

// Where TLSA records promise TLS, a server without it is not used, whatever the policy allows: it may be somebody between the two (RFC 7673 §4).
func TestTLSAWithoutTLS(t *testing.T) { // checklist 106
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(c *Config) {
		c.Policy.Default.Plain = true
		c.Dialer = withTLSA{n, certificate.TLSA{Usage: 3, Data: []byte("x")}}
	})
	reached(t, n, "b.test", func(p *rawstream.Peer) {
		answerHeader(p, "b.test", offerDialback)
		_, _ = p.Remains()
	})
	a.send("x@b.test", "romeo@a.test/x", "secret")
	a.wantsError("secret", "remote-server-not-found")
	a.quiet()
}

// The rate of a domain counts for stanzas that come before the answer to enable, on a connection that this server has opened and asked to use in
// both directions.
func TestDomainLimitBeforeEnabled(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) {
		bidiWanted(o)
		o.Policy.Domains = map[string]Rule{"b.test": {Limits: NewDomainLimits(0, 10<<20, minBurst)}}
	})
	reached(t, n, "b.test", func(p *rawstream.Peer) {
		answerTLS(p, "b.test", n.ca.sign(t, nil, "b.test"), offerDialback+offerBidi+"<sm xmlns='urn:xmpp:sm:3'/>")
		p.Until("</db:result>")
		p.Send("<db:result from='b.test' to='a.test' type='valid'/>")
		p.Until("<enable ") // which is never answered
		message := "<message from='x@b.test' to='romeo@a.test'><body>" + strings.Repeat("y", 100_000) + "</body></message>"
		p.Send(message + message)
		_, _ = p.Remains()
	})
	a.send("x@b.test", "romeo@a.test/x", "first")
	a.arrived.next(t)
	a.arrived.next(t)
	rawstream.Eventually(t, "the connection waits", func() bool { return a.server.Counters.Throttled.Load() > 0 })
}

// What is larger than the burst of a domain counts as a whole, so that several connections do not get a rate each.
func TestDomainLimitLargerThanBurst(t *testing.T) {
	t.Parallel()
	d := NewDomainLimits(0, 20_000, 20_000)
	now := time.Now()
	for i, want := range []time.Duration{4 * time.Second, 9 * time.Second, 14 * time.Second} {
		if got := d.reserve(now, 100_000).Round(time.Millisecond); got != want {
			t.Errorf("connection %d waits for %v, want %v", i, got, want)
		}
	}
}

// Requests beside stanzas count for the rate of a domain, too: each costs an answer.
func TestDomainLimitElements(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) {
		o.Policy.Domains = map[string]Rule{"evil.test": {Limits: NewDomainLimits(0, 1000, minBurst)}}
	})
	p := a.authenticated()
	p.Send("<enable" + nsSM + "/>")
	for range 20 {
		p.Send(strings.Repeat("<r"+nsSM+"/>", 1000))
	}
	rawstream.Eventually(t, "the connection waits", func() bool { return a.server.Counters.Throttled.Load() > 0 })
}

// The number of a domain's stanzas a second is limited, however small they are and on however many connections they come.
func TestDomainStanzaRate(t *testing.T) {
	t.Parallel()
	d := NewDomainLimits(0, 0, 0)
	d.LimitStanzas(10)
	now := time.Now()
	for i := range 50 {
		if wait := d.reserve(now, 1<<20); wait != 0 {
			t.Fatalf("stanza %d waits for %v", i, wait)
		}
	}
	for i, want := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond} {
		if got := d.reserve(now, 10).Round(time.Millisecond); got != want {
			t.Errorf("stanza %d more waits for %v, want %v", i+1, got, want)
		}
	}
	one := NewDomainLimits(0, 0, 0)
	one.LimitStanzas(1)
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) { o.Policy.Domains = map[string]Rule{"evil.test": {Limits: one}} })
	a.authenticated().Send(strings.Repeat("<message from='x@evil.test' to='romeo@a.test'/>", 50))
	a.arrived.next(t)
	rawstream.Eventually(t, "the connection waits", func() bool { return a.server.Counters.Throttled.Load() > 0 })
}

// A certificate that its authority has revoked is as good as none: it does not prove a domain to this server, in no direction, and where a valid
// one is required no connection is used.
func TestRevokedCertificate(t *testing.T) { // checklist 106
	t.Parallel()
	n := newNetwork(t)
	good, bad := n.ca.sign(t, nil, "good.test"), n.ca.sign(t, nil, "bad.test")
	revoked := func(path []*x509.Certificate) error {
		if len(path) != 2 || !path[1].Equal(n.ca.cert) {
			t.Errorf("a path of %d certificates", len(path))
		}
		if bytes.Equal(path[0].Raw, bad.Certificate[0]) {
			return errors.New("revoked")
		}
		return nil
	}
	a := newNode(t, n, "a.test", func(o *Config) {
		o.Revoked, o.Policy.Default.Certificates = revoked, true
	})
	for domain, own := range map[string]*tls.Certificate{"good.test": good, "bad.test": bad} {
		b := newNode(t, n, domain, func(o *Config) { o.Certificates = func(string) (*tls.Certificate, error) { return own, nil } })
		a.send("juliet@"+domain, "romeo@a.test/x", "there")
		b.send("romeo@a.test", "juliet@"+domain+"/y", "back")
		if own == good {
			b.wants("romeo@a.test/x", "there")
			a.wants("juliet@good.test/y", "back")
			continue
		}
		a.wantsError("there", "remote-server-not-found")
		b.wantsError("back", "remote-server-timeout")
		p := a.connect()
		if features := p.secure(domain, "a.test", bad); strings.Contains(features, "EXTERNAL") {
			t.Errorf("features %q", features)
		}
	}
	a.quiet()
}
