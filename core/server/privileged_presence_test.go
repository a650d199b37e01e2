package server

import (
	"strings"
	"testing"
)

// befriend subscribes two accounts to each other's presence.
func (p *testServer) befriend(a, b *peer, nameA, nameB string) {
	p.t.Helper()
	for _, step := range []struct {
		c        *peer
		to, kind string
	}{{a, nameB, "subscribe"}, {b, nameA, "subscribed"}, {b, nameA, "subscribe"}, {a, nameB, "subscribed"}} {
		step.c.Send("<presence type='" + step.kind + "' to='" + step.to + "@home.test'/>")
		step.c.ping()
	}
}

// XEP-0356 §7.1: initial and unavailable presence, and nothing else.
func TestPresenceOfAccounts(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `privileges = ["presence"]`})
	gate := p.attached()
	gate.Until("managed_entity")
	romeo := p.online("romeo")
	got := gate.Until("from='romeo@home.test/x'") + gate.gatePing()
	if !strings.Contains(got, "to='gate.home.test'") || strings.Contains(got, "unavailable") {
		t.Errorf("told %q", got)
	}
	romeo.Send("<presence><show>away</show></presence><presence to='nurse@home.test'><status>directed</status></presence>")
	romeo.ping()
	if got := gate.gatePing(); strings.Contains(got, "<presence") {
		t.Errorf("told %q", got)
	}
	romeo.Send("<presence type='unavailable'/>")
	romeo.ping()
	if got := gate.gatePing(); strings.Count(got, "<presence") != 1 || !strings.Contains(got, "type='unavailable'") {
		t.Errorf("told %q", got)
	}
	romeo.Send("<presence/>")
	gate.Until("from='romeo@home.test/x'")
	romeo.Send("</stream:stream>")
	gate.Until("type='unavailable'")
}

// XEP-0356 §8 rule 1: who attaches later is told of it.
func TestPresenceOfAccountsBefore(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `privileges = ["presence"]`})
	p.online("romeo")
	p.online("juliet")
	got := p.attached().gatePing()
	for _, from := range []string{"romeo", "juliet"} {
		if strings.Count(got, "from='"+from+"@home.test/x'") != 1 {
			t.Errorf("%s: told %q", from, got)
		}
	}
	if strings.Index(got, "<presence") < strings.Index(got, "managed_entity") {
		t.Errorf("before the privileges: %q", got)
	}
}

// XEP-0356 §7.4, §8: the presence of contacts too, once although two accounts have the contact, and nobody's who is in no roster.
func TestPresenceOfContacts(t *testing.T) {
	t.Parallel()
	const service = `
[[component]]
domain = "net.home.test"
secret = "between us"
`
	p := newTestServer(t, extra{component: `privileges = ["roster-get", "presence-roster"]` + service})
	romeo, juliet, gate, net := p.online("romeo"), p.online("juliet"), p.attached(), p.attachedAs("net.home.test")
	gate.Until("<perm access='presence' type='roster'/>")
	for _, c := range []*peer{romeo, juliet} {
		c.Send("<presence type='subscribe' to='friend@net.home.test'/>")
		c.ping()
	}
	to := func(attrs, content string) string {
		all := ""
		for _, account := range []string{"romeo", "juliet"} {
			all += "<presence from='friend@net.home.test/f' to='" + account + "@home.test'" + attrs + ">" + content + "</presence>"
		}
		return all
	}
	send := func(text string) string {
		net.Send(text + "<iq type='get' id='net-sync' from='net.home.test' to='home.test'><ping xmlns='urn:xmpp:ping'/></iq>")
		net.Until("id='net-sync'")
		return gate.gatePing()
	}
	if got := send(to("", "<status>before</status>")); strings.Contains(got, "before") {
		t.Errorf("told of somebody who is no contact: %q", got)
	}
	send("<presence type='subscribed' from='friend@net.home.test' to='romeo@home.test'/><presence type='subscribed' from='friend@net.home.test' to='juliet@home.test'/>")
	if got := send(to("", "<status>here</status>")); strings.Count(got, "<status>here</status>") != 1 || !strings.Contains(got, "from='friend@net.home.test/f'") {
		t.Errorf("told %q", got)
	}
	if got := send(to("", "<show>away</show>")); strings.Count(got, "<show>away</show>") != 1 {
		t.Errorf("told of a change: %q", got)
	}
	// Also while the accounts are away.
	romeo.Send("<presence type='unavailable'/>")
	romeo.ping()
	if got := send(to("", "<show>dnd</show>")); strings.Count(got, "<show>dnd</show>") != 1 {
		t.Errorf("told of a change while an account is away: %q", got)
	}
	if got := send(to(" type='error'", "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")); strings.Contains(got, "friend") {
		t.Errorf("told of an error: %q", got)
	}
	// A component that attaches anew is told again.
	gate.Send("</stream:stream>")
	gate.Rest()
	gate = p.attached()
	got := gate.gatePing()
	for _, text := range []string{"<show>dnd</show>", "from='juliet@home.test/x'"} {
		if strings.Count(got, text) != 1 {
			t.Errorf("%s: told anew: %q", text, got)
		}
	}
	if got := send(to(" type='unavailable'", "")); strings.Count(got, "from='friend@net.home.test/f'") != 1 {
		t.Errorf("told of the end: %q", got)
	}
}

// An account that is another's contact is told of once, whichever way it is seen.
func TestPresenceOfContactHere(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{component: `privileges = ["roster-get", "presence-roster"]`})
	romeo, juliet := p.online("romeo"), p.online("juliet")
	p.befriend(romeo, juliet, "romeo", "juliet")
	gate := p.attached()
	gate.gatePing()
	romeo.Send("<presence><status>changed</status></presence>")
	romeo.ping()
	if got := gate.gatePing(); strings.Count(got, "<status>changed</status>") != 1 {
		t.Errorf("told %q", got)
	}
	romeo.Send("<presence type='unavailable'/>")
	romeo.ping()
	if got := gate.gatePing(); strings.Count(got, "type='unavailable'") != 1 {
		t.Errorf("told %q", got)
	}
	romeo.Send("<presence/>")
	romeo.ping()
	if got := gate.gatePing(); strings.Count(got, "from='romeo@home.test/x'") != 1 {
		t.Errorf("told %q", got)
	}
}
