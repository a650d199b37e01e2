package server

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/authentication"
)

// How often the archives are pruned, and how many messages one transaction looks at.
const (
	pruneEvery = time.Hour
	pruneBatch = 1000
)

// prune deletes archived messages that are older than server.archive.
func (s *Server) prune(ctx context.Context) error {
	clock := store.NewClock(s.store, "archive", time.Now, s.log)
	for {
		now := time.Now()
		if err := authentication.Prune(ctx, s.store, now.Add(-time.Duration(s.reloadable.clientsKept.Load())), now); err != nil && ctx.Err() == nil {
			s.log.Error("records of clients not deleted", "err", err)
		}
		if err := s.pruneArchive(ctx, clock); err != nil && ctx.Err() == nil {
			s.log.Error("archives not pruned", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pruneEvery):
		case <-s.reloadable.kept:
		}
	}
}

func (s *Server) pruneArchive(ctx context.Context, clock *store.Clock) error {
	now, err := clock.Now(ctx)
	if err != nil {
		return err
	}
	for after := int64(0); ctx.Err() == nil; {
		keep := time.Duration(s.reloadable.keep.Load())
		if keep <= 0 {
			return nil // they are kept for ever
		}
		_, after, err = s.store.PruneArchive(ctx, store.Pruning{Before: now.Add(-keep), Now: now, After: after, Limit: pruneBatch})
		if err != nil || after == 0 {
			return err
		}
	}
	return nil
}
