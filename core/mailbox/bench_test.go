package mailbox

import (
	"context"
	"sync"
	"testing"
)

// counter is the state of a key in the benchmarks.
type counter struct {
	done chan struct{}
}

func newCounters(tb testing.TB, keep bool) *Group[int, *counter] {
	g := New(context.Background(), Options[int, *counter]{
		New:        func(int) *counter { return &counter{done: make(chan struct{})} },
		Disposable: func(*counter) bool { return !keep },
		Limit:      1 << 20,
	})
	tb.Cleanup(func() { g.Stop(context.Background()) })
	return g
}

// BenchmarkEnqueueBusy measures a job of a key whose goroutine is running.
func BenchmarkEnqueueBusy(b *testing.B) {
	g := newCounters(b, true)
	var done sync.WaitGroup
	job := func(context.Context, *counter) { done.Done() }
	b.ReportAllocs()
	for i := 0; i < b.N; {
		burst := min(b.N-i, 1000)
		done.Add(burst)
		for range burst {
			if err := g.Enqueue(1, job); err != nil {
				b.Fatal(err)
			}
		}
		done.Wait()
		i += burst
	}
}

// BenchmarkEnqueueIdle measures a job of a key without a goroutine, for which one is started.
func BenchmarkEnqueueIdle(b *testing.B) {
	g := newCounters(b, true)
	done := make(chan struct{})
	job := func(context.Context, *counter) { done <- struct{}{} }
	b.ReportAllocs()
	for b.Loop() {
		if err := g.Enqueue(1, job); err != nil {
			b.Fatal(err)
		}
		<-done
	}
}

// BenchmarkRunIdle measures a job that runs in the caller's goroutine.
func BenchmarkRunIdle(b *testing.B) {
	g := newCounters(b, true)
	job := func(context.Context, *counter) {}
	b.ReportAllocs()
	for b.Loop() {
		if ran, err := g.RunIdle(1, job); !ran {
			b.Fatal(err)
		}
	}
}

// BenchmarkEnqueueNew measures a job of a key whose state is created before the job and dropped after it.
func BenchmarkEnqueueNew(b *testing.B) {
	g := newCounters(b, false)
	done := make(chan struct{})
	job := func(context.Context, *counter) { done <- struct{}{} }
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := g.Enqueue(i, job); err != nil {
			b.Fatal(err)
		}
		<-done
	}
}

// TestEnqueueAllocations checks that jobs and marks of a busy key need no allocations.
func TestEnqueueAllocations(t *testing.T) {
	g := newCounters(t, true)
	const burst = 1000
	hold, done := make(chan struct{}), make(chan struct{})
	wait := func(context.Context, *counter) { <-hold }
	last := func(context.Context, *counter) { done <- struct{}{} }
	job := func(context.Context, *counter) {}
	run := func() {
		_ = g.Enqueue(1, wait)
		for range burst {
			_ = g.Enqueue(1, job)
			_ = g.Wake(1, 2)
		}
		hold <- struct{}{}
		_ = g.Enqueue(1, last)
		<-done
	}
	run()
	run() // both slices grow to their final size
	if got := testing.AllocsPerRun(20, run); got > 10 {
		t.Errorf("%v allocations for %d jobs and marks", got, burst)
	}
}
