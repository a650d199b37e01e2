package mailbox

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// TestOrderAndNoLoss runs random operations on a few keys and compares the result with a model:
// every accepted job runs once, in the order of acceptance, unless Stop dropped it; two jobs of a key never
// run at the same time.
func TestOrderAndNoLoss(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		t.Run("", func(t *testing.T) { synctest.Test(t, func(*testing.T) { runRandom(rt) }) })
	})
}

const keys = 3

// model holds the expected results.
type model struct {
	rt       *rapid.T
	accepted [keys][]int // job numbers by key, in order
	ran      [keys][]int // this and the next two are touched only by the key's goroutine, or the caller of RunIdle, while it runs
	working  [keys]bool
	woken    [keys]Marks
	marks    [keys]Marks
	next     int
}

// cell is the state of a key in this test.
type cell struct {
	key    int
	loaded bool
}

func (m *model) job(key int) Job[*cell] {
	n := m.next
	m.next++
	sleep := time.Duration(rapid.IntRange(0, 3).Draw(m.rt, "ms")) * time.Millisecond
	fails := rapid.IntRange(0, 9).Draw(m.rt, "fails") == 0
	return func(_ context.Context, c *cell) {
		if m.working[key] || !c.loaded || c.key != key {
			m.rt.Errorf("job of key %d: working %v, state %+v", key, m.working[key], c)
		}
		m.working[key] = true
		if sleep > 0 {
			time.Sleep(sleep)
		}
		m.working[key] = false
		m.ran[key] = append(m.ran[key], n)
		if fails {
			panic("a job fails")
		}
	}
}

func runRandom(rt *rapid.T) {
	m := &model{rt: rt}
	idle := rapid.SampledFrom([]time.Duration{0, 2 * time.Millisecond}).Draw(rt, "idle")
	var failing atomic.Int64
	failing.Store(rapid.Int64Range(0, 3).Draw(rt, "failing loads"))
	g := New(context.Background(), Options[int, *cell]{
		New: func(key int) *cell { return &cell{key: key} },
		Load: func(_ context.Context, _ int, c *cell) error {
			if failing.Add(-1) >= 0 {
				return errors.New("cannot load")
			}
			c.loaded = true
			return nil
		},
		Work:    func(_ context.Context, c *cell, marks Marks) { m.woken[c.key] |= marks },
		Limit:   5,
		IdleFor: func(*cell) time.Duration { return idle },
		Log:     slog.New(slog.DiscardHandler),
	})
	for range rapid.IntRange(1, 60).Draw(rt, "operations") {
		key := rapid.IntRange(0, keys-1).Draw(rt, "key")
		n := m.next
		var err error
		switch rapid.IntRange(0, 7).Draw(rt, "operation") {
		case 0, 1:
			err = g.Enqueue(key, m.job(key))
		case 2:
			err = g.EnqueueAlways(key, m.job(key))
			if err == ErrFull {
				rt.Fatal("a job that must not be lost was refused")
			}
		case 3:
			bit := Marks(1) << rapid.IntRange(0, 3).Draw(rt, "mark")
			if g.Wake(key, bit) == nil {
				m.marks[key] |= bit
			}
			continue
		case 4:
			time.Sleep(time.Duration(rapid.IntRange(0, 5).Draw(rt, "pause")) * time.Millisecond)
			continue
		case 5:
			if err := g.Release(context.Background(), key, nil); err != nil {
				rt.Fatal(err)
			}
			if err := g.Enqueue(key, nil); err != ErrReleased {
				rt.Fatalf("a released key accepted a job: %v", err)
			}
			if !slices.Equal(m.ran[key], m.accepted[key]) {
				rt.Fatalf("key %d was released with %v of %v done", key, m.ran[key], m.accepted[key])
			}
			continue
		case 6:
			g.Reclaim(key)
			continue
		case 7:
			var ran bool
			if ran, err = g.RunIdle(key, m.job(key)); !ran {
				continue
			}
		}
		if err == nil {
			m.accepted[key] = append(m.accepted[key], n)
		}
	}
	g.Stop(context.Background())
	for key := range keys {
		if !slices.Equal(m.ran[key], m.accepted[key]) || m.woken[key] != m.marks[key] {
			rt.Errorf("key %d: ran %v of %v, marks %b of %b", key, m.ran[key], m.accepted[key], m.woken[key], m.marks[key])
		}
	}
	if s := g.Stats(); s.Queued != 0 || s.Always != 0 || s.Keys != 0 || s.Running != 0 || s.Dropped != 0 {
		rt.Errorf("after Stop: %+v", s)
	}
}
