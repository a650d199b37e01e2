package c2s

import (
	"strings"
	"testing"
)

// checklist 33
func TestBind(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	jidIn := func(got string) string {
		_, rest, _ := strings.Cut(got, "<jid>")
		j, _, _ := strings.Cut(rest, "</jid>")
		return j
	}
	seen := map[string]bool{}
	for range 3 {
		c := p.loggedIn("romeo")
		c.Send(bindIQ(""))
		j := jidIn(c.Until("</iq>"))
		if !strings.HasPrefix(j, "romeo@home.test/") || len(j) < len("romeo@home.test/")+20 || seen[j] {
			t.Errorf("bound %q", j)
		}
		seen[j] = true
	}
	c := p.loggedIn("romeo")
	c.Send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource/></bind></iq>")
	if j := jidIn(c.Until("</iq>")); len(j) < 20 {
		t.Errorf("bound %q", j)
	}
	for resource, want := range map[string]string{ // OpaqueString, RFC 7622 §3.4
		"a b": "a b", "<&>": "", "é": "é", "e\u0301": "é", "♚": "♚",
	} {
		c := p.loggedIn("juliet")
		c.Send(bindIQ(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(resource)))
		got := c.Until("</iq>")
		if want == "" {
			want = "&lt;&amp;&gt;"
		}
		if jidIn(got) != "juliet@home.test/"+want {
			t.Errorf("%q: bound %q", resource, got)
		}
	}
	for _, bad := range []string{"\u200b", strings.Repeat("x", 1100), "a\tb"} {
		c := p.loggedIn("nurse")
		c.Send(bindIQ(bad))
		if got := c.Until("</iq>"); !strings.Contains(got, "bad-request") {
			t.Errorf("%.10q: %q", bad, got)
		}
		c.Send(bindIQ("good")) // and may try again
		c.Until("nurse@home.test/good")
		_ = c.Close()
	}
}

// checklist 33
func TestTooManySessions(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Sessions = 2 })
	p.session("romeo", "a")
	p.session("romeo", "b")
	c := p.loggedIn("romeo")
	c.Send(bindIQ("c"))
	if got := c.Until("</iq>"); !strings.Contains(got, "<error type='wait'><resource-constraint ") {
		t.Errorf("got %q", got)
	}
	p.session("juliet", "a")
	p.session("romeo", "b") // replaces
}

// checklist 34
func TestConflict(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	old := p.online("romeo", "x")
	p.online("romeo", "x")
	old.wantError("conflict") // checklist 16

	p = newTestServer(t, func(c *Config) { c.Conflict = Reject })
	old = p.online("romeo", "x")
	c := p.loggedIn("romeo")
	c.Send(bindIQ("x"))
	if got := c.Until("</iq>"); !strings.Contains(got, "<error type='cancel'><conflict ") {
		t.Errorf("got %q", got)
	}
	c.Send(bindIQ("y"))
	c.Until("romeo@home.test/y")
	old.ping()

	p = newTestServer(t, func(c *Config) { c.Conflict = Rename })
	old = p.online("romeo", "x")
	c = p.loggedIn("romeo")
	c.Send(bindIQ("x"))
	if got := c.Until("</iq>"); !strings.Contains(got, "<jid>romeo@home.test/") || strings.Contains(got, "<jid>romeo@home.test/x<") {
		t.Errorf("got %q", got)
	}
	old.ping()
}

// checklist 35
func TestAfterBind(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c := p.session("romeo", "x")
	c.Send(bindIQ("y"))
	if got := c.Until("</iq>"); !strings.Contains(got, "not-allowed") {
		t.Errorf("second bind: %q", got)
	}
	for _, to := range []string{"", " to='home.test'", " to='romeo@home.test'"} {
		c.Send("<iq type='set' id='s'" + to + "><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>")
		if got := c.Until("/>"); !strings.Contains(got, "type='result'") || !strings.Contains(got, "id='s'") {
			t.Errorf("session%s: %q", to, got)
		}
	}
	c.Send(open("home.test"))
	got := c.Rest()
	if !strings.Contains(got, "<stream:error>") || strings.Contains(got, "<stream:features>") {
		t.Errorf("restart: %q", got)
	}
	for name, send := range map[string]string{ // checklist 8
		"auth":           plainAuth("", "juliet", "pw-juliet"),
		"starttls":       "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		"unknown":        "<x xmlns='urn:x'/>",
		"unknown stanza": "<foo/>",
	} {
		t.Run(name, func(t *testing.T) {
			c := p.session("romeo", name)
			c.Send(send)
			c.wantError("unsupported-stanza-type")
		})
	}
}
