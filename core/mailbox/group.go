package mailbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Limits and times.
const (
	// DefaultLimit is how many jobs may wait for one key.
	DefaultLimit = 1000

	firstPause = 100 * time.Millisecond // after the first failed Load
	longPause  = 10 * time.Second       // the longest pause; each is twice as long as the one before
	maxSpare   = 1024                   // capacity, in jobs, of a slice that is kept for reuse
)

// Errors of the Enqueue, Wake and Update methods. If one is returned nothing was queued.
var (
	ErrFull     = errors.New("mailbox: too many jobs wait for this key")
	ErrReleased = errors.New("mailbox: this key has been released")
	ErrStopped  = errors.New("mailbox: stopped")
)

// Job is one thing to do with the state of a key. It runs in the key's goroutine, or in that of the caller of RunIdle. It may
// enqueue further jobs, for its own key too, but must call neither Release for its own key nor Stop.
type Job[S any] func(ctx context.Context, state S)

// Marks are bits whose meaning the caller defines.
type Marks uint32

// Has reports whether any bit of m is set.
func (m Marks) Has(bits Marks) bool { return m&bits != 0 }

// Options describe a Group. Only New is required.
type Options[K comparable, S any] struct {
	// New returns the empty state of a key. It runs under the lock of the Group.
	New func(key K) S
	// Load fills the state before the first job. After an error it is called again.
	Load func(ctx context.Context, key K, state S) error
	// Work runs after each batch of jobs, and when marks were set; marks may be 0.
	Work func(ctx context.Context, state S, marks Marks)
	// Disposable reports whether the state of a key without work may be dropped; nil means always.
	// It runs under the lock of the Group.
	Disposable func(state S) bool
	// Unload is called for a state that is dropped, if Load has succeeded for it.
	Unload func(state S)
	// IdleFor returns how long a disposable state is kept for the next use; nil, or 0, means not at all.
	// It runs under the lock of the Group.
	IdleFor func(state S) time.Duration

	Limit int          // jobs that wait for one key; 0 is DefaultLimit
	Name  string       // of the kind of key, for the log, such as "room"
	Log   *slog.Logger // nil is slog.Default()
	// Panicked is called after each panic was logged, to count it.
	Panicked func(key K)
}

// Group is a set of mailboxes, one for each key in use.
type Group[K comparable, S any] struct {
	opts   Options[K, S]
	ctx    context.Context // passed to the jobs; when it ends, all goroutines end
	cancel context.CancelFunc

	mu       sync.Mutex
	boxes    map[K]*box[K, S]
	released map[K]bool // refused until Reclaim
	stopping bool       // Enqueue is refused
	stopped  bool       // everything is refused
	drained  chan struct{}
	stats    Stats
	wait     sync.WaitGroup
}

// Stats are counts of a Group at one moment.
type Stats struct {
	Keys    int   // that have a state, a job, a mark or a timer
	Running int   // goroutines
	Queued  int   // jobs that wait or run
	Always  int   // of these, jobs from EnqueueAlways and timers
	Panics  int64 // since the start
	Dropped int64 // jobs that did not run because of Stop or the end of the context
}

// New returns a Group. When ctx ends, its work ends as by Stop with an ended context, but the caller must call Stop too.
func New[K comparable, S any](ctx context.Context, opts Options[K, S]) *Group[K, S] {
	if opts.New == nil {
		panic("mailbox: Options.New is needed")
	}
	if opts.Limit <= 0 {
		opts.Limit = DefaultLimit
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Name == "" {
		opts.Name = "key"
	}
	g := &Group[K, S]{opts: opts, boxes: map[K]*box[K, S]{}, released: map[K]bool{}}
	g.ctx, g.cancel = context.WithCancel(ctx)
	return g
}

// Enqueue queues a job. It returns ErrFull if Limit jobs are queued already.
func (g *Group[K, S]) Enqueue(key K, job Job[S]) error { return g.enqueue(key, job, false) }

// EnqueueAlways queues a job that must not be lost, such as the outcome of a call, without regard to
// Limit. The caller must bound the number of such jobs; Stats counts them.
func (g *Group[K, S]) EnqueueAlways(key K, job Job[S]) error { return g.enqueue(key, job, true) }

func (g *Group[K, S]) enqueue(key K, job Job[S], always bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping && !always {
		return ErrStopped
	}
	b, err := g.box(key)
	switch {
	case err != nil:
		return err
	case always:
		b.always++
		g.stats.Always++
	case len(b.jobs) >= g.opts.Limit:
		return ErrFull
	}
	b.jobs = append(b.jobs, job)
	g.stats.Queued++
	g.start(b)
	return nil
}

// Wake sets marks of a key and makes Work run.
func (g *Group[K, S]) Wake(key K, marks Marks) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, err := g.box(key)
	if err != nil {
		return err
	}
	b.marks |= marks
	g.start(b)
	return nil
}

// WakeAll sets marks of every key that is in use.
func (g *Group[K, S]) WakeAll(marks Marks) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped || g.ctx.Err() != nil {
		return
	}
	for _, b := range g.boxes {
		if b.release == nil {
			b.marks |= marks
			g.start(b)
		}
	}
}

// Update immediately calls change with the state of a key, which may not be loaded yet, under
// the lock of the Group. If change returns true, the marks are set and the key's goroutine is started. If
// it returns false, nothing is started, but a state that has become disposable is dropped. change may
// access only those fields of the state that a lock of the state guards, because a job may run at the
// same time.
func (g *Group[K, S]) Update(key K, marks Marks, change func(state S) bool) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, err := g.box(key)
	if err != nil {
		return false, err
	}
	if !change(b.state) {
		g.dropUnused(b)
		return false, nil
	}
	b.marks |= marks
	g.start(b)
	return true, nil
}

// Keys returns the keys in use, in no particular order.
func (g *Group[K, S]) Keys() []K {
	g.mu.Lock()
	defer g.mu.Unlock()
	keys := make([]K, 0, len(g.boxes))
	for k := range g.boxes {
		keys = append(keys, k)
	}
	return keys
}

// Stopped returns a channel that is closed when no more jobs are started: by Stop, or when the context given to New ends.
func (g *Group[K, S]) Stopped() <-chan struct{} { return g.ctx.Done() }

// Stats returns the counts of the Group.
func (g *Group[K, S]) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Keys = len(g.boxes)
	return s
}

// box returns the mailbox of a key and creates it if there is none. The caller holds the lock.
func (g *Group[K, S]) box(key K) (*box[K, S], error) {
	if g.stopped || g.ctx.Err() != nil {
		return nil, ErrStopped
	}
	b := g.boxes[key]
	switch {
	case b != nil && b.release == nil:
	case b != nil || g.released[key]:
		return nil, ErrReleased
	default:
		b = &box[K, S]{g: g, key: key}
		g.boxes[key] = b
	}
	if !b.made {
		b.state, b.made = g.opts.New(key), true
	}
	return b, nil
}

// start starts the goroutine of a key if it is not running. The caller holds the lock.
func (g *Group[K, S]) start(b *box[K, S]) {
	if b.running {
		return
	}
	g.begin(b)
	go b.run()
}

// begin records that a goroutine does the work of a key. The caller holds the lock.
func (g *Group[K, S]) begin(b *box[K, S]) {
	b.running = true
	g.stats.Running++
	g.wait.Add(1)
}

// dropUnused drops a mailbox without work, and its state. The caller holds the lock.
func (g *Group[K, S]) dropUnused(b *box[K, S]) {
	switch {
	case b.running || !b.disposable():
	case b.loaded:
		g.start(b) // the goroutine unloads it
	case len(b.timers) == 0:
		delete(g.boxes, b.key)
	}
}

// Stop ends the Group. Enqueue returns ErrStopped from now on. Queued jobs run until
// ctx ends; then Stop ends the context of the jobs, waits for the goroutines, and drops and counts the
// remaining jobs. At the end it unloads every loaded state.
func (g *Group[K, S]) Stop(ctx context.Context) {
	g.mu.Lock()
	g.stopping = true
	var drained chan struct{}
	if g.stats.Running > 0 && !g.stopped {
		if g.drained == nil {
			g.drained = make(chan struct{})
		}
		drained = g.drained
	}
	g.mu.Unlock()
	if drained != nil {
		select {
		case <-drained:
		case <-ctx.Done():
		case <-g.ctx.Done():
		}
	}
	g.mu.Lock()
	g.stopped = true
	g.mu.Unlock()
	g.cancel()
	g.wait.Wait()
	g.unloadAll()
}

func (g *Group[K, S]) unloadAll() {
	g.mu.Lock()
	left := g.boxes
	g.boxes = map[K]*box[K, S]{}
	for _, b := range left {
		for t := range b.timers {
			t.timer.Stop()
		}
		if b.idle != nil {
			b.idle.Stop()
		}
		g.stats.Dropped += int64(len(b.jobs))
		g.stats.Queued -= len(b.jobs)
		g.stats.Always -= b.always
		if b.release != nil {
			b.release.err = ErrStopped
			close(b.release.done)
		}
	}
	g.mu.Unlock()
	for _, b := range left {
		b.unload(b.state, b.loaded)
	}
}
