package c2s

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const agentID = "d4565fa7-4d72-4749-b3d3-740edbf87770"

// agent is a user agent with an id.
func agent(id string) string {
	return "<user-agent id='" + id + "'><software>AwesomeXMPP</software><device>Kiva's Phone</device></user-agent>"
}

// authenticate is a login of SASL2 with further elements.
func authenticate(mechanism, initial string, inline ...string) string {
	if initial != "" {
		initial = "<initial-response>" + b64(initial) + "</initial-response>"
	}
	return "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='" + mechanism + "'>" + initial + strings.Join(inline, "") + "</authenticate>"
}

// plain2 is a login with PLAIN.
func plain2(user string, inline ...string) string {
	return authenticate("PLAIN", "\x00"+user+"\x00pw-"+user, inline...)
}

func bind2(tag string, inline ...string) string {
	return "<bind xmlns='urn:xmpp:bind:0'><tag>" + tag + "</tag>" + strings.Join(inline, "") + "</bind>"
}

func failure2(condition string) string {
	return "<failure xmlns='urn:xmpp:sasl:2'><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"
}

// success2 reads the success of a login, and returns it with the address.
func (c *client) success2() (text, who string) {
	c.T.Helper()
	text = c.Until("</success>")
	_, who, _ = strings.Cut(text, "<authorization-identifier>")
	who, _, ok := strings.Cut(who, "</authorization-identifier>")
	if !ok {
		c.T.Fatalf("success without an address: %q", text)
	}
	return text, who
}

// Without inline features a login saves the restart of the stream (XEP-0388 §5.1).
func TestSASL2(t *testing.T) {
	t.Parallel()
	c, offered := newTestServer(t, nil).secure("home.test")
	_, offered, _ = strings.Cut(offered, "<authentication xmlns='urn:xmpp:sasl:2'>")
	if !strings.Contains(offered, "<mechanism>SCRAM-SHA-256-PLUS</mechanism>") || !strings.Contains(offered, "<inline><sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'>") {
		t.Errorf("offered %q", offered)
	}
	c.Send(plain2("romeo", agent(agentID)))
	got, who := c.success2()
	if want := "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>romeo@home.test</authorization-identifier></success>"; got != want || who != "romeo@home.test" {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := c.Until("</stream:features>"); !strings.HasPrefix(got, "<stream:features>") || !strings.Contains(got, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>") {
		t.Errorf("features %q", got)
	}
	c.Send(bindIQ("x"))
	c.Until("<jid>romeo@home.test/x</jid>")
}

// SCRAM has the data of its last step in the success.
func TestSASL2WithChallenge(t *testing.T) {
	t.Parallel()
	c, _ := newTestServer(t, nil).secure("home.test")
	proof := c.scramProof2("romeo", "SCRAM-SHA-256", "n,,", "", bind2("Test"))
	c.Send(proof)
	got, who := c.success2()
	if !strings.HasPrefix(got, "<success xmlns='urn:xmpp:sasl:2'><additional-data>dj") || !strings.HasPrefix(who, "romeo@home.test/Test/") {
		t.Errorf("got %q", got)
	}
}

// One round trip to a bound session: everything is sent before anything of it is answered.
func TestOneRoundTrip(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c := p.dial()
	c.features("home.test")
	c.startTLS()
	c.Send(open("home.test") + plain2("romeo", agent(agentID), bind2("Test")) + "<presence/>" + chatMessage("romeo@home.test", "to myself"))
	got, who := c.success2()
	if !strings.Contains(got, "<bound xmlns='urn:xmpp:bind:0'/>") {
		t.Errorf("got %q", got)
	}
	tag, part, _ := strings.Cut(strings.TrimPrefix(who, "romeo@home.test/"), "/")
	if tag != "Test" || len(part) < 16 || strings.Contains(who, agentID[:8]) {
		t.Errorf("address %q", who)
	}
	features := c.Until("</stream:features>")
	if strings.Contains(features, "<bind") || strings.Contains(features, "mechanism") {
		t.Errorf("features %q", features)
	}
	if got := c.Until("to myself"); !strings.Contains(got, "to='romeo@home.test'") {
		t.Errorf("got %q", got)
	}
}

// A client gets the resource that it had, and replaces its earlier session, whatever the policy for others (XEP-0386 §4.2).
func TestStableResource(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Conflict = Reject })
	login := func(user, id, tag string) (*client, string) {
		c, _ := p.secure("home.test")
		c.Send(plain2(user, agent(id), bind2(tag)))
		_, who := c.success2()
		c.Until("</stream:features>")
		return c, who
	}
	other := strings.ToUpper("d4565fa7-4d72-4749-b3d3-740edbf87771")
	first, before := login("romeo", agentID, "Test")
	elsewhere, unlike := login("romeo", other, "Test")
	again, after := login("romeo", agentID, "Test")
	if before != after || before == unlike {
		t.Errorf("resources %q, %q, of another client %q", before, after, unlike)
	}
	first.wantError("conflict")
	renamed, now := login("romeo", agentID, "New name")
	again.wantError("conflict")
	if strings.HasSuffix(now, after[strings.LastIndex(after, "/"):]) || !strings.Contains(now, "/New name/") {
		t.Errorf("resource %q after %q", now, after)
	}
	_, ofJuliet := login("juliet", agentID, "Test")
	if ofJuliet[strings.Index(ofJuliet, "/"):] == before[strings.Index(before, "/"):] {
		t.Error("two accounts of one client have the same resource")
	}
	elsewhere.ping()
	renamed.ping()
}

// A tag that is no part of a resource is left out; without an id of the client the resource is random.
func TestUnusableTag(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	seen := map[string]bool{}
	for _, tag := range []string{"", " ", strings.Repeat("x", 1023), "a\u0001b", "\u202e", "tag"} {
		c, _ := p.secure("home.test")
		request := plain2("romeo", bind2(tag))
		if strings.Contains(tag, "\u0001") {
			continue // no XML
		}
		c.Send(request)
		_, who := c.success2()
		resource := strings.TrimPrefix(who, "romeo@home.test/")
		if seen[resource] || len(resource) < 16 || len(resource) > 100 {
			t.Errorf("resource %q for %q", resource, tag)
		}
		seen[resource] = true
	}
}

// The client's requests reach the features, which answer in <bound/>, before the session gets anything.
func TestInlineFeatures(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	var got []string
	p.host.Use(router.Feature{Name: "test", BeforeLogin: &router.BeforeLogin{Inline: router.Inline{
		Namespace: "urn:test",
		Request: func(_ context.Context, b *router.Bound, e *stanza.Element) *stanza.Element {
			got = append(got, e.Local+" "+b.Client())
			return stanza.NewElement("urn:test", "enabled")
		},
		Bound: func(_ context.Context, b *router.Bound) *stanza.Element {
			p.router.Route(stanza.NewMessage(b.JID(), b.JID(), "", stanza.TextElement(stanza.NSClient, "body", "early")))
			return stanza.NewElement("urn:test", "state")
		},
	}}})
	c, offered := p.secure("home.test")
	if !strings.Contains(offered, "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/><feature var='urn:xmpp:csi:0'/><feature var='urn:test'/></inline></bind>") {
		t.Errorf("offered %q", offered)
	}
	c.Send(plain2("romeo", agent(agentID), "<not xmlns='urn:test'/>", bind2("Test", "<enable xmlns='urn:test'/>", "<enable xmlns='urn:unknown'/>")))
	text, _ := c.success2()
	if !slices.Equal(got, []string{"enable " + agentID}) {
		t.Errorf("requests %q", got)
	}
	if !strings.HasSuffix(text, "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:test'/><state xmlns='urn:test'/></bound></success>") {
		t.Errorf("got %q", text)
	}
	if got := c.Until("early"); !strings.HasPrefix(got, "<stream:features>") {
		t.Errorf("got %q", got)
	}
}

// What a client may not send during a login ends the stream (XEP-0388 §2.4), and so does a login after a login (§4).
func TestSASL2Order(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	begin := authenticate("SCRAM-SHA-256", "n,,n=romeo,r=abcdefghijklmnop")
	for name, what := range map[string]string{
		"a stanza": "<presence/>", "another login": begin, "a login of SASL1": plainAuth("", "romeo", "pw-romeo"),
		"a response of SASL1": "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "a task": "<next xmlns='urn:xmpp:sasl:2' task='X'/>",
		"an unknown element": "<x xmlns='urn:x'/>", "TLS": "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		"a success": "<success xmlns='urn:xmpp:sasl:2'/>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &testServer{t: t, addr: p.addr}
			c, _ := q.secure("home.test")
			c.Send(begin)
			c.Until("</challenge>")
			c.Send(what)
			c.wantError("policy-violation")
		})
	}
	c, _ := p.secure("home.test")
	c.Send(plain2("romeo") + plain2("juliet"))
	c.success2()
	c.Until("</stream:features>")
	c.wantError("unsupported-stanza-type")
	c, _ = p.secure("home.test")
	c.Send(plain2("romeo", bind2("x")) + plain2("juliet"))
	c.success2()
	c.Until("</stream:features>")
	c.wantError("unsupported-stanza-type")
}

// What was sent after a login that fails is not handled as if it had succeeded.
func TestPipelinedAfterFailure(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for _, login := range []string{
		authenticate("PLAIN", "\x00romeo\x00wrong", bind2("x")), plainAuth("", "romeo", "wrong") + open("home.test"),
	} {
		c, _ := p.secure("home.test")
		c.Send(login + "<presence/>" + chatMessage("juliet@home.test", "hello"))
		got := c.Rest()
		if !strings.Contains(got, "<not-authorized") || !strings.Contains(got, "<stream:error>") || strings.Contains(got, "success") {
			t.Errorf("got %q", got)
		}
	}
	if n := len(p.host.Local(jidOf("romeo@home.test")).Sessions()); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestSASL2Failures(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for name, c := range map[string]struct{ send, want string }{
		"wrong password":    {authenticate("PLAIN", "\x00romeo\x00x", bind2("x")), "not-authorized"},
		"unknown user":      {authenticate("PLAIN", "\x00nobody\x00x"), "not-authorized"},
		"abort":             {"<abort xmlns='urn:xmpp:sasl:2'><text>bored</text></abort>", "aborted"},
		"no exchange":       {"<response xmlns='urn:xmpp:sasl:2'/>", "malformed-request"},
		"malformed":         {authenticate("PLAIN", "no zero bytes"), "malformed-request"},
		"bad base64":        {"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>=</initial-response></authenticate>", "incorrect-encoding"},
		"no UUID":           {plain2("romeo", agent("my phone")), "malformed-request"},
		"disabled":          {authenticate("PLAIN", "\x00closed\x00pw-closed"), "account-disabled"},
		"another's authzid": {authenticate("PLAIN", "juliet@home.test\x00romeo\x00pw-romeo"), "invalid-authzid"},
		"broken store":      {authenticate("PLAIN", "\x00broken\x00x"), "temporary-auth-failure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &testServer{t: t, addr: p.addr}
			cl, _ := q.secure("home.test")
			cl.Send(c.send)
			if got := cl.Until("</failure>"); got != failure2(c.want) {
				t.Errorf("answered %q, want %s", got, c.want)
			}
			cl.Send(authenticate("SCRAM-SHA-256", "n,,n=romeo,r=abcdefghijklmnop"))
			cl.Until("</challenge>")
			cl.Send("<abort xmlns='urn:xmpp:sasl:2'/>")
			cl.Until(failure2("aborted"))
			cl.Send(plain2("romeo"))
			cl.success2()
		})
	}
}

// Failures of both profiles are counted together.
func TestTooManyFailuresOfBothProfiles(t *testing.T) {
	t.Parallel()
	c, _ := newTestServer(t, nil).secure("home.test")
	c.Send(authenticate("PLAIN", "\x00romeo\x00x") + plainAuth("", "romeo", "wrong") + authenticate("PLAIN", "\x00romeo\x00x"))
	c.Until(failure("not-authorized"))
	c.Until(failure2("not-authorized"))
	c.wantError("policy-violation")
}

// A mechanism is accepted if and only if it was offered: CVE-2017-10807.
func TestCVE_2017_10807_NotOfferedWithSASL2(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c, offered := p.secure("home.test")
	for _, name := range []string{
		"ANONYMOUS", "EXTERNAL", "CRAM-MD5", "DIGEST-MD5", "LOGIN", "GSSAPI", "GS2-KRB5", "GS2-KRB5-PLUS", "NTLM", "X-OAUTH2", "OAUTHBEARER", "XOAUTH2",
		"SCRAM-SHA-224", "SCRAM-SHA-384", "SCRAM-SHA3-512", "scram-sha-256", "plain", "PLAIN ", "", "UPGR-SCRAM-SHA-256", "SAML20", "OPENID20", "X-TOKEN",
		"HT-SHA-256-UNIQ", "HT-SHA-256-NONE", "HT-SHA-512-NONE", "HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA3-512-NONE", "JABBER-IQ-AUTH",
	} {
		if strings.Contains(offered, "<mechanism>"+name+"</mechanism>") {
			t.Fatalf("%s is offered", name)
		}
		c.Send(auth(name, "AAAA"))
		c.Until(failure("invalid-mechanism"))
		c, _ = p.secure("home.test")
		c.Send(authenticate(name, "\x00romeo\x00pw-romeo"))
		c.Until(failure2("invalid-mechanism"))
		c, _ = p.secure("home.test")
	}
}

// SASL2 is for streams with TLS (XEP-0388 §3), or where the settings allow to do without.
func TestSASL2WithoutTLS(t *testing.T) {
	t.Parallel()
	c := newTestServer(t, nil).dial()
	if got := c.features("home.test"); strings.Contains(got, "urn:xmpp:sasl:2") {
		t.Errorf("offered %q", got)
	}
	c.Send(plain2("romeo"))
	c.Until(failure2("encryption-required"))
	c = newTestServer(t, plain).dial()
	c.features("home.test")
	c.Send(c.scramProof2("romeo", "SCRAM-SHA-256", "n,,", "", bind2("Test")))
	c.success2()
}

// The channel binding is checked as in SASL1: the flag y where it was offered is a downgrade, and the hash of what was offered
// covers the list of SASL2 (XEP-0474 §5.1).
func TestSASL2ChannelBinding(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c, _ := p.secure("home.test")
	c.Send(authenticate("SCRAM-SHA-256", "y,,n=romeo,r=abcdefghijklmnop"))
	c.Until(failure2("not-authorized"))
	for _, binding := range []string{"tls-exporter", "tls-server-end-point"} {
		c, _ := p.secure("home.test")
		c.Send(c.scramProof2("romeo", "SCRAM-SHA-256-PLUS", "p="+binding+",,", bindings(t, c.Conn.(*tls.Conn).ConnectionState())[binding]))
		c.success2()
		c, _ = p.secure("home.test")
		c.Send(c.scramProof2("romeo", "SCRAM-SHA-256-PLUS", "p="+binding+",,", "of another connection"))
		c.Until(failure2("not-authorized"))
	}
}

// Stream management that was enabled together with binding is not announced again: clients would enable it again.
func TestEnabledFeatureIsNotAnnounced(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for _, enable := range []string{"", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"} {
		c, _ := p.secure("home.test")
		c.Send(plain2("romeo", bind2("x", enable)))
		c.success2()
		if got := c.Until("</stream:features>"); strings.Contains(got, "<sm ") != (enable == "") || !strings.Contains(got, "<csi ") {
			t.Errorf("enabled by %q: features %q", enable, got)
		}
	}
}

// A session that a client binds after its login, by RFC 6120, is a session of that client: it ends with its access (XEP-0494).
func TestOldBindIsOfTheClient(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c, _ := p.secure("home.test")
	c.Send(plain2("romeo", agent(agentID)))
	c.success2()
	c.Until("</stream:features>")
	c.Send(bindIQ("x"))
	c.Until("</iq>")
	if n := p.host.EndClient(jidOf("romeo@home.test"), agentID, "not-authorized", ""); n != 1 {
		t.Errorf("%d sessions were ended", n)
	}
	c.wantError("not-authorized")
}
