package server

import (
	"strings"
	"testing"
)

// Administrators list the components, and nobody else does.
func TestListComponents(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: `admins = ["romeo@home.test"]`})
	romeo, juliet := p.online("romeo"), p.online("juliet")
	const list = "<command xmlns='http://jabber.org/protocol/commands' node='components-list' action='execute'/>"
	if got := romeo.ask("set", "home.test", list); !strings.Contains(got, "<value>gate.home.test: not connected</value>") {
		t.Errorf("answered %q", got)
	}
	p.attached()
	if got := romeo.ask("set", "home.test", list); !strings.Contains(got, "<value>gate.home.test: connected from 127.0.0.1</value>") {
		t.Errorf("answered %q", got)
	}
	if got := juliet.ask("set", "home.test", list); strings.Contains(got, "gate.home.test") || !strings.Contains(got, "<error") {
		t.Errorf("somebody else is answered %q", got)
	}
}
