package c2s

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
)

func jidOf(s string) jid.JID { return jid.MustParse(s) }

// checklist 20
func TestStartTLSAlone(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	got := p.dial().features("home.test")
	if !strings.Contains(got, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>") ||
		strings.Contains(got, "mechanism") || strings.Contains(got, "bind") {
		t.Errorf("features %q", got)
	}
	got = newTestServer(t, plain).dial().features("home.test")
	if !strings.Contains(got, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>") || !strings.Contains(got, "SCRAM-SHA-1<") ||
		strings.Contains(got, "PLAIN") || strings.Contains(got, "PLUS") { // checklist 26
		t.Errorf("features %q", got)
	}
}

// checklist 22
func TestStartTLS(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c := p.dial()
	before := c.features("home.test")
	c.startTLS()
	after := c.features("home.test")
	if attr(t, before, "id") == attr(t, after, "id") {
		t.Error("the id is the same")
	}
	if strings.Contains(after, "starttls") {
		t.Errorf("features %q", after)
	}
	// checklist 26
	for _, m := range []string{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"} {
		if !strings.Contains(after, "<mechanism>"+m+"</mechanism>") {
			t.Errorf("%s is missing in %q", m, after)
		}
	}
	// XEP-0440
	for _, b := range []string{"tls-exporter", "tls-server-end-point"} {
		if !strings.Contains(after, "<channel-binding type='"+b+"'/>") {
			t.Errorf("%s is missing in %q", b, after)
		}
	}
	// XEP-0478
	if !strings.Contains(after, "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes></limits>") {
		t.Errorf("limits are missing in %q", after)
	}
}

// CVE-2011-0411: what a third party inserted after starttls without encryption is not read as if the
// client had sent it through TLS. checklist 21
func TestCVE_2011_0411_StartTLSInjection(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c := p.dial()
	c.features("home.test")
	c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + open("home.test") + plainAuth("", "romeo", "pw-romeo"))
	c.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.TLS(&tls.Config{InsecureSkipVerify: true})
	got := c.features("other.test") // so that an answer to the inserted header would show
	if strings.Count(got, "<stream:stream ") != 1 || attr(t, got, "from") != "other.test" || strings.Contains(got, "success") || !strings.Contains(got, "mechanism") {
		t.Errorf("got %q", got)
	}
	c.Send(plainAuth("", "romeo", "wrong"))
	if got := c.Until("</failure>"); !strings.HasPrefix(got, "<failure ") {
		t.Errorf("got %q", got)
	}
	if p.server.Counters.Logins.Load() != 0 {
		t.Error("a client is logged in")
	}
}

// CVE-2014-8760: if TLS is required nothing else is possible before it.
func TestCVE_2014_8760_NothingBeforeTLS(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for name, send := range map[string]string{
		"compress": "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
		"iq":       "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>",
		"bind":     bindIQ("x"),
		"message":  chatMessage("juliet@home.test", "x"),
		"unknown":  "<x xmlns='urn:x'/>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := (&testServer{t: t, addr: p.addr}).dial()
			c.features("home.test")
			c.Send(send)
			c.wantError("policy-violation")
		})
	}
	c := p.dial()
	c.features("home.test")
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>") // checklist 28
	c.startTLS()
	c.features("home.test")
}

// checklist 23
func TestStartTLSRefused(t *testing.T) {
	t.Parallel()
	const starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	const failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"
	p := newTestServer(t, nil)
	c, _ := p.secure("home.test")
	c.Send(starttls)
	if got := c.Rest(); got != failure {
		t.Errorf("twice: %q", got)
	}
	c = newTestServer(t, func(c *Config) { c.Plain, c.Certificates = true, nil }).dial()
	if got := c.features("home.test"); strings.Contains(got, "starttls") {
		t.Errorf("offered %q", got)
	}
	c.Send(starttls)
	if got := c.Rest(); got != failure {
		t.Errorf("without TLS: %q", got)
	}
	c = p.dial()
	c.features("home.test")
	c.Send(starttls)
	c.Until("/>")
	c.Send("this is no TLS at all, but long enough to be taken for a record of it")
	_ = c.SetReadDeadline(time.Now().Add(testTimeout))
	if got, _ := io.ReadAll(c.Conn); strings.Contains(string(got), "stream:stream") {
		t.Errorf("bad handshake: %q", got)
	}
	if n := p.server.Counters.Handshakes.Load(); n != 1 {
		t.Errorf("%d handshakes counted", n)
	}
}

// checklist 24
func TestOldTLSRefused(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c := p.dial()
	c.features("home.test")
	c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.Until("/>")
	conn := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	_ = conn.SetDeadline(time.Now().Add(testTimeout))
	if err := conn.Handshake(); err == nil {
		t.Error("TLS 1.1 accepted")
	}
}

// checklist 25
func TestDirectTLS(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	direct := &testServer{t: t, addr: p.direct}
	c := direct.dial()
	state := c.TLS(&tls.Config{InsecureSkipVerify: true, ServerName: "home.test", NextProtos: []string{"xmpp-client"}})
	if state.NegotiatedProtocol != "xmpp-client" {
		t.Errorf("protocol %q", state.NegotiatedProtocol)
	}
	got := c.features("home.test")
	if strings.Contains(got, "starttls") || !strings.Contains(got, "PLAIN") || !strings.Contains(got, "tls-server-end-point") {
		t.Errorf("features %q", got)
	}
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until(success)
	c.features("home.test")

	c = direct.dial()
	conn := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	_ = conn.SetDeadline(time.Now().Add(testTimeout))
	if err := conn.Handshake(); err == nil {
		t.Error("another protocol accepted")
	}
}

// CVE-2017-18265: errors after the client has disconnected do no harm.
func TestCVE_2017_18265_Disconnected(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for _, f := range []func(*client){
		func(*client) {},
		func(c *client) { c.Send("<stream") },
		func(c *client) { c.Send("<!DOCTYPE x>") },
		func(c *client) { c.Send(open("home.test") + "<a></b>") },
		func(c *client) {
			c.features("home.test")
			c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		},
		func(c *client) {
			c.features("home.test")
			c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			c.Until("/>")
			c.Send("\x16\x03\x01\x02\x00\x01")
		},
		func(c *client) { c.features("home.test"); c.startTLS(); c.Send(open("home.test") + "<!-- -->") },
	} {
		c := p.dial()
		f(c)
		_ = c.Close()
	}
	rawstream.Eventually(t, "all gone", func() bool { return p.server.Counters.Connections.Load() == 0 })
	if n := p.server.Counters.Panics.Load(); n != 0 {
		t.Errorf("%d panics", n)
	}
	p.session("romeo", "x")
}
