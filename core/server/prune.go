package server

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/authentication"
)

// How often the archives are pruned, and how many messages one transaction looks at.
const (
	pruneEvery = time.Hour
	pruneBatch = 1000
)

// prune deletes archived messages that are older than their accounts and hosts keep them.
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
		if err := s.enforceQuotas(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("archives have more than their quota", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pruneEvery):
		case <-s.reloadable.kept:
		}
	}
}

// archiveQuota is limits.archive_messages and limits.archive_bytes.
type archiveQuota struct {
	limits  atomic.Pointer[archives.Quota]
	deleted atomic.Uint64 // messages that were too many
}

func (q *archiveQuota) set(c config.Config) {
	q.limits.Store(&archives.Quota{Messages: c.Limits.ArchiveMessages, Bytes: int64(c.Limits.ArchiveBytes)})
}

// enforceQuotas deletes the oldest messages of archives that have more than their quota.
func (s *Server) enforceQuotas(ctx context.Context) error {
	q := s.reloadable.archiveQuota.limits.Load()
	if *q == (archives.Quota{}) {
		return nil
	}
	if err := s.store.CompleteArchives(ctx); err != nil {
		return err
	}
	deleted, err := archives.Enforce(ctx, s.store.Reader(), s.store, *q)
	s.reloadable.archiveQuota.deleted.Add(uint64(deleted))
	return err
}

func (s *Server) pruneArchive(ctx context.Context, clock *store.Clock) error {
	now, err := clock.Now(ctx)
	if err != nil {
		return err
	}
	for after := int64(0); ctx.Err() == nil; {
		most, err := s.longestKept(ctx)
		if err != nil {
			return err
		}
		if most == archive.Forever {
			break
		}
		_, after, err = s.store.PruneArchive(ctx, store.Pruning{Before: now.Add(-most), Now: now, After: after, Limit: pruneBatch})
		if err != nil {
			return err
		}
		if after == 0 {
			break
		}
	}
	return s.expireArchives(ctx, now)
}
