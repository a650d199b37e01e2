package mailbox

import "context"

// release is the state of a call of Release.
type release[S any] struct {
	handOver func(state S)
	done     chan struct{}
	err      error // set before done is closed
}

// Release ends the use of a key, so that another node can take it over. New jobs, marks and timers of the key are
// refused with ErrReleased, its pending timers are dropped, queued jobs run, and then handOver is called with the loaded
// state, in the key's goroutine, before Unload. handOver may be nil; it is not called without a loaded
// state. Release returns when all of this is done. If ctx ends before, the release continues in
// the background and another call can wait for it. The key is refused until Reclaim.
func (g *Group[K, S]) Release(ctx context.Context, key K, handOver func(state S)) error {
	g.mu.Lock()
	if g.stopped || g.ctx.Err() != nil {
		g.mu.Unlock()
		return ErrStopped
	}
	g.released[key] = true
	b := g.boxes[key]
	if b == nil {
		g.mu.Unlock()
		return nil
	}
	if b.release == nil {
		b.release = &release[S]{handOver: handOver, done: make(chan struct{})}
		for t := range b.timers {
			t.timer.Stop()
		}
		b.timers = nil
		b.stopIdleTimer()
		g.start(b)
	}
	r := b.release
	g.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Reclaim allows the use of a released key again. It returns false while its release is not done.
func (g *Group[K, S]) Reclaim(key K) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b := g.boxes[key]; b != nil && b.release != nil {
		return false
	}
	delete(g.released, key)
	return true
}

// handOver ends the release of a key whose jobs are done. The caller holds the lock; handOver unlocks it
// during the callback and Unload.
func (b *box[K, S]) handOver() {
	g := b.g
	state, loaded := b.state, b.loaded
	b.loaded = false
	g.mu.Unlock()
	if loaded && b.release.handOver != nil {
		b.guard("release", func() { b.release.handOver(state) })
	}
	b.unload(state, loaded)
	g.mu.Lock()
	delete(g.boxes, b.key)
	close(b.release.done)
}
