package server

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Intervals of the periodic work, of dropping idle accounts from memory, and in which a silent connection begins to rest.
const (
	workEvery  = time.Second
	sweepEvery = 30 * time.Second
	restEvery  = 5 * time.Second
)

// recheck ends the sessions of clients whose token or certificate was revoked. It asks other servers, for which nothing else waits.
func (s *Server) recheck(ctx context.Context) error {
	tick := time.NewTicker(workEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			s.clients.Recheck(ctx, now)
		}
	}
}

// periodic repeats incomplete deliveries of offline messages, deletes accounts that were marked as deleted
// and ends sessions that are revoked or were not resumed in time, reads the roles that were granted (all also by the command line),
// drops idle accounts from memory, and keeps the shared groups up to date.
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
		for _, h := range s.anonymous {
			if sweep {
				h.Sweep()
			}
		}
		s.reloadRights(ctx)
		s.clients.Expire(ctx, time.Now())
		s.revocations(ctx)
		s.removals(ctx, logged)
		if err := s.updateGroups(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("shared groups not read", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.signals.removed:
		}
	}
}
