package s2s

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// other is another server, by hand.
type other struct {
	*rawstream.Peer
	node *node
	id   string // of the latest stream
}

func (o *node) connect() *other {
	o.t.Helper()
	return &other{Peer: rawstream.Dial(o.t, o.addr), node: o}
}

func header(attrs string) string {
	return "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' " + attrs + ">"
}

// open opens a stream and returns the features.
func (c *other) open(from, to string) string {
	c.T.Helper()
	c.Send(header("from='" + from + "' to='" + to + "' version='1.0'"))
	head := c.Until(">") + c.Until(">")
	_, id, _ := strings.Cut(head, " id='")
	c.id, _, _ = strings.Cut(id, "'")
	return c.Until("</stream:features>")
}

// secure does STARTTLS with a certificate, which may be nil, and opens the stream again.
func (c *other) secure(from, to string, cert *tls.Certificate) string {
	c.T.Helper()
	c.open(from, to)
	c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	config := &tls.Config{InsecureSkipVerify: true}
	if cert != nil {
		config.Certificates = []tls.Certificate{*cert}
	}
	c.TLS(config)
	return c.open(from, to)
}

const external = "<auth xmlns='" + sasl.NS + "' mechanism='EXTERNAL'>"

// authenticated may send from evil.test, for which it has a certificate.
func (o *node) authenticated() *other {
	o.t.Helper()
	c := o.connect()
	if features := c.secure("evil.test", o.domain, o.network.ca.sign(o.t, nil, "evil.test")); !strings.Contains(features, "EXTERNAL") {
		o.t.Fatalf("features %q", features)
	}
	c.Send(external + "=</auth>")
	c.Until("<success xmlns='" + sasl.NS + "'/>")
	c.open("evil.test", o.domain)
	return c
}

func TestHeaderRefused(t *testing.T) { // checklist 107
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) { o.Policy.Domains = map[string]Rule{"blocked.test": {Refused: true}} })
	for name, c := range map[string]struct{ send, want string }{
		"unknown to":      {header("from='evil.test' to='nobody.test' version='1.0'"), "host-unknown"},
		"malformed to":    {header("from='evil.test' to='@' version='1.0'"), "host-unknown"},
		"no to":           {header("from='evil.test' version='1.0'"), "improper-addressing"},
		"malformed from":  {header("from='a b' to='a.test' version='1.0'"), "improper-addressing"},
		"our own domain":  {header("from='a.test' to='a.test' version='1.0'"), "invalid-from"},
		"blocked":         {header("from='blocked.test' to='a.test' version='1.0'"), "policy-violation"},
		"below a blocked": {header("from='x.blocked.test' to='a.test' version='1.0'"), "policy-violation"},
		"version 2":       {header("from='evil.test' to='a.test' version='0.5'"), "unsupported-version"},
		"client stream":   {"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='a.test' version='1.0'>", "invalid-namespace"},
		"doctype":         {"<!DOCTYPE x [<!ENTITY a 'b'>]>" + header("to='a.test'"), "restricted-xml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rawstream.Dial(t, a.addr)
			p.Send(c.send)
			got := p.Rest()
			if !strings.Contains(got, "<stream:stream ") || !strings.Contains(got, "<"+c.want+" ") || !strings.HasSuffix(got, "</stream:stream>") {
				t.Errorf("answered %q, want %s", got, c.want)
			}
		})
	}
}

func TestNothingBeforeAuthentication(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	message := "<message from='x@evil.test' to='romeo@a.test'><body>x</body></message>"
	for name, c := range map[string]struct{ send, want string }{
		"stanza":              {message, "not-authorized"},
		"stanza after a key":  {"<db:result from='evil.test' to='a.test'>abc</db:result>" + message, "not-authorized"},
		"entity":              {"<message><body>&xxe;</body></message>", "restricted-xml"},
		"too big":             {"<db:result from='evil.test' to='a.test'>" + strings.Repeat("x", 20_000), "policy-violation"},
		"too much":            {strings.Repeat(" ", 300_000), "policy-violation"},
		"long key":            {"<db:result from='evil.test' to='a.test'>" + strings.Repeat("x", 600) + "</db:result>", "policy-violation"},
		"result of no domain": {"<db:result from='x@evil.test' to='a.test'>abc</db:result>", "improper-addressing"},
		"result from nobody":  {"<db:result to='a.test'>abc</db:result>", "improper-addressing"},
		"too many refused":    {strings.Repeat("<db:result from='a.test' to='a.test'>abc</db:result>", 30), "policy-violation"},
		"many wrong keys":     {strings.Repeat("<db:verify id='x' from='evil.test' to='a.test'>abc</db:verify>", 30), "policy-violation"},
		"TLS twice":           {"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "failure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := (&node{t: t, network: n, addr: a.addr, domain: "a.test"}).connect()
			p.secure("evil.test", "a.test", nil)
			p.Send(c.send)
			if got, _ := p.Remains(); !strings.Contains(got, "<"+c.want+" ") {
				t.Errorf("answered %q, want %s", got, c.want)
			}
		})
	}
	t.Cleanup(a.quiet)
}

// Without TLS nothing but TLS is possible.
func TestNothingBeforeTLS(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	p := a.connect()
	if features := p.open("evil.test", "a.test"); !strings.Contains(features, "<required/>") || strings.Contains(features, "dialback") {
		t.Errorf("features %q", features)
	}
	for send, want := range map[string]string{
		"<db:result from='evil.test' to='a.test'>abc</db:result>":        "<policy-violation",
		"<db:verify id='x' from='evil.test' to='a.test'>abc</db:verify>": "<policy-violation",
		external + "=</auth>": "<encryption-required/>",
	} {
		p.Send(send)
		if got := p.Until(want); strings.Contains(got, "stream:error") {
			t.Errorf("got %q", got)
		}
	}
}

func TestExternalRefused(t *testing.T) { // checklist 107
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	trusted := n.ca.sign(t, nil, "evil.test")
	for name, c := range map[string]struct {
		cert       *tls.Certificate
		from, auth string
		want       string
	}{
		"no certificate":                  {nil, "evil.test", external + "=</auth>", "invalid-mechanism"},
		"certificate of another":          {trusted, "bank.test", external + "=</auth>", "invalid-mechanism"},
		"unknown authority":               {newAuthority(t).sign(t, nil, "evil.test"), "evil.test", external + "=</auth>", "invalid-mechanism"},
		"identity of another":             {trusted, "evil.test", external + encode("bank.test") + "</auth>", "invalid-authzid"},
		"identity of ours":                {trusted, "evil.test", external + encode("a.test") + "</auth>", "invalid-authzid"},
		"not base64":                      {trusted, "evil.test", external + "?</auth>", "incorrect-encoding"},
		"another mechanism":               {trusted, "evil.test", "<auth xmlns='" + sasl.NS + "' mechanism='PLAIN'>=</auth>", "invalid-mechanism"},
		"identity that only begins alike": {trusted, "evil.test", external + encode("evil.test.a") + "</auth>", "invalid-authzid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := (&node{t: t, network: n, addr: a.addr, domain: "a.test"}).connect()
			features := p.secure(c.from, "a.test", c.cert)
			if offered := strings.Contains(features, "EXTERNAL"); offered != (c.cert == trusted && c.from == "evil.test") {
				t.Errorf("features %q", features)
			}
			p.Send(c.auth)
			p.Until("<failure xmlns='" + sasl.NS + "'><" + c.want + "/></failure>")
			p.Send("<message from='x@" + c.from + "' to='romeo@a.test'><body>x</body></message>")
			if got, _ := p.Remains(); !strings.Contains(got, "not-authorized") {
				t.Errorf("got %q", got)
			}
		})
	}
	t.Cleanup(a.quiet)
}

// checklist 108: an authenticated server sends for its own pair only.
func TestPairs(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	a.serve("rooms.a.test")
	for name, c := range map[string]struct{ send, want string }{
		"another domain":                           {"<message from='x@bank.test' to='romeo@a.test'/>", "invalid-from"},
		"a domain below":                           {"<message from='x@rooms.evil.test' to='romeo@a.test'/>", "invalid-from"},
		"one that ends alike":                      {"<message from='x@notevil.test' to='romeo@a.test'/>", "invalid-from"},
		"our own domain":                           {"<message from='juliet@a.test' to='romeo@a.test'/>", "invalid-from"},
		"another one of ours, from another domain": {"<message from='x@bank.test' to='room@rooms.a.test'/>", "invalid-from"},
		"a third server":                           {"<message from='x@evil.test' to='x@bank.test'/>", "invalid-from"},
		"no from":                                  {"<message to='romeo@a.test'/>", "improper-addressing"},
		"no to":                                    {"<message from='x@evil.test'/>", "improper-addressing"},
		"malformed to":                             {"<message from='x@evil.test' to='@a.test'/>", "improper-addressing"},
		"malformed from":                           {"<message from='@evil.test' to='romeo@a.test'/>", "improper-addressing"},
		"no stanza":                                {"<what/>", "unsupported-stanza-type"},
		"client's stanza":                          {"<message xmlns='jabber:client' from='x@evil.test' to='romeo@a.test'/>", "invalid-namespace"},
		"too big":                                  {"<message from='x@evil.test' to='romeo@a.test'><body>" + strings.Repeat("x", 600_000), "policy-violation"},
		"entity":                                   {"<message from='x@evil.test' to='romeo@a.test'><body>&x;</body></message>", "restricted-xml"},
		"authentication twice":                     {external + "=</auth>", "unsupported-stanza-type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := &node{t: t, network: n, addr: a.addr, domain: "a.test"}
			p := one.authenticated()
			p.Send("<message from='x@evil.test' to='romeo@a.test' id='good'><body>good</body></message>")
			p.Send(c.send)
			if got, _ := p.Remains(); !strings.Contains(got, "<"+c.want+" ") {
				t.Errorf("answered %q, want %s", got, c.want)
			}
		})
	}
	t.Cleanup(func() {
		for len(a.arrived) > 0 {
			if st := <-a.arrived; st.ID != "good" {
				t.Errorf("routed %s", st)
			}
		}
	})
}

// A certificate is good for all domains of ours; a key is for one (XEP-0220 §2.1.1).
func TestFurtherDomainOfOurs(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	a.serve("rooms.a.test")
	const send = "<message from='x@evil.test' to='room@rooms.a.test' id='further' type='chat'><body>further</body></message>"
	a.authenticated().Send(send)
	a.wants("x@evil.test", "further")
	evil := newNode(t, n, "evil.test", selfSigned(t, "evil.test"))
	evil.send("romeo@a.test", "x@evil.test", "by a key")
	a.wants("x@evil.test", "by a key")
	c := evil.server.directory.find("a.test")
	c.Append(func(b []byte) []byte { return append(b, send...) })
	c.Queue().Flush()
	rawstream.Eventually(t, "the connection has not ended", func() bool { return a.server.Counters.Forged.Load() == 1 })
	a.quiet()
}

// CVE-2018-10847, as for clients: after EXTERNAL the stream is for the same domains.
func TestCVE_2018_10847_OtherDomainsAfterExternal(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	a.serve("rooms.a.test")
	for _, attrs := range []string{"from='bank.test' to='a.test'", "from='evil.test' to='rooms.a.test'", "from='a.test' to='a.test'", "to='a.test'"} {
		p := a.connect()
		p.secure("evil.test", "a.test", n.ca.sign(t, nil, "evil.test"))
		p.Send(external + "=</auth>")
		p.Until("<success xmlns='" + sasl.NS + "'/>")
		p.Send(header(attrs + " version='1.0'"))
		p.Send("<message from='x@bank.test' to='romeo@a.test'/>")
		if got, _ := p.Remains(); !strings.Contains(got, "stream:error") {
			t.Errorf("%s: %q", attrs, got)
		}
	}
	a.quiet()
}

// CVE-2012-3525: answers of dialback that nobody has asked for give no right.
func TestCVE_2012_3525_UnsolicitedAnswers(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	for _, answer := range []string{
		"<db:result from='evil.test' to='a.test' type='valid'/>", "<db:result from='a.test' to='evil.test' type='valid'/>",
		"<db:verify from='evil.test' to='a.test' id='%s' type='valid'/>", "<db:verify from='a.test' to='evil.test' id='%s' type='valid'/>",
	} {
		p := a.connect()
		p.secure("evil.test", "a.test", nil)
		p.Send(strings.ReplaceAll(answer, "%s", p.id))
		p.Send("<message from='x@evil.test' to='romeo@a.test'/>")
		if got, _ := p.Remains(); !strings.Contains(got, "not-authorized") {
			t.Errorf("%s: %q", answer, got)
		}
	}
	a.quiet()
}

// CVE-2021-32919: the certificate for one domain gives no right for another one on the same stream.
func TestCVE_2021_32919_CertificateOfAnotherDomain(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, bank := newNode(t, n, "a.test", nil), newNode(t, n, "bank.test", nil)
	p := a.authenticated()
	p.Send("<db:result from='bank.test' to='a.test'>abc</db:result>")
	if got := p.Until("</db:result>"); !strings.Contains(got, "type='error'") || !strings.Contains(got, "<forbidden ") { // the stream stays
		t.Errorf("got %q", got)
	}
	p.Send("<message from='x@evil.test' to='romeo@a.test'><body>own</body></message>")
	a.wants("x@evil.test", "own")
	p.Send("<message from='x@bank.test' to='romeo@a.test'/>")
	if got, _ := p.Remains(); !strings.Contains(got, "invalid-from") {
		t.Errorf("got %q", got)
	}
	if a.server.Counters.Forged.Load() != 2 {
		t.Errorf("%d forged", a.server.Counters.Forged.Load())
	}
	bank.quiet()
}

// A key is good for one stream: whoever has read it cannot use it on another one.
func TestReplayedKey(t *testing.T) { // checklist 110
	t.Parallel()
	n := newNetwork(t)
	a, bank := newNode(t, n, "a.test", nil), newNode(t, n, "bank.test", nil)
	first := a.connect()
	first.secure("bank.test", "a.test", nil)
	key := bank.server.keys.of(pair{ours: "bank.test", theirs: "a.test"}, first.id)
	replay := a.connect()
	replay.secure("bank.test", "a.test", nil)
	replay.Send("<db:result from='bank.test' to='a.test'>" + key + "</db:result>")
	if got, _ := replay.Remains(); !strings.Contains(got, "type='invalid'") || !strings.Contains(got, "not-authorized") {
		t.Errorf("got %q", got)
	}
	first.Send("<db:result from='bank.test' to='a.test'>" + key + "</db:result>")
	first.Until("<db:result from='a.test' to='bank.test' type='valid'/>")
	first.Send("<message from='x@bank.test' to='romeo@a.test'><body>in</body></message>")
	a.wants("x@bank.test", "in")
}

// A key that comes while the stream ends on which another one was verified is verified on a new stream.
func TestKeyAsTheStreamEnds(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, bank := newNode(t, n, "a.test", nil), newNode(t, n, "bank.test", nil)
	ask := func(id string, done func(outcome)) {
		p := pair{ours: "bank.test", theirs: "a.test"}
		key := bank.server.keys.of(p, id)
		a.server.verify(verification{verifyID: verifyID{pair: pair{ours: "a.test", theirs: "bank.test"}, id: id}, key: key}, done)
	}
	first, second := make(chan outcome, 1), make(chan outcome, 1)
	ask("one", func(o outcome) {
		first <- o
		ask("two", func(o outcome) { second <- o })
	})
	for _, answer := range []chan outcome{first, second} {
		select {
		case o := <-answer:
			if !o.valid {
				t.Errorf("got %+v", o)
			}
		case <-time.After(time.Minute):
			t.Fatal("no answer")
		}
	}
}

// checklist 110: why a domain cannot be verified is an answer and no stream error.
func TestDialbackErrors(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) {
		o.Policy.Domains = map[string]Rule{"blocked.test": {Refused: true}, "strict.test": {Certificates: true}}
	})
	b := newNode(t, n, "b.test", nil)
	n.set("closed.test", host{addr: rawstreamClosed(t)})
	n.set("self.test", host{addr: a.addr})
	n.set("other.test", host{addr: b.addr}) // a server that does not know it
	p := a.connect()
	p.secure("evil.test", "a.test", nil)
	for _, c := range []struct{ from, to, condition string }{
		{"missing.test", "a.test", "remote-server-not-found"},
		{"closed.test", "a.test", "remote-connection-failed"},
		{"self.test", "a.test", "remote-server-not-found"},
		{"other.test", "a.test", "remote-server-not-found"},
		{"evil.test", "b.test", "item-not-found"},
		{"a.test", "a.test", "not-acceptable"},
		{"blocked.test", "a.test", "policy-violation"},
		{"strict.test", "a.test", "not-authorized"},
	} {
		p.Send(fmt.Sprintf("<db:result from='%s' to='%s'>abc</db:result>", c.from, c.to))
		got := p.Until("</db:result>")
		if want := fmt.Sprintf("<db:result from='%s' to='%s' type='error'>", c.to, c.from); !strings.Contains(got, want) || !strings.Contains(got, "<"+c.condition+" ") {
			t.Errorf("%s to %s: %q, want %s", c.from, c.to, got, c.condition)
		}
	}
	p.Send("</stream:stream>")
	if got := p.Rest(); got != "</stream:stream>" {
		t.Errorf("end %q", got)
	}
}
