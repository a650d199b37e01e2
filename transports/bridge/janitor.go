package bridge

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

const (
	janitorTick = 5 * time.Second
	pruneEvery  = 10 * time.Minute
)

// janitor runs the periodic cleaning until ctx ends: every janitorTick it flushes the delivery log and drops expired
// state from memory, every pruneEvery it removes old rows.
func (g *Gateway) janitor(ctx context.Context, clock *store.Clock) {
	tick := time.NewTicker(janitorTick)
	defer tick.Stop()
	pruned, first := time.Time{}, true
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := g.env.Now()
		g.flow.log.Flush(ctx)
		g.xmpp.commands.Expire()
		g.limiter.Prune()
		g.logins.Prune(now)
		if g.media != nil {
			if err := g.media.Clean(ctx, now); err != nil && ctx.Err() == nil {
				g.env.Log.Error("remove old media", "error", err)
			}
		}
		if now.Sub(pruned) >= pruneEvery || now.Before(pruned) {
			pruned = now
			if err := g.prune(ctx, clock); err != nil && ctx.Err() == nil {
				g.env.Log.Error("remove old rows", "error", err)
			}
			if err := g.store.IndexWords(ctx, first); err != nil && ctx.Err() == nil {
				g.env.Log.Error("archived messages not indexed: a search reads fewer of them at once", "error", err)
			}
			first = false
		}
	}
}

// prune removes rows that are older than Settings.KeepKeys and KeepArchive.
func (g *Gateway) prune(ctx context.Context, clock *store.Clock) error {
	if err := g.readClock(ctx, clock); err != nil {
		return err
	}
	now := g.env.DeletionTime()
	p := tables.Pruning{Now: now, Keys: now.Add(-g.env.Settings.KeepKeys)}
	if keep := g.env.Settings.KeepArchive; keep > 0 {
		p.Archive = now.Add(-keep)
	}
	return g.store.Prune(ctx, p)
}

// readClock reads the time by which old rows are removed.
func (g *Gateway) readClock(ctx context.Context, clock *store.Clock) error {
	now, err := clock.Now(ctx)
	if err == nil {
		g.env.SetDeletionTime(now)
	}
	return err
}
