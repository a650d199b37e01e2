package c2s

import (
	"context"
	"io"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// CVE-2022-0217, CVE-2011-1753 and similar: no document types, no entities, on any
// stage of a stream.
func TestCVE_2022_0217_Entities(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for name, evil := range map[string]string{
		"doctype":  "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol1 '&lol;&lol;'>]>",
		"entity":   "<message to='juliet@home.test'><body>&lol1;</body></message>",
		"in value": "<message to='&lol;'/>",
	} {
		for stage, dial := range map[string]func() *client{
			"clear":  func() *client { c := p.dial(); c.features("home.test"); return c },
			"secure": func() *client { c, _ := p.secure("home.test"); return c },
			"known":  func() *client { return p.loggedIn("romeo") },
			"bound":  func() *client { return p.session("romeo", name) },
		} {
			c := dial()
			c.Send(evil)
			if got := c.Rest(); !strings.Contains(got, "<restricted-xml ") {
				t.Errorf("%s, %s: %q", name, stage, got)
			}
		}
	}
}

// CVE-2026-43507: a small input of many elements does not take much memory before login.
func TestCVE_2026_43507_ManyElements(t *testing.T) {
	p := newTestServer(t, nil)
	c := p.dial()
	c.features("home.test")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c.Send("<x xmlns='urn:x'>" + strings.Repeat("<a/>", 2_500))
	c.Until("<policy-violation ")
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 200_000 {
		t.Errorf("10 kB made the server allocate %d bytes", grown)
	}
}

// CVE-2021-32918: connections that send as much as is allowed before login and then nothing hold little
// memory, and not for long.
func TestCVE_2021_32918_ManyConnectionsBeforeLogin(t *testing.T) {
	const n = 200
	p := newTestServer(t, func(c *Config) { c.Limits.TLSWait = 3 * time.Second })
	before := inUse()
	for range n {
		c := p.dial()
		c.features("home.test")
		c.Send("<x xmlns='urn:x'>" + strings.Repeat("y", 9_900))
	}
	if each := (int64(inUse()) - int64(before)) / n; each > 64<<10 {
		t.Errorf("%d bytes for each", each)
	}
	rawstream.Eventually(t, "all closed", func() bool { return p.server.Counters.Connections.Load() == 0 })
}

// CVE-2017-10807: a mechanism that was not offered does not work. checklist 28
func TestCVE_2017_10807_MechanismNotOffered(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Plain = true })
	for _, name := range []string{
		"PLAIN", "EXTERNAL", "ANONYMOUS", "DIGEST-MD5", "CRAM-MD5", "LOGIN", "GSSAPI", "OAUTHBEARER", "X-OAUTH2",
		"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "plain", "", "HT-SHA-256-NONE",
	} {
		c := p.dial()
		c.features("home.test")
		c.Send(auth(name, b64("\x00romeo\x00pw-romeo")))
		if got := c.Until("</failure>"); !strings.Contains(got, "<invalid-mechanism/>") && !strings.Contains(got, "<encryption-required/>") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if p.server.Counters.Logins.Load() != 0 {
		t.Error("a client is logged in")
	}
}

// observer is a session that checks the senders of its stanzas.
type observer struct {
	*session
	t *testing.T
}

func (w observer) Deliver(st *stanza.Stanza) {
	if from := st.From.Bare().String(); from != "romeo@home.test" && from != "home.test" && st.Type != stanza.TypeError {
		w.t.Errorf("delivered from %q: %s", from, st)
	}
}

// source is a transport that reads from a reader.
type source struct {
	sinkhole
	io.Reader
}

func (s source) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// Whatever a client sends, nothing panics, and nothing is delivered with another sender.
func FuzzReceive(f *testing.F) {
	p := newTestServer(f, plain)
	for _, seed := range []string{
		chatMessage("juliet@home.test", "x"), "<presence/>", "<presence to='juliet@home.test' type='subscribe'/>",
		"<message from='nurse@home.test' to='juliet@home.test/a'/>", "<message xmlns='jabber:server' to='juliet@home.test/a'/>",
		"<iq type='set' id='1' to='juliet@home.test/a'><query xmlns='jabber:iq:roster'/></iq>", bindIQ("x"),
		"<message to='juliet@home.test/a' xmlns:f='jabber:client' f:from='nurse@home.test'><f:from/></message>",
		"<iq type='get' id='1'><x/></iq></stream:stream>", "<presence><priority>200</priority></presence>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		ctx := context.Background()
		w := observer{&session{server: p.server, host: p.server.first, jid: jidOf("juliet@home.test/a")}, t}
		b, err := p.host.Bind(ctx, w, router.BindOptions{Replace: true})
		if err != nil {
			t.Fatal(err)
		}
		b.(*router.Bound).SetPresence(&router.Presence{})
		defer b.Unbind(ctx)
		c := p.server.newConn(netip.Addr{})
		c.useTransport(source{Reader: io.MultiReader(strings.NewReader(open("home.test")), strings.NewReader(data))})
		c.who, c.host = jidOf("romeo@home.test"), p.server.first
		s, refusal := c.claim("x", "")
		if refusal != nil {
			t.Fatal(refusal)
		}
		s.attach(c, func() { c.Send(stanza.NewPresence(s.jid, s.jid, "")) })
		c.Establish()
		c.SetLimits(stream.ForClients())
		if err := c.Run(); err == nil || c.server.Counters.Panics.Load() > 0 {
			t.Errorf("ended with %v, %d panics", err, c.server.Counters.Panics.Load())
		}
		s.end(ctx)
		c.Close(io.EOF, nil)
	})
}
