package mailbox

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// box is the mailbox of one key. All fields are guarded by the lock of the Group; state is
// replaced under it, and used without it by the key's goroutine.
type box[K comparable, S any] struct {
	g   *Group[K, S]
	key K

	state   S
	made    bool // Options.New has returned state
	loaded  bool // Options.Load has succeeded
	running bool
	jobs    []Job[S]
	spare   []Job[S] // an empty slice, to be used for the next jobs
	always  int      // of jobs, those from EnqueueAlways
	marks   Marks
	timers  map[*Timer]struct{}
	idle    *time.Timer // drops the state when it has been idle for IdleFor
	since   time.Time   // when the key became idle
	release *release[S] // not nil while Release drains the key
}

// batch is the work of one iteration of run.
type batch[S any] struct {
	state  S
	loaded bool
	jobs   []Job[S]
	always int
	marks  Marks
}

func (b *box[K, S]) empty() bool { return len(b.jobs) == 0 && b.marks == 0 }

// run is the key's goroutine. It ends when there is nothing left to do.
func (b *box[K, S]) run() {
	defer b.g.wait.Done()
	for {
		work, ok := b.take()
		if !ok {
			return
		}
		if !work.loaded && !b.load(work.state) {
			b.putBack(work)
			continue
		}
		b.do(work)
	}
}

// do runs a batch: the jobs, then Work.
func (b *box[K, S]) do(work batch[S]) {
	done := 0
	for _, job := range work.jobs {
		if b.g.ctx.Err() != nil {
			break
		}
		b.guard("job", func() { job(b.g.ctx, work.state) })
		done++
	}
	if w := b.g.opts.Work; w != nil && b.g.ctx.Err() == nil {
		b.guard("work", func() { w(b.g.ctx, work.state, work.marks) })
	}
	b.finish(work, done)
}

// take returns the queued work. False means that there is none and that the goroutine must end: running is
// already false.
func (b *box[K, S]) take() (batch[S], bool) {
	b.g.mu.Lock()
	defer b.g.mu.Unlock()
	if !b.continues() {
		return batch[S]{}, false
	}
	work := batch[S]{state: b.state, loaded: b.loaded, jobs: b.jobs, always: b.always, marks: b.marks}
	b.jobs, b.spare, b.always, b.marks = b.spare, nil, 0, 0
	return work, true
}

// continues reports whether there is more work. If there is none, it drops or hands over the state, and running is false. The
// caller holds the lock.
func (b *box[K, S]) continues() bool {
	g := b.g
	for b.empty() && g.ctx.Err() == nil {
		if b.release != nil {
			b.handOver()
			b.stopRunning()
			return false
		}
		if !b.evict() {
			b.stopRunning()
			return false
		}
	}
	if g.ctx.Err() != nil {
		b.stopRunning()
		return false
	}
	return true
}

// evict drops the state of a key without work if that is allowed. It returns true if
// it has released the lock in between, so that work may have arrived. The caller holds the lock.
func (b *box[K, S]) evict() (again bool) {
	g := b.g
	if !b.disposable() {
		return false
	}
	if b.loaded && g.opts.IdleFor != nil && !b.expired(g.opts.IdleFor(b.state)) {
		return false
	}
	if !b.loaded {
		if len(b.timers) == 0 {
			b.stopIdleTimer()
			delete(g.boxes, b.key)
		}
		return false
	}
	// The old state is unloaded completely before a new one is loaded.
	var none S
	old := b.state
	b.state, b.made, b.loaded, b.since = none, false, false, time.Time{}
	g.mu.Unlock()
	b.unload(old, true)
	g.mu.Lock()
	return true
}

// expired reports whether a key has been idle for at least keep; otherwise it starts a timer for the rest of that
// time. The caller holds the lock.
func (b *box[K, S]) expired(keep time.Duration) bool {
	now := time.Now()
	if b.since.IsZero() {
		b.since = now
	}
	left := keep - now.Sub(b.since)
	if left <= 0 {
		return true
	}
	if b.idle == nil {
		b.idle = time.AfterFunc(left, b.lookIdle)
	}
	return false
}

// lookIdle is called by the timer. It starts the key's goroutine, which drops the state or sets the timer again.
func (b *box[K, S]) lookIdle() {
	g := b.g
	g.mu.Lock()
	defer g.mu.Unlock()
	b.idle = nil
	if g.stopped || g.ctx.Err() != nil || g.boxes[b.key] != b || b.running {
		return // the goroutine sets another timer when it ends
	}
	g.start(b)
}

func (b *box[K, S]) stopIdleTimer() {
	if b.idle != nil {
		b.idle.Stop()
		b.idle = nil
	}
}

// stopRunning records that the goroutine ends. The caller holds the lock.
func (b *box[K, S]) stopRunning() {
	g := b.g
	b.running = false
	g.stats.Running--
	if g.stats.Running == 0 && g.drained != nil {
		close(g.drained)
		g.drained = nil
	}
}

// putBack puts a batch that could not be started back into the queue.
func (b *box[K, S]) putBack(work batch[S]) {
	g := b.g
	g.mu.Lock()
	defer g.mu.Unlock()
	b.jobs = append(work.jobs, b.jobs...)
	b.always += work.always
	b.marks |= work.marks
}

// finish updates the counts after a batch, of which done jobs were started, and keeps its slice for reuse.
func (b *box[K, S]) finish(work batch[S], done int) {
	g := b.g
	clear(work.jobs)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Queued -= len(work.jobs)
	g.stats.Always -= work.always
	g.stats.Dropped += int64(len(work.jobs) - done)
	b.since = time.Time{}
	if b.spare == nil && cap(work.jobs) <= maxSpare {
		b.spare = work.jobs[:0]
	}
}

// load calls Options.Load. After an error it pauses and returns false.
func (b *box[K, S]) load(state S) bool {
	pause := firstPause
	for {
		err := b.tryLoad(state)
		if err == nil {
			b.g.mu.Lock()
			b.loaded = true
			b.g.mu.Unlock()
			return true
		}
		if b.g.ctx.Err() != nil {
			return false
		}
		b.g.opts.Log.Error("state of a mailbox not loaded; retrying", b.g.opts.Name, b.key, "pause", pause, "error", err)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-b.g.ctx.Done():
			t.Stop()
			return false
		}
		pause = min(2*pause, longPause)
	}
}

func (b *box[K, S]) tryLoad(state S) error {
	if b.g.opts.Load == nil {
		return nil
	}
	err := errors.New("panic")
	b.guard("load", func() { err = b.g.opts.Load(b.g.ctx, b.key, state) })
	return err
}

func (b *box[K, S]) unload(state S, loaded bool) {
	if loaded && b.g.opts.Unload != nil {
		b.guard("unload", func() { b.g.opts.Unload(state) })
	}
}

// disposable reports whether there is no state, or Options.Disposable allows dropping it. The caller holds the lock.
func (b *box[K, S]) disposable() bool {
	return !b.made || b.g.opts.Disposable == nil || b.g.opts.Disposable(b.state)
}

// guard calls f and recovers from a panic, which ends only this step.
func (b *box[K, S]) guard(step string, f func()) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		g := b.g
		g.mu.Lock()
		g.stats.Panics++
		g.mu.Unlock()
		g.opts.Log.Error("panic in a mailbox", g.opts.Name, b.key, "step", step, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		if g.opts.Panicked != nil {
			g.opts.Panicked(b.key)
		}
	}()
	f()
}
