package server

import (
	"context"
	"time"
)

// choreEvery is how often is looked for what has to be taken up again.
const choreEvery = time.Second

// chores takes up what could not be done when it was due: messages that wait for somebody
// who came while the database could not be read.
func (s *Server) chores(ctx context.Context) error {
	tick := time.NewTicker(choreEvery)
	defer tick.Stop()
	for {
		for _, h := range s.hosts {
			h.offline.Retry(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
