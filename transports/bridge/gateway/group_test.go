package gateway

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// TestTurn: however much people ask for, few calls run at once, one for each asker; more than may wait are refused; a panic ends one call.
func TestTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var panics, running, most, calls atomic.Int64
		g := NewGroup(func(string) {
			if recover() != nil {
				panics.Add(1)
			}
		})
		flood, other := jid.MustParse("flood@example.org"), jid.MustParse("other@example.org")
		if g.Turn(flood, func(context.Context) {}) {
			t.Error("a call before the start")
		}
		ctx, cancel := context.WithCancel(t.Context())
		g.Start(ctx)
		work := func(context.Context) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(time.Second)
			if calls.Add(1) == 1 {
				panic("broken")
			}
		}
		taken := 0
		for range 10 * turnsOfOne {
			if g.Turn(flood, work) {
				taken++
			}
		}
		if !g.Turn(other, work) || taken > turnsOfOne+1 {
			t.Errorf("%d calls of one asker are taken", taken)
		}
		time.Sleep(time.Hour)
		if most.Load() != 2 || calls.Load() != int64(taken+1) || panics.Load() != 1 {
			t.Errorf("%d at once, %d of %d made, %d panics", most.Load(), calls.Load(), taken+1, panics.Load())
		}
		g.Stop()
		if g.Turn(other, work) {
			t.Error("a call after the stop")
		}
		cancel()
		g.Wait()
	})
}
