package mailbox

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// noLoad is for newGroup: a group whose states need no Load.
func noLoad(o *Options[string, *state]) {
	o.Load = nil
	o.Work = func(_ context.Context, s *state, _ Marks) { s.note("work") }
}

// mustRun calls RunIdle, which has to run the job.
func mustRun(t *testing.T, g *Group[string, *state], job Job[*state]) {
	t.Helper()
	if ran, err := g.RunIdle("a", job); !ran || err != nil {
		t.Fatalf("RunIdle: %v, %v", ran, err)
	}
}

func TestRunIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(noLoad)
		defer stop(g)
		mustRun(t, g, note("1"))
		mustRun(t, g, note("2"))
		want(t, made()[0], "1 work unload")
		want(t, made()[1], "2 work unload")
		if s := g.Stats(); s != (Stats{}) {
			t.Errorf("an idle group holds %+v", s)
		}
	})
}

// TestRunIdleKeepsOrder checks that no job runs beside one of RunIdle, and that those that are queued meanwhile run after it in the
// goroutine of the key.
func TestRunIdleKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(noLoad)
		defer stop(g)
		hold := make(chan struct{})
		mustRun(t, g, func(_ context.Context, s *state) {
			must(t, g.Enqueue("a", func(context.Context, *state) { <-hold }))
			must(t, g.Enqueue("a", note("3")))
			if ran, err := g.RunIdle("a", note("never")); ran || err != nil {
				t.Errorf("beside another job: %v, %v", ran, err)
			}
			s.note("1")
		}) // returns although a queued job is held
		if ran, err := g.RunIdle("a", note("never")); ran || err != nil {
			t.Errorf("while a job is queued: %v, %v", ran, err)
		}
		close(hold)
		synctest.Wait()
		want(t, made()[0], "1 work 3 work unload")
	})
}

func TestRunIdleAfterPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(func(o *Options[string, *state]) {
			noLoad(o)
			o.Disposable = func(*state) bool { return false }
		})
		defer stop(g)
		mustRun(t, g, func(context.Context, *state) { panic("of a test") })
		mustRun(t, g, note("2"))
		want(t, made()[0], "work 2 work")
		if s := g.Stats(); s.Panics != 1 || s.Running != 0 || s.Queued != 0 {
			t.Errorf("after a panic: %+v", s)
		}
	})
}

// TestRunIdleRefused checks that a job is not run where it would wait for Load, and where Enqueue is refused.
func TestRunIdleRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(func(o *Options[string, *state]) { o.Disposable = func(*state) bool { return false } })
		if ran, err := g.RunIdle("a", note("never")); ran || err != nil {
			t.Errorf("before Load: %v, %v", ran, err)
		}
		must(t, g.Enqueue("a", note("1")))
		synctest.Wait()
		mustRun(t, g, note("2"))
		want(t, made()[0], "load 1 2")
		must(t, g.Release(context.Background(), "a", nil))
		if ran, err := g.RunIdle("a", note("never")); ran || !errors.Is(err, ErrReleased) {
			t.Errorf("after Release: %v, %v", ran, err)
		}
		stop(g)
		if ran, err := g.RunIdle("b", note("never")); ran || !errors.Is(err, ErrStopped) {
			t.Errorf("after Stop: %v, %v", ran, err)
		}
	})
}

// TestStopWaitsForRunIdle checks that Stop and Release wait for a job of RunIdle.
func TestStopWaitsForRunIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, made := newGroup(noLoad)
		hold := make(chan struct{})
		go func() {
			_, _ = g.RunIdle("a", func(_ context.Context, s *state) { <-hold; s.note("1") })
		}()
		synctest.Wait()
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			stop(g)
		}()
		synctest.Wait()
		select {
		case <-stopped:
			t.Fatal("Stop has not waited")
		default:
		}
		close(hold)
		<-stopped
		want(t, made()[0], "1 unload")
	})
}
