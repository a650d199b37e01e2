package fairqueue

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTurns: one key with many jobs does not keep the others waiting, has never two that run, and no more than AtOnce run.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New[string](t.Context(), Options{AtOnce: 2, PerKey: 50, Total: 100})
		defer q.Stop()
		var order []string
		running, most := map[string]int{}, 0
		job := func(key string) {
			err := q.Enqueue(key, func(context.Context) {
				q.mu.Lock() // of the test's own variables too
				running[key]++
				order = append(order, key)
				all := running["flood"] + running["a"] + running["b"]
				if most = max(most, all); running[key] > 1 {
					t.Errorf("%d jobs of %s run", running[key], key)
				}
				q.mu.Unlock()
				time.Sleep(time.Second)
				q.mu.Lock()
				running[key]--
				q.mu.Unlock()
			})
			if err != nil {
				t.Error(err)
			}
		}
		for range 20 {
			job("flood")
		}
		job("a")
		job("b")
		time.Sleep(1500 * time.Millisecond)
		q.mu.Lock()
		first := map[string]bool{}
		for _, key := range order[:min(len(order), 4)] {
			first[key] = true
		}
		q.mu.Unlock()
		if !first["a"] || !first["b"] || most != 2 {
			t.Errorf("the first were %v; %d ran at once", first, most)
		}
	})
}

func TestBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rate := 6
		q := New[int](t.Context(), Options{AtOnce: 1, PerKey: 3, Total: 4, Rate: func() int { return rate }})
		hold := make(chan struct{})
		wait := func(context.Context) { <-hold }
		want := func(step string, key int, want error) {
			t.Helper()
			if err := q.Enqueue(key, wait); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", step, err, want)
			}
			synctest.Wait()
		}
		want("runs", 1, nil)
		want("waits", 1, nil)
		want("a third of the rate at once", 1, ErrRate)
		time.Sleep(20 * time.Second)
		want("the rate gives back", 1, nil)
		rate = 0
		want("no limit of the rate", 1, nil)
		want("as many of one key as may wait", 1, ErrFull)
		want("another key", 2, nil)
		want("as many as may wait", 3, ErrFull)
		close(hold)
		synctest.Wait()
		want("all have run", 3, nil)
		q.Stop()
		want("stopped", 3, ErrStopped)
	})
}

// TestKeysAreForgotten: who asked once is not remembered for ever.
func TestKeysAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New[int](t.Context(), Options{AtOnce: 1, PerKey: 1, Total: 1, Rate: func() int { return 60 }})
		defer q.Stop()
		for i := range 2 * maxKeys {
			if i%maxKeys == 0 {
				time.Sleep(2 * pruneEvery)
			}
			if err := q.Enqueue(i, func(context.Context) {}); err != nil {
				t.Fatalf("key %d: %v", i, err)
			}
			synctest.Wait()
		}
		if len(q.keys) > maxKeys {
			t.Errorf("%d keys", len(q.keys))
		}
	})
}

// TestPanicEndsOneJob: the next job of the key runs.
func TestPanicEndsOneJob(t *testing.T) {
	t.Parallel()
	q := New[int](t.Context(), Options{AtOnce: 1, PerKey: 2, Total: 2})
	defer q.Stop()
	done := make(chan struct{})
	for _, job := range []func(context.Context){func(context.Context) { panic("broken") }, func(context.Context) { close(done) }} {
		if err := q.Enqueue(1, job); err != nil {
			t.Fatal(err)
		}
	}
	<-done
}
