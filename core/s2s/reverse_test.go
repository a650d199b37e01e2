package s2s

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	askBidi   = "<bidi xmlns='urn:xmpp:bidi'/>"
	offerBidi = "<bidi xmlns='urn:xmpp:features:bidi'/>"
)

func bidiWanted(o *Config) { o.Limits.Bidi = BidiWanted }

// Two servers use one connection for both directions where one has asked for it, whatever proves who they are (XEP-0288).
func TestBidi(t *testing.T) { // checklist 111
	t.Parallel()
	for name, dialback := range map[string]bool{"certificates": false, "dialback": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			change := func(domain string) func(*Config) {
				return func(o *Config) {
					bidiWanted(o)
					if dialback {
						selfSigned(t, domain)(o)
					}
				}
			}
			a, b := newNode(t, n, "a.test", change("a.test")), newNode(t, n, "b.test", change("b.test"))
			for i := range 100 {
				a.send("juliet@b.test", "romeo@a.test/x", fmt.Sprint("there ", i))
				b.wants("romeo@a.test/x", fmt.Sprint("there ", i))
				b.send("romeo@a.test", "juliet@b.test/y", fmt.Sprint("back ", i))
				a.wants("juliet@b.test/y", fmt.Sprint("back ", i))
			}
			if in, out := b.server.Counters.In.Load(), b.server.Counters.Out.Load(); in != 1 || out != 0 {
				t.Errorf("%d connections in and %d out", in, out)
			}
			for _, o := range []*node{a, b} {
				list := o.server.Connections(10)
				if len(list) != 1 || !list[0].Bidi || !list[0].Connected || list[0].Incoming != (o == b) {
					t.Errorf("%s: %+v", o.domain, list)
				}
			}
			if got := b.server.Disconnect("a.test"); got != 1 {
				t.Errorf("%d connections are closed", got)
			}
			rawstream.Eventually(t, "the connection is closed", func() bool { return b.server.Counters.In.Load() == 0 && a.server.Counters.Out.Load() == 0 })
			b.send("romeo@a.test", "juliet@b.test/y", "again")
			a.wants("juliet@b.test/y", "again")
			a.quiet()
			b.quiet()
		})
	}
}

// Without both sides wanting it there is a connection for each direction (RFC 6120 §4.5).
func TestBidiNotNegotiated(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]func(*Config){
		"not asked for": {nil, nil},
		"not offered":   {bidiWanted, func(o *Config) { o.Limits.Bidi = BidiRefused }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			a, b := newNode(t, n, "a.test", change[0]), newNode(t, n, "b.test", change[1])
			a.send("juliet@b.test", "romeo@a.test/x", "1")
			b.wants("romeo@a.test/x", "1")
			b.send("romeo@a.test", "juliet@b.test/y", "2")
			a.wants("juliet@b.test/y", "2")
			if in, out := b.server.Counters.In.Load(), b.server.Counters.Out.Load(); in != 1 || out != 1 {
				t.Errorf("%d connections in and %d out", in, out)
			}
		})
	}
}

// What was not acknowledged when a connection is cut is sent again, in both directions.
func TestBidiCut(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	change := func(o *Config) {
		bidiWanted(o)
		o.Limits.WaitLimits = WaitLimits{Stanzas: 10_000, Bytes: 16 << 20}
	}
	a, b := newNode(t, n, "a.test", change), newNode(t, n, "b.test", change)
	toA, toB := newRelay(t, a.addr), newRelay(t, b.addr)
	n.set("a.test", host{addr: toA.l.Addr().String()})
	n.set("b.test", host{addr: toB.l.Addr().String()})
	const count = 500
	type direction struct {
		from, to          *node
		sender, receiver  string
		sent, next, since int
		seen              map[string]bool
	}
	there := &direction{a, b, "romeo@a.test/x", "juliet@b.test", 0, 0, 0, map[string]bool{}}
	back := &direction{b, a, "juliet@b.test/y", "romeo@a.test", 0, 0, 0, map[string]bool{}}
	for there.next < count || back.next < count {
		for _, d := range []*direction{there, back} {
			for d.sent < min(count, d.next+50) {
				d.from.send(d.receiver, d.sender, fmt.Sprint(d.sent))
				d.sent++
			}
		}
		d, st := there, (*stanza.Stanza)(nil)
		select {
		case st = <-b.arrived:
		case st = <-a.arrived:
			d = back
		case <-time.After(rawstream.Timeout):
			t.Fatalf("nothing has arrived after %d and %d", there.next, back.next)
		}
		if st.Type == stanza.TypeError || st.ID != fmt.Sprint(d.next) && !d.seen[st.ID] {
			t.Fatalf("%s got %s, want %d", d.to.domain, st, d.next)
		}
		d.seen[st.ID] = true
		if st.ID == fmt.Sprint(d.next) {
			d.next++
			d.since++
		}
		if there.since > 120 && back.since > 120 { // both were connected for a while: what is cut while it connects, or too often, comes back
			there.since, back.since = 0, 0
			cutAll(toA, toB)
		}
	}
}

// cutAll cuts the connections of several relays at once: none that is made because of it is cut, too.
func cutAll(all ...*relay) {
	for _, r := range all {
		r.mu.Lock()
		defer r.mu.Unlock()
	}
	for _, r := range all {
		for _, c := range r.conns {
			_ = c.Close()
		}
		r.conns = nil
	}
}

// bidi is a connection of evil.test in both directions.
func (o *node) bidi() *other {
	o.t.Helper()
	c := o.connect()
	if features := c.secure("evil.test", o.domain, o.network.ca.sign(o.t, nil, "evil.test")); !strings.Contains(features, offerBidi) {
		o.t.Fatalf("features %q", features)
	}
	c.Send(askBidi + external + "=</auth>")
	c.Until("<success")
	c.open("evil.test", o.domain)
	return c
}

// Stanzas are sent back to the domain that was authenticated, and counted from enable on; the stream cannot be resumed.
func TestBidiAccepted(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	p := a.bidi()
	p.Send("<message from='x@evil.test' to='romeo@a.test' id='0'/>")
	a.arrived.next(t)
	a.send("x@evil.test", "romeo@a.test/x", "before")
	p.Until("<body>before</body></message>")
	p.Send("<enable" + nsSM + " resume='true'/>")
	p.Until("<enabled" + nsSM + "/>")
	a.send("x@evil.test", "romeo@a.test/x", "counted")
	p.Until("<body>counted</body></message>")
	p.Send("<a" + nsSM + " h='1'/>")
	p.Send("<message from='x@evil.test' to='romeo@a.test' id='1'/><r" + nsSM + "/>")
	p.Until("<a" + nsSM + " h='1'/>")
	p.Send("<a" + nsSM + " h='2'/>")
	if got, _ := p.Remains(); !strings.Contains(got, "handled-count-too-high") {
		t.Errorf("got %q", got)
	}
}

// Nothing is sent back to a peer before it has proved who it is, and nothing for a domain that it did not name (XEP-0288 §2.2). What was
// asked for before TLS does not count after it.
func TestBidiNeedsAuthentication(t *testing.T) { // checklist 111
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	for _, early := range []bool{false, true} {
		p := a.connect()
		if early {
			p.open("evil.test", "a.test")
			p.Send(askBidi + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			p.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			p.TLS(&tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{*n.ca.sign(t, nil, "evil.test")}})
			p.open("evil.test", "a.test")
			p.Send(external + "=</auth>")
			p.Until("<success")
			p.open("evil.test", "a.test")
		} else {
			p.secure("evil.test", "a.test", nil)
			p.Send(askBidi)
		}
		a.send("x@evil.test", "romeo@a.test/x", "secret")
		a.wantsError("secret", "remote-server-not-found")
		p.Send("</stream:stream>")
		if got, _ := p.Remains(); strings.Contains(got, "secret") {
			t.Errorf("got %q", got)
		}
		a.server.Disconnect("evil.test") // forgets that no connection could be made
	}
	p := a.bidi()
	a.send("x@bank.test", "romeo@a.test/x", "secret")
	a.wantsError("secret", "remote-server-not-found")
	p.Send(askBidi) // once is enough
	if got, _ := p.Remains(); strings.Contains(got, "secret") || !strings.Contains(got, "<unsupported-stanza-type ") {
		t.Errorf("got %q", got)
	}
}

// A server to which this one has connected sends for its own domain only, to the domain that has connected, and only where it was asked to.
func TestBidiSpoofed(t *testing.T) { // checklist 111
	t.Parallel()
	n := newNetwork(t)
	for name, c := range map[string]struct {
		change  func(*Config)
		message string
		arrives bool
	}{
		"own":                  {bidiWanted, "<message from='x@b.test' to='romeo@a.test' id='1'><body>x</body></message>", true},
		"large":                {bidiWanted, "<message from='x@b.test' to='romeo@a.test' id='1'><body>" + strings.Repeat("y", 300_000) + "</body></message>", true},
		"another's":            {bidiWanted, "<message from='x@bank.test' to='romeo@a.test' id='1'/>", false},
		"below its own":        {bidiWanted, "<message from='x@rooms.b.test' to='romeo@a.test' id='1'/>", false},
		"ours":                 {bidiWanted, "<message from='x@a.test' to='romeo@a.test' id='1'/>", false},
		"to another of ours":   {bidiWanted, "<message from='x@b.test' to='romeo@rooms.a.test' id='1'/>", false},
		"without from":         {bidiWanted, "<message to='romeo@a.test' id='1'/>", false},
		"in one direction":     {nil, "<message from='x@b.test' to='romeo@a.test' id='1'/>", false},
		"unsolicited dialback": {bidiWanted, "<db:result from='bank.test' to='a.test' type='valid'/><message from='x@bank.test' to='romeo@a.test' id='1'/>", false}, // CVE-2012-3525
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &network{t: t, ca: n.ca, servers: map[string]host{}, dialled: map[string]int{}}
			a := newNode(t, n, "a.test", c.change)
			a.serve("rooms.a.test")
			ended := make(chan string, 1)
			reached(t, n, "b.test", func(p *rawstream.Peer) {
				answerTLS(p, "b.test", n.ca.sign(t, nil, "b.test"), offerDialback+offerBidi)
				p.Until("</db:result>")
				p.Send("<db:result from='b.test' to='a.test' type='valid'/>" + c.message)
				got, _ := p.Remains()
				select {
				case ended <- got:
				default:
				}
			})
			a.send("x@b.test", "romeo@a.test/x", "first")
			if c.arrives {
				if st := a.arrived.next(t); st.ID != "1" || st.From.String() != "x@b.test" {
					t.Errorf("got %s", st)
				}
				return
			}
			if got := <-ended; !strings.Contains(got, "<invalid-from ") && !strings.Contains(got, "<improper-addressing ") {
				t.Errorf("got %q", got)
			}
			for range 3 { // attempts that end in the same way
				select {
				case st := <-a.arrived:
					if st.Type != stanza.TypeError || st.ID != "first" {
						t.Errorf("got %s", st)
					}
				default:
				}
			}
		})
	}
}
