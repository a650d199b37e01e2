package server

import (
	"context"
	"time"
)

// How often the archives are pruned, and how many messages are deleted in one transaction.
const (
	pruneEvery = time.Hour
	pruneBatch = 1000
)

// prune deletes archived messages that are older than server.archive.
func (s *Server) prune(ctx context.Context) error {
	for {
		for {
			keep := time.Duration(s.reloadable.keep.Load())
			if keep <= 0 {
				break // they are kept for ever
			}
			n, err := s.store.PruneArchive(ctx, time.Now().Add(-keep), pruneBatch)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				s.log.Error("archives not pruned", "err", err)
			}
			if err != nil || n < pruneBatch {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pruneEvery):
		case <-s.reloadable.kept:
		}
	}
}
