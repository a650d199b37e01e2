package mailbox

import "context"

// release is a key that is being given away.
type release[S any] struct {
	handOver func(state S)
	done     chan struct{}
	err      error // set before done is closed
}

// Release gives a key away: new jobs, marks and timers of the key are refused with ErrReleased,
// its pending timers are dropped, the jobs that wait are done, and then handOver gets the loaded
// state, in the key's goroutine, before Unload. Without a loaded state handOver is not called;
// it may be nil. Release returns when all of this is done; where ctx ends before, it continues in
// the background and may be waited for by another call. The key stays refused until Reclaim.
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

// Reclaim lets a key that was released be used again. It returns false while its release is not done.
func (g *Group[K, S]) Reclaim(key K) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b := g.boxes[key]; b != nil && b.release != nil {
		return false
	}
	delete(g.released, key)
	return true
}

// handOver ends the release of a key whose jobs are done. The lock is held, and is given up
// while the state is handed over.
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
