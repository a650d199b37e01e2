package server

import (
	"context"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
)

// A password that the command line changes ends the sessions in a running server, unless that is not wanted.
func TestPasswordOfCommandLineEndsSessions(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	a := p.commandLine()
	romeo, juliet := p.online("romeo"), p.online("juliet")
	if _, err := a.SetPasswordOnly(context.Background(), "romeo", "second"); err != nil {
		t.Fatal(err)
	}
	p.server.wakeRemovals(jid.MustParse("romeo@home.test"))
	romeo.ping()
	if _, err := a.SetPassword(context.Background(), "romeo", "romeo"); err != nil {
		t.Fatal(err)
	}
	romeo.Until("<stream:error><reset ")
	juliet.ping()
	rawstream.Eventually(t, "noted", func() bool {
		list, err := p.server.store.Revocations(context.Background())
		return err == nil && len(list) == 0
	})
	p.online("romeo")
}

// A session whose login began after the account was enabled again stays, also if the server notices only then that it was disabled.
func TestEnabledAtOnce(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	a := p.commandLine()
	ctx := context.Background()
	for name, change := range map[string]func() (string, error){
		"disabled": func() (string, error) { return a.Disable(ctx, "romeo") },
		"password": func() (string, error) { return a.SetPassword(ctx, "romeo", "romeo") },
	} {
		before := p.online("romeo")
		if _, err := change(); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Enable(ctx, "romeo"); err != nil {
			t.Fatal(err)
		}
		after := p.loggedIn("romeo")
		after.Send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>after</resource></bind></iq>")
		after.Until("/after</jid></bind></iq>")
		p.server.wakeRemovals(jid.JID{})
		before.Until("<stream:error>")
		rawstream.Eventually(t, "noted", func() bool {
			list, err := p.server.store.Revocations(ctx)
			return err == nil && len(list) == 0
		})
		if got := after.ping(); strings.Contains(got, "error") {
			t.Errorf("%s: %s", name, got)
		}
		after.Send("</stream:stream>")
		after.rest()
	}
}
