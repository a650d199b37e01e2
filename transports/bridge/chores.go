package bridge

import (
	"context"
	"time"
)

const (
	houseTick  = 5 * time.Second
	pruneEvery = 10 * time.Minute
)

// keepHouse does what is due from time to time.
func (g *Gateway) keepHouse(ctx context.Context) {
	tick := time.NewTicker(houseTick)
	defer tick.Stop()
	pruned := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		g.handed.flush(ctx)
		g.dialogues.expire(g.now())
		g.forgetRates()
		g.forgetRemoved()
		if now := g.now(); now.Sub(pruned) >= pruneEvery || now.Before(pruned) {
			pruned = now
			archive := time.Time{}
			if g.set.KeepArchive > 0 {
				archive = now.Add(-g.set.KeepArchive)
			}
			if err := g.store.Prune(ctx, now.Add(-g.set.KeepKeys), archive); err != nil && ctx.Err() == nil {
				g.log.Error("pruning", "error", err)
			}
		}
	}
}
