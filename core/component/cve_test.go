package component

import (
	"fmt"
	"strings"
	"testing"
)

// CVE-2011-1753 and CVE-2022-0217: components have no document types and no entities either.
func TestCVE_2022_0217_EntitiesOfComponents(t *testing.T) {
	t.Parallel()
	for name, evil := range map[string]string{
		"doctype": "<!DOCTYPE lolz [<!ENTITY lol 'lol'>]>", "entity": "<handshake>&lol;</handshake>", "comment": "<!-- x -->", "processing": "<?php evil ?>",
	} {
		o := newTestServer(t, nil)
		c := o.connect()
		if name == "doctype" {
			c.Send(evil + open("gate.test"))
		} else {
			c.Send(open("gate.test") + evil)
		}
		if got := c.Rest(); !strings.Contains(got, "<restricted-xml ") {
			t.Errorf("%s before the handshake: %q", name, got)
		}
		c = o.attached("gate.test")
		c.Send("<message from='gate.test' to='romeo@home.test'><body>" + evil + "</body></message>")
		if got := c.Rest(); !strings.Contains(got, "<restricted-xml ") {
			t.Errorf("%s after it: %q", name, got)
		}
		if len(o.home) != 0 {
			t.Errorf("%s: delivered", name)
		}
	}
}

// CVE-2026-43507: before the handshake the stricter limits apply.
func TestCVE_2026_43507_ManyElements(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	for _, evil := range []string{
		"<handshake>" + strings.Repeat("<a/>", 2500), strings.Repeat("<a>", 100), "<handshake>" + strings.Repeat("x", 10_000), "<handshake " + strings.Repeat("y", 10_000),
	} {
		c := o.connect()
		c.Send(open("gate.test") + evil)
		if got := c.Rest(); !strings.Contains(got, "<policy-violation ") {
			t.Errorf("%.20s: %q", evil, got)
		}
	}
	k := &o.server.Counters.BeforeLogin
	if k.Bytes.Load() != 2 || k.Elements.Load() != 1 || k.Depth.Load() != 1 {
		t.Errorf("counted %d of size, %d of number, %d of depth", k.Bytes.Load(), k.Elements.Load(), k.Depth.Load())
	}
}

// CVE-2016-1232: the id that the handshake depends on is never the same, and has 128 bit at least.
func TestCVE_2016_1232_UnpredictableIDs(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	seen := map[string]bool{}
	for range 50 {
		c := o.connect()
		c.Send(open("gate.test"))
		c.Until("?>")
		id := idOf(t, c.Until(">"))
		if seen[id] || len(id) < 26 { // five bits each
			t.Errorf("%q", id)
		}
		seen[id] = true
		_ = c.Close()
	}
}

// CVE-2021-32921: only the complete proof is accepted. TestCVE_2021_32921_Comparisons of package integration checks
// that it is compared in constant time.
func TestCVE_2021_32921_WrongProofs(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	for _, spoil := range []func(proof, id string) string{
		func(p, _ string) string { return p[:39] },
		func(p, _ string) string { return p + "0" },
		func(p, _ string) string { return p[1:] + p[:1] },
		func(p, _ string) string { return strings.Repeat("0", len(p)) },
		func(string, string) string { return "" },
		func(_, id string) string { return handshake(id, "") },
		func(_, id string) string { return handshake("", "s3cret") },
	} {
		c := o.connect()
		c.Send(open("gate.test"))
		c.Until("?>")
		id := idOf(t, c.Until(">"))
		c.Send("<handshake>" + spoil(handshake(id, "s3cret"), id) + "</handshake>")
		if got := c.Rest(); !strings.Contains(got, "<not-authorized ") {
			t.Errorf("answered %q", got)
		}
	}
	if o.server.Counters.Attached.Load() != 0 || o.server.Counters.Refused.Load() != 7 {
		t.Error("a component is attached, or not counted")
	}
}

// CVE-2017-18265: errors after the component has disconnected do not cause a panic.
func TestCVE_2017_18265_Disconnected(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	for i, text := range []string{"", "<stream", "<!DOCTYPE x>", open("gate.test"), open("gate.test") + "<handshake>00</handshake>", open("nobody.test"), open("gate.test") + "<a></b>"} {
		c := o.connect()
		c.Send(text)
		_ = c.Close()
		if i%2 == 0 {
			c = o.attached("gate.test")
			c.Send("<message from='evil.test' to='romeo@home.test'/>" + text)
			_ = c.Close()
		}
	}
	o.attached("gate.test").Send(fmt.Sprintf("<message from='gate.test' to='romeo@home.test'><body>%s</body></message>", "still here"))
	if got := o.home.next(t).Body(); got != "still here" {
		t.Errorf("got %q", got)
	}
}
