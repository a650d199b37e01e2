package server

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// choreEvery is how often is looked for what has to be taken up.
const choreEvery = time.Second

// chores takes up what nothing else wakes: messages that wait for somebody who came while the
// database could not be read, and accounts that the command line wants deleted.
func (s *Server) chores(ctx context.Context) error {
	tick := time.NewTicker(choreEvery)
	defer tick.Stop()
	told := map[jid.JID]bool{}
	for {
		for _, h := range s.hosts {
			h.offline.Retry(ctx)
		}
		s.removals(ctx, told)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.removed:
		}
	}
}
