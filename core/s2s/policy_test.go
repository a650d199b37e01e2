package s2s

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

func TestRule(t *testing.T) {
	t.Parallel()
	p := Policy{Default: Rule{Refused: true}, Domains: map[string]Rule{"a.test": {}, "bad.a.test": {Refused: true}, "old.test": {Plain: true}}}
	for domain, want := range map[string]Rule{
		"a.test": {}, "rooms.a.test": {}, "bad.a.test": {Refused: true}, "x.bad.a.test": {Refused: true}, "nota.test": {Refused: true},
		"test": {Refused: true}, "": {Refused: true}, "old.test": {Plain: true}, "very.old.test": {Plain: true},
	} {
		if got := p.Rule(domain); got != want {
			t.Errorf("%s: %+v", domain, got)
		}
	}
}

// A domain that is refused from now on gets nothing more, and sends nothing more.
func TestPolicyChanges(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := newNode(t, n, "a.test", nil), newNode(t, n, "b.test", nil)
	a.send("juliet@b.test", "romeo@a.test/x", "1")
	b.wants("romeo@a.test/x", "1")
	b.send("romeo@a.test", "juliet@b.test/y", "2")
	a.wants("juliet@b.test/y", "2")
	a.server.SetPolicy(Policy{Domains: map[string]Rule{"b.test": {Refused: true}}})
	a.send("juliet@b.test", "romeo@a.test/x", "3")
	a.wantsError("3", "not-allowed")
	b.send("romeo@a.test", "juliet@b.test/y", "4")
	b.wantsError("4", "remote-server-timeout")
	a.quiet()
	b.quiet()
	a.server.SetPolicy(Policy{})
	a.send("juliet@b.test", "romeo@a.test/x", "5")
	b.wants("romeo@a.test/x", "5")
}

// Connections that nobody uses are closed by an end of the stream; the next stanza opens a new one.
func TestIdle(t *testing.T) { // checklist 109
	t.Parallel()
	n := newNetwork(t)
	change := func(o *Config) { o.Limits.Idle = 200 * time.Millisecond }
	a, b := newNode(t, n, "a.test", change), newNode(t, n, "b.test", change)
	for _, text := range []string{"1", "2"} {
		a.send("juliet@b.test", "romeo@a.test/x", text)
		b.wants("romeo@a.test/x", text)
		rawstream.Eventually(t, "the connection is closed", func() bool {
			return a.server.Counters.Out.Load() == 0 && b.server.Counters.In.Load() == 0
		})
	}
	a.quiet()
	if got := n.count("b.test"); got != 2 {
		t.Errorf("%d connections", got)
	}
	p := a.authenticated() // nothing arrives on it
	if got := p.Until("</stream:stream>"); strings.Contains(got, "stream:error") {
		t.Errorf("got %q", got)
	}
}

// Administrators close the connections with one domain; the next stanza opens a new one.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := newNode(t, n, "a.test", nil), newNode(t, n, "b.test", nil)
	a.send("juliet@b.test", "romeo@a.test/x", "1")
	b.wants("romeo@a.test/x", "1")
	b.send("romeo@a.test", "juliet@b.test/y", "2")
	a.wants("juliet@b.test/y", "2")
	a.send("x@missing.test", "romeo@a.test/x", "lost")
	a.wantsError("lost", "remote-server-not-found")
	seen := map[string]bool{}
	for _, c := range a.server.Connections(10) {
		if c.Ours != "a.test" || c.Connected != (c.Theirs == "b.test") || (c.Failure != nil) != (c.Theirs == "missing.test") {
			t.Errorf("%+v", c)
		}
		seen[c.Theirs] = true
	}
	if len(seen) != 2 || len(a.server.Connections(1)) != 1 {
		t.Errorf("%v", seen)
	}
	if got := a.server.Disconnect("b.test"); got != 2 {
		t.Errorf("%d connections are closed", got)
	}
	rawstream.Eventually(t, "they are closed", func() bool { return a.server.Counters.In.Load() == 0 && a.server.Counters.Out.Load() == 0 })
	a.send("juliet@b.test", "romeo@a.test/x", "3")
	b.wants("romeo@a.test/x", "3")
	if got := a.server.Disconnect("other.test"); got != 0 {
		t.Errorf("%d connections are closed", got)
	}
}

// A connection that a stricter policy would not have allowed ends with the next stanza, in both directions.
func TestPolicyBecomesStricter(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := newNode(t, n, "a.test", nil), newNode(t, n, "b.test", selfSigned(t, "b.test"))
	a.send("juliet@b.test", "romeo@a.test/x", "1")
	b.wants("romeo@a.test/x", "1")
	b.send("romeo@a.test", "juliet@b.test/y", "2")
	a.wants("juliet@b.test/y", "2")
	a.server.SetPolicy(Policy{Domains: map[string]Rule{"b.test": {Certificates: true}}})
	a.send("juliet@b.test", "romeo@a.test/x", "3")
	a.wantsError("3", "remote-server-not-found")
	b.send("romeo@a.test", "juliet@b.test/y", "4")
	b.wantsError("4", "remote-server-timeout")
	a.quiet()
	b.quiet()
}

// A domain that becomes ours while another server has a connection for it is that server's no more: spoofing is refused.
func TestDomainBecomesOurs(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	p := a.authenticated()
	p.Send("<message from='x@evil.test' to='romeo@a.test' id='1'/>")
	if st := a.arrived.next(t); st.ID != "1" {
		t.Fatalf("got %s", st)
	}
	a.serve("evil.test")
	p.Send("<message from='x@evil.test' to='romeo@a.test' id='2'/>")
	if got, _ := p.Remains(); !strings.Contains(got, "<invalid-from ") {
		t.Errorf("got %q", got)
	}
	a.quiet()
}
