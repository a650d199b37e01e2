package bridge

import (
	"context"
	"time"
)

const (
	janitorTick = 5 * time.Second
	pruneEvery  = 10 * time.Minute
)

// janitor runs the periodic cleaning until ctx ends: every janitorTick it flushes the delivery log and drops expired
// state from memory, every pruneEvery it removes old rows.
func (g *Gateway) janitor(ctx context.Context) {
	tick := time.NewTicker(janitorTick)
	defer tick.Stop()
	pruned := time.Time{}
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
		if now.Sub(pruned) >= pruneEvery || now.Before(pruned) {
			pruned = now
			g.prune(ctx, now)
		}
	}
}

// prune removes rows that are older than Settings.KeepKeys and KeepArchive.
func (g *Gateway) prune(ctx context.Context, now time.Time) {
	archive := time.Time{}
	if keep := g.env.Settings.KeepArchive; keep > 0 {
		archive = now.Add(-keep)
	}
	if err := g.store.Prune(ctx, now.Add(-g.env.Settings.KeepKeys), archive); err != nil && ctx.Err() == nil {
		g.env.Log.Error("remove old rows", "error", err)
	}
}
