package server

import (
	"context"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
)

// A password that the command line changes ends the sessions in a running server, unless that is not wanted.
func TestPasswordOfCommandLineEndsSessions(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	a := &Accounts{config: p.server.config, store: p.server.store}
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
