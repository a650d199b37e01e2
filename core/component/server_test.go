package component

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// checklist 116
func TestAttach(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	p := o.connect()
	p.Send(open("gate.test"))
	header := p.Until(">") + p.Until(">")
	if !strings.Contains(header, "xmlns='jabber:component:accept'") || !strings.Contains(header, "from='gate.test'") {
		t.Errorf("header %q", header)
	}
	p.Send("<handshake>" + handshake(idOf(t, header), "s3cret") + "</handshake>")
	p.Until("<handshake/>")
	if !o.server.Attached(jid.MustParse("gate.test")) || o.server.Attached(jid.MustParse("other.test")) {
		t.Error("Attached returns a wrong answer")
	}
	p.Send("<message to='romeo@home.test' from='bot@gate.test/r' type='chat'><body>hi</body></message>")
	if st := o.home.next(t); st.Body() != "hi" || st.From.String() != "bot@gate.test/r" {
		t.Errorf("routed %s", st)
	}
	o.router.Route(message("bot@gate.test", "romeo@home.test/a", "back"))
	if got := p.Until("</message>"); !strings.Contains(got, "<body>back</body>") || strings.Contains(got, "xmlns='jabber:client'") {
		t.Errorf("delivered %q", got)
	}
	p.Send("</stream:stream>")
	if rest := p.Rest(); rest != "</stream:stream>" {
		t.Errorf("end %q", rest)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	for name, c := range map[string]struct{ send, want string }{
		"unknown domain":   {open("nobody.test"), "host-unknown"},
		"malformed domain": {open("a@@b"), "host-unknown"},
		"no domain":        {open(""), "improper-addressing"},
		"client stream":    {"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='gate.test'>", "invalid-namespace"},
		"wrong secret":     {open("gate.test") + "<handshake>" + handshake("x", "y") + "</handshake>", "not-authorized"},
		"empty secret":     {open("gate.test") + "<handshake/>", "not-authorized"},
		"no handshake":     {open("gate.test") + "<message to='romeo@home.test' from='gate.test'/>", "not-authorized"},
		"other namespace":  {open("gate.test") + "<handshake xmlns='urn:x'>x</handshake>", "not-authorized"},
		"doctype":          {"<!DOCTYPE x [<!ENTITY a 'b'>]>" + open("gate.test"), "restricted-xml"},
		"comment":          {open("gate.test") + "<!-- x -->", "restricted-xml"},
		"not XML":          {open("gate.test") + "<a><b></a>", "not-well-formed"},
		"too big":          {open("gate.test") + "<handshake>" + strings.Repeat("0", 20_000), "policy-violation"},
		"white space":      {open("gate.test") + strings.Repeat(" ", 40_000), "policy-violation"},
		"too many":         {open("gate.test") + "<handshake>" + strings.Repeat("<a/>", 100) + "</handshake>", "policy-violation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := (&testServer{t: t, addr: o.addr}).connect()
			p.Send(c.send)
			got := p.Rest()
			if !strings.Contains(got, "<stream:stream ") || !strings.Contains(got, "<"+c.want+" ") || !strings.HasSuffix(got, "</stream:stream>") {
				t.Errorf("answered %q, want %s", got, c.want)
			}
		})
	}
	t.Cleanup(func() {
		if len(o.home) > 0 {
			t.Errorf("routed %s", o.home.next(t))
		}
	})
}

// checklist 40
func TestAddressesOfComponent(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	for name, c := range map[string]struct{ send, want string }{
		"from of another":      {"<message to='romeo@home.test' from='other.test'/>", "invalid-from"},
		"from of a user":       {"<message to='romeo@home.test' from='juliet@home.test'/>", "invalid-from"},
		"from below":           {"<message to='romeo@home.test' from='a.gate.test'/>", "invalid-from"},
		"from that ends alike": {"<message to='romeo@home.test' from='evilgate.test'/>", "invalid-from"},
		"no from":              {"<message to='romeo@home.test'/>", "invalid-from"},
		"malformed from":       {"<message to='romeo@home.test' from='@gate.test'/>", "invalid-from"},
		"no to":                {"<message from='gate.test'/>", "improper-addressing"},
		"malformed to, from":   {"<message to='@x' from='other.test'/>", "invalid-from"},
		"no stanza":            {"<what/>", "unsupported-stanza-type"},
		"server's stanza":      {"<message xmlns='jabber:server' to='romeo@home.test' from='gate.test'/>", "invalid-namespace"},
		"too big":              {"<message to='romeo@home.test' from='gate.test'><body>" + strings.Repeat("x", 600_000), "policy-violation"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newTestServer(t, nil)
			p := o.attached("gate.test")
			p.Send(c.send)
			if got := p.Rest(); !strings.Contains(got, "<"+c.want+" ") {
				t.Errorf("answered %q, want %s", got, c.want)
			}
			if len(o.home) > 0 {
				t.Errorf("routed %s", o.home.next(t))
			}
		})
	}
	p := o.attached("gate.test")
	p.Send("<iq to='a@@b' from='bot@gate.test' type='get' id='1'><x xmlns='urn:x'/></iq>")
	if got := p.Until("</iq>"); !strings.Contains(got, "jid-malformed") || !strings.Contains(got, "id='1'") {
		t.Errorf("answered %q", got)
	}
}

func TestConflictPolicies(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	first := o.attached("gate.test")
	second := o.attached("gate.test")
	if got := first.Rest(); !strings.Contains(got, "<conflict ") {
		t.Errorf("first got %q", got)
	}
	o.router.Route(message("bot@gate.test", "romeo@home.test/a", "to the second"))
	second.Until("to the second")

	o = newTestServer(t, func(c *Config) { c.Components[0].RejectMore = true })
	first = o.attached("gate.test")
	if got := o.attach("gate.test", "s3cret").Rest(); !strings.Contains(got, "<conflict ") {
		t.Errorf("second got %q", got)
	}
	// A wrong secret is reported, and not whether the component is connected.
	if got := o.attach("gate.test", "wrong").Rest(); !strings.Contains(got, "<not-authorized ") {
		t.Errorf("with a wrong secret: %q", got)
	}
	o.router.Route(message("bot@gate.test", "romeo@home.test/a", "to the first"))
	first.Until("to the first")
}

// While a component is not connected, stanzas that may be answered are answered.
func TestNotConnected(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	o.router.Route(message("bot@gate.test", "romeo@home.test/a", "hi"))
	st := o.home.next(t)
	if e := st.Err(); e == nil || e.Condition != "service-unavailable" || e.Type != "wait" {
		t.Errorf("answered %s", st)
	}
	if err := o.router.Attach(jid.MustParse("gate.test"), o.home); err == nil {
		t.Error("the domain was not attached")
	}
	o.stop()
	if o.router.Serves(jid.MustParse("gate.test")) {
		t.Error("the domain was not detached")
	}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	p, q := o.attached("gate.test"), o.connect()
	q.Send(open("other.test"))
	q.Until("from='other.test'")
	o.stop()
	for _, p := range []*rawstream.Peer{p, q} {
		if got := p.Rest(); !strings.Contains(got, "<system-shutdown ") || !strings.HasSuffix(got, "</stream:stream>") {
			t.Errorf("got %q", got)
		}
	}
}

func TestSilentComponentIsPinged(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, func(c *Config) { c.Limits.Idle = 300 * time.Millisecond })
	p := o.attached("gate.test")
	ping := p.Until("</iq>")
	if !strings.Contains(ping, "urn:xmpp:ping") {
		t.Fatalf("got %q", ping)
	}
	p.Send(" ")
	p.Until("</iq>") // white space is an answer too
	if got := p.Rest(); !strings.Contains(got, "<connection-timeout ") {
		t.Errorf("got %q", got)
	}
}

// A component that does not read is disconnected and its senders are answered.
func TestCVE_2010_0305_SlowComponent(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, func(c *Config) { c.Limits.Queue = 64 << 10 })
	o.attached("gate.test")
	body := strings.Repeat("x", 10_000)
	deadline := time.Now().Add(testTimeout)
	for len(o.home) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("never disconnected")
		}
		o.router.Route(message("bot@gate.test", "romeo@home.test/a", body))
	}
	if e := o.home.next(t).Err(); e == nil || e.Condition != "service-unavailable" {
		t.Errorf("answered %v", e)
	}
}

// Idle connections, however many and however far they have got, do not keep a component out.
func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	for range 2 * maxHandshaking {
		o.connect()
		p := o.connect()
		p.Send(open("gate.test"))
		p.Until("from='gate.test'")
	}
	first := o.attached("gate.test")
	for range 2 * maxHandshaking {
		o.connect()
	}
	o.attached("other.test")
	first.Send("<message from='gate.test' to='home.test' id='still'/>") // what is attached is not ended
	if st := o.home.next(t); st.ID != "still" {
		t.Errorf("%s", st)
	}
	rawstream.Eventually(t, "the idle ones are limited", func() bool { return o.server.Counters.Connections.Load() <= maxHandshaking+2 })
	if o.server.Counters.Displaced.Load() == 0 {
		t.Error("not counted")
	}
}

// One address has a limit of its own.
func TestConnectionsFromOneAddress(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, func(c *Config) { c.Limits.Connections = 2 })
	idle := o.connect()
	o.attached("gate.test")
	o.attached("other.test")
	if got := idle.Rest(); got != "" && !strings.Contains(got, "resource-constraint") {
		t.Errorf("the idle one: %q", got)
	}
	if got := o.connect().Rest(); got != "" {
		t.Errorf("answered %q", got)
	}
	rawstream.Eventually(t, "counted", func() bool { return o.server.Counters.TooMany.Load() == 2 })
}

// Wrong secrets are limited over connections, also where they come at once; the right one is not accepted faster.
func TestGuessesOfSecrets(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, func(c *Config) { c.Limits.Tries = 4 }) // for one domain: one a minute
	guess := func(domain, proof string) string {
		p := o.connect()
		p.Send(open(domain))
		p.Until("from='" + domain + "'")
		p.Until(">")
		p.Send("<handshake>" + proof + "</handshake>")
		got, _ := p.Remains()
		return got
	}
	if got := guess("gate.test", "00"); !strings.Contains(got, "<not-authorized ") {
		t.Errorf("the first: %s", got)
	}
	for range 5 {
		if got := guess("gate.test", "00"); !strings.Contains(got, "<resource-constraint ") {
			t.Errorf("further ones: %s", got)
		}
	}
	o.attached("other.test") // is not delayed
	if n := o.server.Counters.Guesses.Load(); n != 5 {
		t.Errorf("%d counted", n)
	}
}

func TestNewServerChecks(t *testing.T) {
	t.Parallel()
	r := router.New(quiet)
	gate := jid.MustParse("gate.test")
	if _, err := NewServer(Config{Router: r, Components: []External{{Domain: jid.MustParse("x.test"), Secret: "s"}, {Domain: gate}}}); err == nil {
		t.Error("empty secret accepted")
	}
	if r.Serves(jid.MustParse("x.test")) {
		t.Error("a domain is still attached to the router")
	}
	if _, err := NewServer(Config{Router: r, Components: []External{{Domain: gate, Secret: "s"}, {Domain: gate, Secret: "s"}}}); err == nil {
		t.Error("one domain twice accepted")
	}
}
