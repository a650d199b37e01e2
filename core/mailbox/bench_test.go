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

// BenchmarkEnqueueBusy is a job of a key whose goroutine runs already, until it is done.
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

// BenchmarkEnqueueIdle is a job of a key without a goroutine: one is started for it.
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

// BenchmarkEnqueueNew is a job of a key whose state is made for it and dropped after it.
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

// TestEnqueueAllocations keeps jobs and marks of a busy key free of allocations.
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
	run() // both slices have their size now
	if got := testing.AllocsPerRun(20, run); got > 10 {
		t.Errorf("%v allocations for %d jobs and marks", got, burst)
	}
}
