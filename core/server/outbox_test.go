package server

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// A server that does not communicate with others gives back what it left in the outbox when it did.
func TestOutboxWithoutFederation(t *testing.T) {
	t.Parallel()
	p := newTestServerWith(t, extra{}, func(s *Server) error {
		if s.remote != nil {
			t.Error("the server communicates with others")
		}
		st := stanza.NewMessage(jid.MustParse("juliet@far.test"), jid.MustParse("romeo@home.test/x"), stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", "text"))
		written := make(chan error, 1)
		s.outbox.Add(st, func(err error) { written <- err })
		return <-written
	})
	rawstream.Eventually(t, "no rows", func() bool {
		var n int
		err := p.server.store.Reader().QueryRowContext(t.Context(), `SELECT count(*) FROM remote_outbox`).Scan(&n)
		return err == nil && n == 0
	})
	if n := p.server.router.Counters.Bounced.Load(); n != 1 {
		t.Errorf("%d errors", n)
	}
}
