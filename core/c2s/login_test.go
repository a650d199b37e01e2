package c2s

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/netip"
	"strings"
	"testing"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	melliumjid "mellium.im/xmpp/jid"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func failure(condition string) string {
	return "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><" + condition + "/></failure>"
}

func auth(mechanism, data string) string {
	return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + mechanism + "'>" + data + "</auth>"
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestLoginFailures(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for name, c := range map[string]struct{ send, want string }{
		"wrong password":    {plainAuth("", "romeo", "x"), "not-authorized"},                  // checklist 28
		"unknown user":      {plainAuth("", "nobody", "x"), "not-authorized"},                 // checklist 28, 113
		"unknown mechanism": {auth("X-FOO", "="), "invalid-mechanism"},                        // checklist 28
		"not offered":       {auth("EXTERNAL", "="), "invalid-mechanism"},                     // checklist 28
		"abort":             {"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "aborted"}, // checklist 28
		"no exchange":       {"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "malformed-request"},
		"malformed":         {auth("PLAIN", b64("no zero bytes")), "malformed-request"},              // checklist 28
		"bad base64":        {auth("PLAIN", "*"), "incorrect-encoding"},                              // checklist 27
		"bad padding":       {auth("PLAIN", "AA="), "incorrect-encoding"},                            // checklist 27
		"line end":          {auth("PLAIN", "AA\nAA"), "incorrect-encoding"},                         // checklist 27
		"disabled":          {plainAuth("", "closed", "pw-closed"), "account-disabled"},              // checklist 28
		"another's authzid": {plainAuth("juliet@home.test", "romeo", "pw-romeo"), "invalid-authzid"}, // checklist 31
		"broken store":      {plainAuth("", "broken", "x"), "temporary-auth-failure"},                // checklist 28
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &testServer{t: t, addr: p.addr}
			cl, _ := q.secure("home.test")
			cl.Send(c.send)
			if got := cl.Until("</failure>"); got != failure(c.want) {
				t.Errorf("answered %q, want %s", got, c.want)
			}
			cl.Send(plainAuth("romeo@home.test", "romeo", "pw-romeo")) // checklist 29, 31
			cl.Until(success)
		})
	}
}

// checklist 29
func TestTooManyFailures(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c, _ := p.secure("home.test")
	for range 3 {
		c.Send(plainAuth("", "romeo", "wrong"))
		c.Until(failure("not-authorized"))
	}
	c.wantError("policy-violation")
	if n := p.server.Counters.LoginsFailed.Load(); n != 3 {
		t.Errorf("%d counted", n)
	}
}

// checklist 29
func TestSecondAuthBeginsAnew(t *testing.T) {
	t.Parallel()
	c, _ := newTestServer(t, nil).secure("home.test")
	c.Send(auth("SCRAM-SHA-256", b64("n,,n=romeo,r=abcdefghijklmnop")))
	c.Until("</challenge>")
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until(success)
}

// checklist 7, 27, 30
func TestLogin(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c, before := p.secure("home.test")
	c.Send(auth("PLAIN", ""))
	c.Until("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	c.Send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + b64("\x00romeo\x00pw-romeo") + "</response>")
	c.Until(success)
	got := c.features("home.test")
	if attr(t, got, "id") == attr(t, before, "id") {
		t.Error("the id is the same")
	}
	for _, f := range []string{
		"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>",
		"<max-bytes>262144</max-bytes><idle-seconds>720</idle-seconds>",
	} {
		if !strings.Contains(got, f) {
			t.Errorf("%s is missing in %q", f, got)
		}
	}
	if strings.Contains(got, "mechanism") || strings.Contains(got, "starttls") {
		t.Errorf("features %q", got)
	}
}

// If TLS is not required, clients log in with SCRAM.
func TestLoginWithoutTLS(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, plain)
	c := p.dial()
	c.features("home.test")
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until(failure("encryption-required")) // checklist 26, 28
	c.scram("romeo")
	c.features("home.test")
	c.Send(bindIQ("x"))
	c.Until("romeo@home.test/x")
}

// Clients may send all of it at once (XEP-0305).
func TestPipelined(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c := p.dial()
	c.features("home.test")
	c.startTLS()
	c.Send(open("home.test") + plainAuth("", "romeo", "pw-romeo") + open("home.test") + bindIQ("x") +
		"<presence/>" + chatMessage("romeo@home.test/x", "to myself"))
	got := c.Until("to myself")
	if strings.Count(got, "<stream:features>") != 2 || !strings.Contains(got, success) || !strings.Contains(got, "<jid>romeo@home.test/x</jid>") {
		t.Errorf("got %q", got)
	}
}

// CVE-2018-10847: a login to one host is not valid on another.
func TestCVE_2018_10847_OtherHostAfterLogin(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c, _ := p.secure("home.test")
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until(success)
	c.Send(open("other.test"))
	got := c.Rest()
	if !strings.Contains(got, "<not-authorized ") || attr(t, got, "from") != "home.test" {
		t.Errorf("got %q", got)
	}
	c, _ = p.secure("home.test")
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until(success)
	c.Send(open("away.test"))
	c.wantError("host-unknown")
}

// checklist 8, 32
func TestBeforeLogin(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	for name, send := range map[string]string{
		"message":  chatMessage("juliet@home.test", "spoofed"),
		"presence": "<presence to='juliet@home.test'/>",
		"iq":       "<iq type='get' id='1'><query xmlns='urn:x'/></iq>",
		"bind":     bindIQ("x"),
		"unknown":  "<x xmlns='urn:x'/>",
		"compress": "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>", // CVE-2014-2744 and similar
	} {
		t.Run("nobody: "+name, func(t *testing.T) {
			c, _ := p.secure("home.test")
			c.Send(send)
			c.wantError("not-authorized")
		})
	}
	for name, send := range map[string]string{
		"message":  chatMessage("juliet@home.test", "spoofed"),
		"presence": "<presence/>",
		"iq":       "<iq type='get' id='1' to='juliet@home.test'><query xmlns='urn:x'/></iq>",
	} {
		t.Run("unbound: "+name, func(t *testing.T) {
			c := p.loggedIn("romeo")
			c.Send(send)
			c.wantError("not-authorized")
		})
	}
	c := p.loggedIn("romeo")
	c.Send("<iq type='get' id='1' to='home.test'><query xmlns='urn:x'/></iq>")
	if got := c.Until("</iq>"); !strings.Contains(got, "not-authorized") || !strings.Contains(got, "id='1'") {
		t.Errorf("got %q", got)
	}
	juliet.Send("<iq type='get' id='x'><nobody xmlns='urn:x'/></iq>")
	if got := juliet.Until("id='x'"); strings.Contains(got, "spoofed") {
		t.Errorf("juliet got %q", got)
	}
}

func TestGuest(t *testing.T) {
	t.Parallel()
	asked := make(chan netip.Addr, 2*maxBeforeLogin)
	p := newTestServer(t, func(c *Config) {
		c.Hosts[0].FeaturesBeforeLogin = []*stanza.Element{stanza.NewElement("http://jabber.org/features/iq-register", "register")}
		c.Hosts[0].BeforeLogin = func(_ context.Context, who *router.Unauthenticated, iq *stanza.Stanza) *stanza.Stanza {
			from := who.Address
			asked <- from
			return iq.Result(stanza.NewElement("jabber:iq:register", "query"))
		}
	})
	c, features := p.secure("home.test")
	if !strings.Contains(features, "<register xmlns='http://jabber.org/features/iq-register'/>") {
		t.Errorf("features %q", features)
	}
	c.Send("<iq type='get' id='1' to='home.test'><query xmlns='jabber:iq:register'/></iq>")
	if got := c.Until("</iq>"); !strings.Contains(got, "type='result'") || !strings.Contains(got, "jabber:iq:register") {
		t.Errorf("got %q", got)
	}
	if from := <-asked; !from.IsLoopback() {
		t.Errorf("from %v", from)
	}
	for _, send := range []string{
		"<iq type='get' id='1' to='juliet@home.test'><query xmlns='jabber:iq:register'/></iq>",
		"<iq type='get' id='1' from='juliet@home.test'><query xmlns='jabber:iq:register'/></iq>",
		"<message to='home.test'/>",
	} {
		c, _ := p.secure("home.test")
		c.Send(send)
		c.wantError("not-authorized")
	}
	c, _ = p.secure("home.test")
	c.Send("<iq type='error' id='1'><query xmlns='jabber:iq:register'/></iq>")
	c.wantError("bad-format")
	c, _ = p.secure("home.test")
	c.Send(strings.Repeat("<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>", maxBeforeLogin+1))
	c.Until("<policy-violation ")
}

// A foreign client logs in with each mechanism that it supports.
func TestPeerMelliumLogin(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for _, m := range []sasl.Mechanism{sasl.Plain, sasl.ScramSha1, sasl.ScramSha256, sasl.ScramSha1Plus, sasl.ScramSha256Plus} {
		t.Run(m.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
			defer cancel()
			conn, err := net.Dial("tcp", p.addr)
			if err != nil {
				t.Fatal(err)
			}
			s, err := xmpp.NewSession(ctx, melliumjid.MustParse("home.test"), melliumjid.MustParse("romeo@home.test/"+m.Name), conn, 0,
				xmpp.NewNegotiator(func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
					return xmpp.StreamConfig{Features: []xmpp.StreamFeature{
						xmpp.StartTLS(&tls.Config{InsecureSkipVerify: true}), xmpp.SASL("", "pw-romeo", m), xmpp.BindResource(),
					}}
				}))
			if err != nil {
				t.Fatal(err)
			}
			if got := s.LocalAddr().String(); !strings.HasPrefix(got, "romeo@home.test/") || p.host.Local(jidOf(got)).Session(jidOf(got)) == nil {
				t.Errorf("bound %s", got)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			_ = conn.Close()
		})
	}
}
