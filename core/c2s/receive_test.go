package c2s

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// checklist 36
func TestFrom(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	p.online("romeo", "other")
	for _, from := range []string{"", " from='romeo@home.test/x'", " from='romeo@home.test'"} {
		c := p.session("romeo", "x")
		c.Send("<message" + from + " to='juliet@home.test/a'><body>hi</body></message>")
		if got := juliet.Until("</message>"); !strings.Contains(got, " from='romeo@home.test/x'") {
			t.Errorf("from%s: %q", from, got)
		}
		_ = c.Close()
	}
	for _, from := range []string{"juliet@home.test", "juliet@home.test/a", "romeo@home.test/other", "home.test", "romeo@other.test", "@@"} {
		c := p.session("romeo", "x")
		c.Send("<message from='" + from + "' to='juliet@home.test/a'><body>spoofed</body></message>")
		c.wantError("invalid-from")
		c = p.session("romeo", "x")
		c.Send("<message from='" + from + "' to='@@'><body>spoofed</body></message>")
		c.wantError("invalid-from")
	}
	juliet.Send("<iq type='get' id='x'><nobody xmlns='urn:x'/></iq>")
	if got := juliet.Until("id='x'"); strings.Contains(got, "spoofed") {
		t.Errorf("got %q", got)
	}
}

// checklist 36, 81
func TestSubscriptionsAreFromTheAccount(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	for typ, want := range map[string]string{
		"subscribe": "romeo@home.test", "subscribed": "romeo@home.test", "unsubscribe": "romeo@home.test",
		"unsubscribed": "romeo@home.test", "unavailable": "romeo@home.test/x",
	} {
		romeo.Send("<presence to='juliet@home.test' type='" + typ + "'/>")
		if got := juliet.Until("/>"); !strings.Contains(got, " from='"+want+"'") {
			t.Errorf("%s: %q", typ, got)
		}
	}
}

// checklist 37, 38, 43
func TestPayloadIsUnchanged(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	romeo.Send("<message to='juliet@home.test' id='&lt;1&gt;' type='strange' xml:lang='fr' xmlns:a='urn:a' a:b='c'>" +
		"<a:x>\U0001F600 &amp; <![CDATA[<y>]]></a:x><body>é</body></message>")
	got := juliet.Until("</message>")
	for _, part := range []string{
		" to='juliet@home.test'", " id='&lt;1&gt;'", " type='strange'", " xml:lang='fr'", "xmlns:a='urn:a'", "a:b='c'",
		"<a:x>\U0001F600 &amp; <![CDATA[<y>]]></a:x><body>é</body>",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s is missing in %q", part, got)
		}
	}
}

// checklist 42
func TestLang(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	c, _ := p.secure("home.test")
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until(success)
	c.Send(strings.Replace(open("home.test"), " to=", " xml:lang='de' to=", 1))
	c.Until("</stream:features>")
	c.Send(bindIQ("x") + chatMessage("juliet@home.test", "hallo") + "<message to='juliet@home.test' xml:lang='en'><body>hello</body></message>")
	if got := juliet.Until("</message>"); !strings.Contains(got, "xml:lang='de'") {
		t.Errorf("got %q", got)
	}
	if got := juliet.Until("</message>"); !strings.Contains(got, "xml:lang='en'") {
		t.Errorf("got %q", got)
	}
}

// mellium/xmpp#182: a stanza in the namespace of another kind of stream is refused. checklist 44
func TestOtherContentNamespace(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	for _, ns := range []string{"jabber:server", "jabber:component:accept"} {
		c := p.session("romeo", "x")
		c.Send("<message xmlns='" + ns + "' from='nurse@home.test' to='juliet@home.test'><body>spoofed</body></message>")
		if got := c.Rest(); !strings.Contains(got, "<stream:error>") {
			t.Errorf("%s: %q", ns, got)
		}
	}
	juliet.Send("<iq type='get' id='x'><nobody xmlns='urn:x'/></iq>")
	if got := juliet.Until("id='x'"); strings.Contains(got, "spoofed") {
		t.Errorf("juliet got %q", got)
	}
}

// checklist 102
func TestMalformedTo(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c := p.session("romeo", "x")
	for _, to := range []string{"@", "a@@b", "/x", "juliet@", "a b@home.test", strings.Repeat("x", 1100) + "@home.test"} {
		c.Send("<iq type='get' id='1' to='" + to + "'><q xmlns='urn:x'/></iq>")
		if got := c.Until("</iq>"); !strings.Contains(got, "<error type='modify'><jid-malformed ") || !strings.Contains(got, " id='1'") {
			t.Errorf("%.20s: %q", to, got)
		}
	}
	c.Send("<message type='error' to='@'/><iq type='result' id='1' to='@'/>")
	c.ping()
}

// checklist 18
func TestInOrder(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Rate = -1 })
	handled := 0
	handle(p.host, "urn:count", func(context.Context, *router.IQ) (*stanza.Element, error) {
		handled++
		return stanza.TextElement("urn:count", "n", fmt.Sprint(handled)), nil
	})
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	const n = 500
	go func() {
		var b strings.Builder
		for i := range n {
			b.WriteString(chatMessage("juliet@home.test/a", fmt.Sprintf("%d;", i)))
			b.WriteString("<iq type='get' id='" + fmt.Sprint(i) + "'><n xmlns='urn:count'/></iq>")
		}
		romeo.Send(b.String())
	}()
	for i := range n {
		if got := juliet.Until("</message>"); !strings.Contains(got, fmt.Sprintf("<body>%d;</body>", i)) {
			t.Fatalf("got %q, want %d", got, i)
		}
		if got := romeo.Until("</iq>"); !strings.Contains(got, fmt.Sprintf("id='%d'", i)) || !strings.Contains(got, fmt.Sprintf(">%d<", i+1)) {
			t.Fatalf("got %q, want %d", got, i)
		}
	}
}

// A panic of a handler ends the stream of the sender and of nobody else.
func TestPanic(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	handle(p.host, "urn:panic", func(context.Context, *router.IQ) (*stanza.Element, error) { panic("handler fault") })
	juliet := p.online("juliet", "a")
	romeo := p.online("romeo", "x")
	romeo.Send("<iq type='get' id='1'><x xmlns='urn:panic'/></iq>")
	romeo.wantError("internal-server-error")
	juliet.ping()
	rawstream.Eventually(t, "unbound", func() bool { return len(p.host.Local(jidOf("romeo@home.test")).Sessions()) == 0 })
	if p.server.Counters.Panics.Load() != 1 {
		t.Error("not counted")
	}
}

func TestClientSendsStreamError(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c := p.session("romeo", "x")
	c.Send("<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
	if got := c.Rest(); got != "</stream:stream>" {
		t.Errorf("got %q", got)
	}
}
