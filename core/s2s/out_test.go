package s2s

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// reached is another server that is reached by its domain, by hand: answer is called for each connection.
func reached(t testing.TB, n *network, domain string, answer func(*rawstream.Peer)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				answer(rawstream.New(t, c))
			}()
		}
	}()
	n.set(domain, host{addr: l.Addr().String()})
}

// answerHeader reads a header and sends one with features.
func answerHeader(p *rawstream.Peer, domain, features string) {
	p.Until("<stream:stream ")
	p.Until(">")
	p.Send(header("from='"+domain+"' id='theirs' version='1.0'") + "<stream:features>" + features + "</stream:features>")
}

const offerTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

// answerTLS does STARTTLS as the accepting side, and answers the next header if there are features.
func answerTLS(p *rawstream.Peer, domain string, cert *tls.Certificate, features string) {
	answerHeader(p, domain, offerTLS)
	p.Until("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	p.Send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c := tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{*cert}, ClientAuth: tls.RequestClientCert})
	_ = c.SetDeadline(time.Now().Add(rawstream.Timeout))
	if c.Handshake() != nil {
		return
	}
	_ = c.SetDeadline(time.Time{})
	p.Conn = c
	if features != "" {
		answerHeader(p, domain, features)
	}
}

const (
	offerExternal = "<mechanisms xmlns='" + sasl.NS + "'><mechanism>EXTERNAL</mechanism></mechanisms>"
	offerDialback = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
)

// What another server does wrong makes the stanzas for it come back, with an error that says what the sender can know.
func TestOtherServerRefused(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	domains := []string{
		"plain.test", "wrong.test", "expired.test", "unknown.test", "nothing.test", "invalid.test", "error.test", "gone.test", "elsewhere.test", "big.test", "unasked.test", "garbage.test",
	}
	a := newNode(t, n, "a.test", func(o *Config) {
		o.Policy.Domains = map[string]Rule{}
		for _, d := range []string{"wrong.test", "expired.test", "unknown.test"} {
			o.Policy.Domains[d] = Rule{Certificates: true}
		}
	})
	valid := map[string]*tls.Certificate{}
	for _, d := range domains {
		valid[d] = n.ca.sign(t, nil, d)
	}
	expired := n.ca.sign(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	}, "expired.test")
	unknown := newAuthority(t).sign(t, nil, "unknown.test")
	end := func(p *rawstream.Peer) { _, _ = p.Remains() }
	keyed := func(domain, answer string) func(*rawstream.Peer) {
		return func(p *rawstream.Peer) {
			answerTLS(p, domain, valid[domain], offerDialback)
			p.Until("</db:result>")
			p.Send(answer)
			end(p)
		}
	}
	answers := map[string]func(*rawstream.Peer){
		"plain.test":   func(p *rawstream.Peer) { answerHeader(p, "plain.test", offerDialback); end(p) },
		"wrong.test":   func(p *rawstream.Peer) { answerTLS(p, "wrong.test", valid["plain.test"], ""); end(p) },
		"expired.test": func(p *rawstream.Peer) { answerTLS(p, "expired.test", expired, ""); end(p) },
		"unknown.test": func(p *rawstream.Peer) { answerTLS(p, "unknown.test", unknown, ""); end(p) },
		"nothing.test": func(p *rawstream.Peer) {
			answerHeader(p, "nothing.test", offerTLS)
			p.Until("<starttls")
			p.Send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")
			end(p)
		},
		"invalid.test":   keyed("invalid.test", "<db:result from='invalid.test' to='a.test' type='invalid'/>"),
		"error.test":     keyed("error.test", "<db:result from='error.test' to='a.test' type='error'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>"),
		"gone.test":      keyed("gone.test", "<stream:error><host-gone xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"),
		"elsewhere.test": keyed("elsewhere.test", "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:1</see-other-host></stream:error></stream:stream>"),
		"big.test":       keyed("big.test", "<db:result from='big.test' to='a.test' type='valid'>"+strings.Repeat("x", 20_000)),
		"unasked.test":   keyed("unasked.test", "<db:result from='unasked.test' to='other.test' type='valid'/><db:result from='bank.test' to='a.test' type='valid'/><db:verify from='unasked.test' to='a.test' id='theirs' type='valid'/></stream:stream>"),
		"garbage.test":   func(p *rawstream.Peer) { p.Send("HTTP/1.1 400 Bad Request\r\n\r\n"); end(p) },
	}
	conditions := map[string]string{
		"plain.test": "remote-server-not-found", "wrong.test": "remote-server-not-found", "expired.test": "remote-server-not-found", "unknown.test": "remote-server-not-found",
		"nothing.test": "remote-server-not-found", "invalid.test": "internal-server-error", "gone.test": "remote-server-not-found",
	}
	for _, d := range domains {
		reached(t, n, d, answers[d])
		a.send("x@"+d, "romeo@a.test/x", d)
	}
	got := map[string]string{}
	for range domains {
		st := a.arrived.next(t)
		if st.Err() == nil {
			t.Fatalf("got %s", st)
		}
		got[st.ID] = st.Err().Condition
	}
	for _, d := range domains {
		want := conditions[d]
		if want == "" {
			want = "remote-server-timeout"
		}
		if got[d] != want {
			t.Errorf("%s: %s, want %s", d, got[d], want)
		}
	}
	a.quiet()
	if n.count("elsewhere.test") != 1 {
		t.Error("went elsewhere")
	}
}

// CVE-2011-0411, on the side that dials: what another server sends before TLS is not read as if it came after it.
func TestCVE_2011_0411_InjectionIntoProceed(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	cert := n.ca.sign(t, nil, "b.test")
	got := make(chan string, 1)
	reached(t, n, "b.test", func(p *rawstream.Peer) {
		answerHeader(p, "b.test", offerTLS)
		p.Until("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		p.Send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + header("from='b.test' id='x' version='1.0'") + "<stream:features>" + offerDialback + "</stream:features>")
		c := tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{*cert}})
		err := c.Handshake() // the client reads the injected bytes as if they were TLS, or drops them
		got <- fmt.Sprint(err)
		_ = c.Close()
	})
	a.send("x@b.test", "romeo@a.test/x", "lost")
	a.wantsError("lost", "remote-server-timeout")
	<-got
}

// EXTERNAL is followed by a new stream; where it is refused the key is sent on the same stream.
func TestExternalThenDialback(t *testing.T) { // checklist 106
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	bodies := make(chan string, 1)
	reached(t, n, "b.test", func(p *rawstream.Peer) {
		answerTLS(p, "b.test", n.ca.sign(t, nil, "b.test"), offerExternal+offerDialback)
		p.Until(external + "=</auth>")
		p.Send("<failure xmlns='" + sasl.NS + "'><not-authorized/></failure>")
		key := p.Until("</db:result>")
		if want := a.server.keys.of(pair{ours: "a.test", theirs: "b.test"}, "theirs"); !strings.Contains(key, ">"+want+"<") {
			bodies <- key
			return
		}
		p.Send("<db:result from='b.test' to='a.test' type='valid'/>")
		bodies <- p.Until("</message>")
		p.Send("</stream:stream>")
	})
	a.send("x@b.test", "romeo@a.test/x", "hello")
	if got := <-bodies; !strings.Contains(got, "<body>hello</body>") || !strings.Contains(got, "from='romeo@a.test/x'") {
		t.Errorf("got %q", got)
	}
}

// CVE-2016-1232: ids of streams, to which keys are bound, cannot be guessed.
func TestCVE_2016_1232_UnpredictableIDs(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	seen := map[string]bool{}
	for range 20 {
		p := a.connect()
		p.open("evil.test", "a.test")
		if seen[p.id] || len(p.id) < 20 {
			t.Errorf("id %q", p.id)
		}
		seen[p.id] = true
	}
	if _, err := NewServer(Config{Secret: []byte("short")}); err == nil {
		t.Error("a short secret is accepted")
	}
}

// CVE-2010-0305: a server that does not read is disconnected, and what it did not get comes back.
func TestCVE_2010_0305_SlowServer(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) { o.Limits.Queue = 1 << 20 })
	stalled := make(chan struct{})
	t.Cleanup(func() { close(stalled) })
	reached(t, n, "b.test", func(p *rawstream.Peer) {
		if c, ok := p.Conn.(*net.TCPConn); ok {
			_ = c.SetReadBuffer(4 << 10)
		}
		answerTLS(p, "b.test", n.ca.sign(t, nil, "b.test"), offerDialback)
		p.Until("</db:result>")
		p.Send("<db:result from='b.test' to='a.test' type='valid'/>")
		<-stalled
	})
	a.send("x@b.test", "romeo@a.test/x", "first")
	text := strings.Repeat("x", 100_000)
	rawstream.Eventually(t, "the server is disconnected", func() bool {
		a.send("x@b.test", "romeo@a.test/x", text)
		select {
		case st := <-a.arrived:
			if st.Err() == nil {
				t.Fatal(errors.New("got no error"))
			}
			return true
		default:
			return false
		}
	})
}
