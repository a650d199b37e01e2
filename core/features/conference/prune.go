package conference

import (
	"context"
	"time"
)

// pruneEvery is how often the archives are pruned.
const pruneEvery = time.Hour

// prune deletes archived messages whose time is over, until ctx ends.
func (s *Service) prune(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if err := s.pruneNow(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("archives of rooms not pruned", "domain", s.Domain(), "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.changed:
		}
	}
}

func (s *Service) pruneNow(ctx context.Context) error {
	now, err := s.Clock.Now(ctx)
	if err != nil {
		return err
	}
	c := s.settings.Load()
	var before time.Time
	if c.ArchiveTime > 0 {
		before = now.Add(-time.Duration(c.ArchiveTime))
	}
	return s.Archives.PruneArchives(ctx, before, c.ArchiveMessages)
}
