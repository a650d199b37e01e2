package server

import (
	"context"
	"time"
)

// How often the archives are pruned, and how many messages at a time: a small piece of a commit.
const (
	pruneEvery = time.Hour
	prunePiece = 1000
)

// prune takes messages out of the archives that are older than the configuration keeps them.
func (s *Server) prune(ctx context.Context) error {
	keep := time.Duration(s.config.Server.Archive)
	if keep <= 0 {
		return nil
	}
	for {
		for {
			n, err := s.store.PruneArchive(ctx, time.Now().Add(-keep), prunePiece)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				s.log.Error("prune the archives", "err", err)
			}
			if err != nil || n < prunePiece {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pruneEvery):
		}
	}
}
