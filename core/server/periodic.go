package server

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// How often is looked for work that nothing else starts, and for accounts that are not used any more.
const (
	workEvery  = time.Second
	sweepEvery = 30 * time.Second
)

// periodic does what nothing else starts: it delivers messages that wait for a session which came
// while the database could not be read, deletes accounts as the command line wants, and drops
// from memory what is known about accounts that are not used.
func (s *Server) periodic(ctx context.Context) error {
	tick := time.NewTicker(workEvery)
	defer tick.Stop()
	logged := map[jid.JID]bool{}
	swept := time.Now()
	for {
		sweep := time.Since(swept) >= sweepEvery
		if sweep {
			swept = time.Now()
		}
		for _, h := range s.hosts {
			h.offline.Retry(ctx)
			if sweep {
				h.Sweep()
			}
		}
		s.removals(ctx, logged)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.removed:
		}
	}
}
