package c2s

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"
)

// stages are functions that bring a connection to each stage of its negotiation.
func (p *testServer) stages() map[string]func() *client {
	return map[string]func() *client{
		"clear":  func() *client { c := p.dial(); c.features("home.test"); return c },
		"secure": func() *client { c, _ := p.secure("home.test"); return c },
		"known":  func() *client { return p.loggedIn("romeo") },
		"bound":  func() *client { return p.session("romeo", newID()) },
	}
}

// CVE-2011-1753: entities that expand to billions of characters cost as little as one.
func TestCVE_2011_1753_BillionLaughs(t *testing.T) {
	p := newTestServer(t, nil)
	laughs := "<!DOCTYPE lolz [<!ENTITY lol0 'lol'>"
	for i := range 9 {
		laughs += fmt.Sprintf("<!ENTITY lol%d '%s'>", i+1, strings.Repeat(fmt.Sprintf("&lol%d;", i), 10))
	}
	laughs += "]><message><body>&lol9;</body></message>"
	var before, after runtime.MemStats
	for stage, dial := range p.stages() {
		c := dial()
		runtime.GC()
		runtime.ReadMemStats(&before)
		c.Send(laughs)
		if got := c.Rest(); !strings.Contains(got, "<restricted-xml ") {
			t.Errorf("%s: %q", stage, got)
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: it made the server allocate %d bytes", stage, grown)
		}
	}
}

// ejabberd 26.04: attributes and depth are limited before login, whatever the size.
func TestEjabberd2604_AttributesAndDepth(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	var attrs strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&attrs, " a%d=''", i)
	}
	for name, evil := range map[string]string{
		"attributes": "<x" + attrs.String() + "/>", "in the header": "<stream:stream" + attrs.String(), "depth": strings.Repeat("<x>", 10_000),
		"prefixes": "<x" + strings.ReplaceAll(attrs.String(), " a", " xmlns:a") + "/>",
	} {
		c := p.dial()
		if name != "in the header" {
			c.features("home.test")
		}
		c.Send(evil)
		if got := c.Rest(); !strings.Contains(got, "<policy-violation ") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// ejabberd#814: elements of the negotiation are recognised by namespace, not by prefix.
func TestEjabberd814_AnyPrefix(t *testing.T) {
	t.Parallel()
	c := newTestServer(t, nil).dial()
	c.Send("<s:stream xmlns:s='" + streamNS + "' xmlns='jabber:client' to='home.test' version='1.0'>")
	c.Until("</stream:features>")
	c.Send("<ns0:starttls xmlns:ns0='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.TLS(&tls.Config{InsecureSkipVerify: true})
	c.features("home.test")
	c.Send("<a:auth xmlns:a='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>")
	c.Until("<challenge ")
	c.Send("<b:response xmlns:b='urn:ietf:params:xml:ns:xmpp-sasl'>" + b64("\x00romeo\x00pw-romeo") + "</b:response>")
	c.Until(success)
	c.features("home.test")
	c.Send("<iq type='set' id='b'><c:bind xmlns:c='urn:ietf:params:xml:ns:xmpp-bind'><c:resource>x</c:resource></c:bind></iq>")
	c.Until("<jid>romeo@home.test/x</jid>")
}

// CVE-2014-2741, -2742, -2743, -2744, -2745, -2746 and -2829: there is no stream compression
// (XEP-0138), so no zlib bomb either, before login or after it.
func TestCVE_2014_2741_Compression(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for stage, dial := range p.stages() {
		c := dial()
		c.Send("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>x\x9c")
		if got := c.Rest(); strings.Contains(got, "<compressed") || !strings.Contains(got, "<stream:error>") {
			t.Errorf("%s: %q", stage, got)
		}
	}
	c := p.dial()
	before := c.features("home.test")
	c.startTLS()
	if all := before + c.features("home.test"); strings.Contains(all, "compress") {
		t.Errorf("offered: %q", all)
	}
}

// mellium/xmpp#182 and #183: a stanza in the namespace of servers bypasses no check.
func TestMelliumXMPP183_ServerStanza(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	for _, evil := range []string{
		"<message xmlns='jabber:server' from='nurse@home.test' to='juliet@home.test/a'><body>forged</body></message>",
		"<s:message xmlns:s='jabber:server' from='nurse@home.test' to='juliet@home.test/a'/>",
		"<message xmlns='jabber:component:accept' from='nurse@home.test' to='juliet@home.test/a'/>",
		"<message xmlns='' from='nurse@home.test' to='juliet@home.test/a'/>",
		"<Message from='nurse@home.test' to='juliet@home.test/a'/>",
	} {
		c := p.session("romeo", newID())
		c.Send(evil)
		if got := c.Rest(); !strings.Contains(got, "<stream:error>") {
			t.Errorf("%s: %q", evil, got)
		}
	}
	juliet.Send("<iq type='get' id='sync'><nobody xmlns='urn:handles:this'/></iq>")
	if got := juliet.Until("id='sync'"); strings.Contains(got, "<message") {
		t.Errorf("juliet got %q", got)
	}
}

// CVE-2023-28686: a client cannot send from its bare address, which the server uses for events.
func TestCVE_2023_28686_EventFromBareAddress(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	for _, from := range []string{"romeo@home.test", "romeo@home.test/x", "ROMEO@home.test"} {
		romeo.Send("<message from='" + from + "' to='juliet@home.test/a' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:bookmarks:1'/></event></message>")
		if got := juliet.Until("</message>"); !strings.Contains(got, " from='romeo@home.test/x'") {
			t.Errorf("as %s: %q", from, got)
		}
	}
}

// CVE-2025-59154: the subject of a client's certificate does not authenticate it.
func TestCVE_2025_59154_CommonName(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []pkix.Name{
		{CommonName: "romeo@home.test"}, {OrganizationalUnit: []string{"CN=romeo@home.test,"}}, {Organization: []string{"x, CN=romeo@home.test"}},
	} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: name, EmailAddresses: []string{"romeo@home.test"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		c := p.dial()
		c.features("home.test")
		c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		c.Until("/>")
		c.TLS(&tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
		if got := c.features("home.test"); strings.Contains(got, "EXTERNAL") {
			t.Errorf("offered: %q", got)
		}
		for _, authzid := range []string{"=", b64("romeo@home.test")} {
			c.Send(auth("EXTERNAL", authzid))
			c.Until(failure("invalid-mechanism"))
		}
	}
}

// ejabberd 26.07: the session is bound for the account that has logged in, whatever other name was sent.
func TestEjabberd2607_OtherAuthzid(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c, _ := p.secure("home.test")
	c.Send(plainAuth("juliet@home.test", "romeo", "pw-romeo"))
	c.Until(failure("invalid-authzid"))
	c.Send(auth("SCRAM-SHA-256", b64("n,a=juliet@home.test,n=romeo,r=abcdefghijklmnop")))
	c.Until(failure("invalid-authzid"))
	c.Send(plainAuth("romeo@home.test", "romeo", "pw-romeo"))
	c.Until(success)
	c.features("home.test")
	c.Send("<iq type='set' id='b' from='juliet@home.test'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>juliet@home.test/x</resource></bind></iq>")
	if got := c.Until("</iq>"); strings.Contains(got, "<jid>juliet@") {
		t.Errorf("bound: %q", got)
	}
}

// CVE-2016-1232: ids of streams and resources of our choice cannot be guessed: 128 bit at least, no two alike.
func TestCVE_2016_1232_UnpredictableIDs(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	seen := map[string]bool{}
	for range 50 {
		c := p.dial()
		seen[attr(t, c.features("home.test"), "id")] = true
		_ = c.Close()
	}
	c := p.loggedIn("romeo")
	c.Send(bindIQ(""))
	_, resource, _ := strings.Cut(c.Until("</jid>"), "home.test/")
	seen[strings.TrimSuffix(resource, "</jid>")] = true
	if len(seen) != 51 {
		t.Errorf("%d different", len(seen))
	}
	for id := range seen {
		if len(id) < 26 { // five bits each
			t.Errorf("%q", id)
		}
	}
}
