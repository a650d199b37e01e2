package mailbox

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// state records the calls with it, under a lock because tests read the record from another goroutine.
type state struct {
	key string
	mu  sync.Mutex
	log []string
	// keep prevents the state from being disposable.
	keep bool
}

func (s *state) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, what)
}

func (s *state) has() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.log, " ")
}

func (s *state) setKeep(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = on
}

func note(what string) Job[*state] {
	return func(_ context.Context, s *state) { s.note(what) }
}

// newGroup returns a Group of states; all returns the states created so far, in order.
func newGroup(change func(*Options[string, *state])) (g *Group[string, *state], all func() []*state) {
	var mu sync.Mutex
	var made []*state
	opts := Options[string, *state]{
		New: func(key string) *state {
			mu.Lock()
			defer mu.Unlock()
			s := &state{key: key}
			made = append(made, s)
			return s
		},
		Load:   func(_ context.Context, _ string, s *state) error { s.note("load"); return nil },
		Unload: func(s *state) { s.note("unload") },
		Disposable: func(s *state) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return !s.keep
		},
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&opts)
	}
	return New(context.Background(), opts), func() []*state {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(made)
	}
}

// stop ends a Group without waiting for its jobs.
func stop(g *Group[string, *state]) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	g.Stop(ctx)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, s *state, log string) {
	t.Helper()
	if got := s.has(); got != log {
		t.Errorf("state %s: %q, want %q", s.key, got, log)
	}
}

func TestStateIsLoadedOnDemandAndDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(nil)
		defer stop(g)
		must(t, g.Enqueue("a", func(_ context.Context, s *state) {
			s.note("1")
			must(t, g.Enqueue("a", note("2"))) // of another goroutine it could come after the state was dropped
		}))
		synctest.Wait()
		must(t, g.Enqueue("a", note("3")))
		synctest.Wait()
		want(t, made()[0], "load 1 2 unload")
		want(t, made()[1], "load 3 unload")
		if s := g.Stats(); s != (Stats{}) {
			t.Errorf("an idle group holds %+v", s)
		}
	})
}

func TestStateInUseIsKeptWithoutGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(nil)
		must(t, g.Enqueue("a", func(_ context.Context, s *state) { s.setKeep(true) }))
		synctest.Wait()
		if s := g.Stats(); s.Keys != 1 || s.Running != 0 {
			t.Errorf("%+v", s)
		}
		must(t, g.Enqueue("a", note("1")))
		synctest.Wait()
		want(t, made()[0], "load 1")
		stop(g)
		want(t, made()[0], "load 1 unload")
	})
}

func TestIdleStateIsKeptForIdleFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(func(o *Options[string, *state]) { o.IdleFor = func(*state) time.Duration { return time.Minute } })
		defer stop(g)
		must(t, g.Enqueue("a", note("1")))
		time.Sleep(50 * time.Second)
		must(t, g.Enqueue("a", note("2")))
		time.Sleep(59 * time.Second)
		synctest.Wait()
		want(t, made()[0], "load 1 2")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		want(t, made()[0], "load 1 2 unload")
		if s := g.Stats(); s.Keys != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestLoadIsRepeatedWhileJobsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Duration
		start := time.Now()
		g, made := newGroup(func(o *Options[string, *state]) {
			o.Load = func(_ context.Context, _ string, s *state) error {
				times = append(times, time.Since(start))
				switch len(times) {
				case 1:
					return errors.New("disk is full")
				case 2:
					panic("bug")
				}
				return nil
			}
		})
		defer stop(g)
		must(t, g.Enqueue("a", note("1")))
		must(t, g.Wake("a", 1))
		time.Sleep(time.Minute)
		want(t, made()[0], "1 unload")
		if w := []time.Duration{0, firstPause, 3 * firstPause}; !slices.Equal(times, w) {
			t.Errorf("loaded at %v, want %v", times, w)
		}
	})
}

func TestLimitRefusesAllButAlways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(func(o *Options[string, *state]) { o.Limit = 2 })
		defer stop(g)
		hold := make(chan struct{})
		must(t, g.Enqueue("a", func(context.Context, *state) { <-hold }))
		synctest.Wait()
		must(t, g.Enqueue("a", note("1")))
		must(t, g.Enqueue("a", note("2")))
		if err := g.Enqueue("a", note("3")); err != ErrFull {
			t.Errorf("third waiting job: %v", err)
		}
		must(t, g.EnqueueAlways("a", note("4")))
		must(t, g.Enqueue("b", note("1"))) // another key has its own limit
		if s := g.Stats(); s.Queued < 4 || s.Always != 1 {
			t.Errorf("%+v", s)
		}
		close(hold)
		synctest.Wait()
		want(t, made()[0], "load 1 2 4 unload")
	})
}

func TestMarksAreCombined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []Marks
		g, _ := newGroup(func(o *Options[string, *state]) {
			o.Work = func(_ context.Context, _ *state, m Marks) { seen = append(seen, m) }
		})
		defer stop(g)
		hold := make(chan struct{})
		must(t, g.Enqueue("a", func(context.Context, *state) { <-hold }))
		synctest.Wait()
		for range 100 {
			must(t, g.Wake("a", 1))
			must(t, g.Wake("a", 4))
		}
		close(hold)
		synctest.Wait()
		if !slices.Equal(seen, []Marks{0, 5}) {
			t.Errorf("Work saw %v", seen)
		}
		g.WakeAll(2) // no key is in use
		synctest.Wait()
		if len(seen) != 2 {
			t.Errorf("Work saw %v", seen)
		}
	})
}

func TestPanicEndsOneJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var panicked atomic.Int64
		g, made := newGroup(func(o *Options[string, *state]) {
			o.Log, o.Name = slog.New(slog.NewTextHandler(&log, nil)), "room"
			o.Panicked = func(string) { panicked.Add(1) }
			o.Work = func(context.Context, *state, Marks) { panic("in work") }
		})
		defer stop(g)
		must(t, g.Enqueue("a", func(context.Context, *state) {
			must(t, g.Enqueue("a", note("1"))) // it waits when the panic comes
			panic("in a job")
		}))
		synctest.Wait()
		want(t, made()[0], "load 1 unload")
		if s := g.Stats(); s.Panics != panicked.Load() || s.Panics < 2 {
			t.Errorf("%+v, %d", s, panicked.Load())
		}
		for _, piece := range []string{"room=a", "step=job", `panic="in a job"`, "step=work", "mailbox_test.go"} {
			if !strings.Contains(log.String(), piece) {
				t.Errorf("no %q in the log", piece)
			}
		}
	})
}

func TestUpdateChangesStateAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(nil)
		defer stop(g)
		if done, err := g.Update("a", 1, func(*state) bool { return false }); done || err != nil {
			t.Error(done, err)
		}
		if s := g.Stats(); s.Keys != 0 {
			t.Errorf("an update that was refused left %+v", s)
		}
		if done, err := g.Update("a", 0, func(s *state) bool { s.setKeep(true); return true }); !done || err != nil {
			t.Error(done, err)
		}
		synctest.Wait()
		want(t, made()[1], "") // kept, not loaded
		must(t, g.Enqueue("a", note("1")))
		synctest.Wait()
		want(t, made()[1], "load 1")
		if done, _ := g.Update("a", 0, func(s *state) bool { s.setKeep(false); return false }); done {
			t.Error("done")
		}
		synctest.Wait()
		want(t, made()[1], "load 1 unload")
		if s := g.Stats(); s.Keys != 0 {
			t.Errorf("a state that became disposable is kept: %+v", s)
		}
	})
}

func TestTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var marks Marks
		g, made := newGroup(func(o *Options[string, *state]) {
			o.Work = func(_ context.Context, _ *state, m Marks) { marks |= m }
		})
		defer stop(g)
		_, err := g.EnqueueAfter("a", time.Second, note("1"))
		must(t, err)
		stopped, err := g.EnqueueAfter("a", 2*time.Second, note("2"))
		must(t, err)
		_, err = g.WakeAfter("a", 3*time.Second, 8)
		must(t, err)
		last, err := g.EnqueueAfter("b", time.Hour, note("3"))
		must(t, err)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		want(t, made()[0], "load 1 unload") // a timer alone keeps no state
		if !stopped.Stop() || stopped.Stop() {
			t.Error("Stop of a pending timer, then again")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if marks != 8 {
			t.Errorf("marks %v", marks)
		}
		if !last.Stop() {
			t.Error("Stop of the last timer")
		}
		if s := g.Stats(); s.Keys != 0 || s.Queued != 0 || s.Always != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestReleaseDrainsRefusesHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(nil)
		defer stop(g)
		ctx := context.Background()
		must(t, g.Release(ctx, "idle", func(*state) { t.Error("handOver was called without a loaded state") }))
		hold := make(chan struct{})
		must(t, g.Enqueue("a", func(_ context.Context, s *state) { <-hold; s.note("1") }))
		must(t, g.Enqueue("a", note("2")))
		_, err := g.EnqueueAfter("a", time.Second, note("late"))
		must(t, err)
		brief, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := g.Release(brief, "a", func(s *state) { s.note("over") }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("release of a busy key: %v", err)
		}
		for _, err := range []error{g.Enqueue("a", note("x")), g.EnqueueAlways("a", note("x")), g.Wake("a", 1)} {
			if err != ErrReleased {
				t.Errorf("use of a released key: %v", err)
			}
		}
		if g.Reclaim("a") {
			t.Error("Reclaim succeeded while Release drains the key")
		}
		close(hold)
		must(t, g.Release(ctx, "a", nil))
		want(t, made()[0], "load 1 2 over unload")
		if err := g.Enqueue("a", note("x")); err != ErrReleased {
			t.Errorf("use of a released key: %v", err)
		}
		if !g.Reclaim("a") {
			t.Error("not reclaimed")
		}
		must(t, g.Enqueue("a", note("1")))
		time.Sleep(time.Minute)
		want(t, made()[1], "load 1 unload")
	})
}

func TestStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(nil)
		must(t, g.Enqueue("a", func(context.Context, *state) { time.Sleep(time.Second) }))
		synctest.Wait()
		must(t, g.Enqueue("a", func(_ context.Context, s *state) {
			if err := g.Enqueue("a", note("x")); err != ErrStopped {
				t.Errorf("a bounded job while stopping: %v", err)
			}
			must(t, g.EnqueueAlways("b", note("1")))
		}))
		g.Stop(context.Background())
		want(t, made()[0], "load unload")
		want(t, made()[1], "load 1 unload")
		if err := g.EnqueueAlways("a", note("x")); err != ErrStopped {
			t.Errorf("after Stop: %v", err)
		}
		if s := g.Stats(); s != (Stats{}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestStopDropsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(func(o *Options[string, *state]) {
			o.Load = func(_ context.Context, key string, s *state) error {
				if key == "never" {
					return errors.New("no")
				}
				return nil
			}
		})
		must(t, g.Enqueue("a", func(ctx context.Context, s *state) { <-ctx.Done(); s.note("ended") }))
		synctest.Wait()
		must(t, g.Enqueue("a", note("1")))
		must(t, g.EnqueueAlways("never", note("1")))
		released := make(chan error)
		go func() { released <- g.Release(context.Background(), "never", nil) }()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		g.Stop(ctx)
		if err := <-released; err != ErrStopped {
			t.Errorf("release: %v", err)
		}
		want(t, made()[0], "ended unload")
		want(t, made()[1], "")
		if s := g.Stats(); s != (Stats{Dropped: 2}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestEndOfContextEndsJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		s := &state{}
		g := New(ctx, Options[int, *state]{New: func(int) *state { return s }, Unload: func(s *state) { s.note("unload") }})
		must(t, g.Enqueue(1, func(ctx context.Context, s *state) { <-ctx.Done(); s.note("ended") }))
		synctest.Wait()
		cancel()
		synctest.Wait()
		if err := g.Enqueue(1, note("x")); err != ErrStopped {
			t.Error(err)
		}
		g.Stop(context.Background())
		want(t, s, "ended unload")
	})
}

// TestNewStateWaitsForUnload checks that a new state is not loaded before the old one of the same
// key is unloaded completely.
func TestNewStateWaitsForUnload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		order := &state{}
		g, _ := newGroup(func(o *Options[string, *state]) {
			o.Load = func(context.Context, string, *state) error { order.note("load"); return nil }
			o.Unload = func(*state) { time.Sleep(time.Second); order.note("unload") }
		})
		defer stop(g)
		must(t, g.Enqueue("a", func(context.Context, *state) { order.note("1") }))
		time.Sleep(time.Second / 2)
		must(t, g.Enqueue("a", func(context.Context, *state) { order.note("2") }))
		time.Sleep(time.Minute)
		want(t, order, "load 1 unload load 2 unload")
	})
}
