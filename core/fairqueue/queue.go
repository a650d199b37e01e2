package fairqueue

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Errors of Enqueue. If one is returned the job does not run.
var (
	ErrFull    = errors.New("fairqueue: too many jobs wait")
	ErrRate    = errors.New("fairqueue: this key has had too many jobs in a minute")
	ErrStopped = errors.New("fairqueue: stopped")
)

// Limits of the keys that are remembered.
const (
	maxKeys    = 10_000
	pruneEvery = time.Minute
)

// Options describe a Queue. All but Rate, Now and Log are required.
type Options struct {
	AtOnce int // jobs that run at the same time
	PerKey int // jobs of one key that wait
	Total  int // jobs of all keys that wait
	// Rate returns how many jobs one key may have in a minute, a third of them at once; 0, or a nil function, is no limit.
	Rate func() int
	Now  func() time.Time // nil is time.Now
	Log  *slog.Logger     // nil is slog.Default()
}

// Queue runs jobs. Its methods may be called by any goroutine.
type Queue[K comparable] struct {
	opts   Options
	ctx    context.Context // passed to the jobs
	cancel context.CancelFunc

	mu      sync.Mutex
	keys    map[K]*key
	ready   []K // that have a job and none that runs, the one that has waited longest first
	waiting int
	running int
	stopped bool
	pruned  time.Time
	wait    sync.WaitGroup
}

// key has the jobs of one key.
type key struct {
	jobs []func(context.Context)
	busy bool
	used float64 // jobs that count against Rate, at the time at
	at   time.Time
}

// New returns a queue. Its jobs are ended when ctx ends, but the caller must call Stop too.
func New[K comparable](ctx context.Context, opts Options) *Queue[K] {
	if opts.AtOnce <= 0 || opts.PerKey <= 0 || opts.Total <= 0 {
		panic("fairqueue: AtOnce, PerKey and Total are needed")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	q := &Queue[K]{opts: opts, keys: map[K]*key{}, pruned: opts.Now()}
	q.ctx, q.cancel = context.WithCancel(ctx)
	return q
}

// Enqueue queues a job. It does not block.
func (q *Queue[K]) Enqueue(of K, job func(context.Context)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped || q.ctx.Err() != nil {
		return ErrStopped
	}
	now := q.opts.Now()
	k := q.keys[of]
	if k == nil {
		q.prune(now)
		if len(q.keys) >= maxKeys {
			return ErrFull
		}
		k = &key{at: now}
	}
	if len(k.jobs) >= q.opts.PerKey || q.waiting >= q.opts.Total {
		return ErrFull
	}
	if !k.count(now, q.rate()) {
		return ErrRate
	}
	q.keys[of] = k
	k.jobs = append(k.jobs, job)
	q.waiting++
	if !k.busy && len(k.jobs) == 1 {
		q.ready = append(q.ready, of)
		if q.running < q.opts.AtOnce {
			q.running++
			q.wait.Add(1)
			go q.work()
		}
	}
	return nil
}

func (q *Queue[K]) rate() float64 {
	if q.opts.Rate == nil {
		return 0
	}
	return float64(q.opts.Rate())
}

// count counts a job and reports whether the key may have it.
func (k *key) count(now time.Time, perMinute float64) bool {
	if perMinute <= 0 {
		k.used, k.at = 0, now
		return true
	}
	k.forget(now, perMinute)
	if k.used+1 > max(1, perMinute/3) {
		return false
	}
	k.used++
	return true
}

// forget subtracts the jobs that the rate has permitted since the last call.
func (k *key) forget(now time.Time, perMinute float64) {
	k.used = max(0, k.used-now.Sub(k.at).Minutes()*perMinute)
	k.at = now
}

// prune forgets keys that have no jobs and may have all that the rate permits.
func (q *Queue[K]) prune(now time.Time) {
	if now.Sub(q.pruned) < pruneEvery && len(q.keys) < maxKeys {
		return
	}
	q.pruned = now
	perMinute := q.rate()
	for of, k := range q.keys {
		if k.forget(now, perMinute); !k.busy && len(k.jobs) == 0 && (perMinute <= 0 || k.used == 0) {
			delete(q.keys, of)
		}
	}
}

// work runs jobs until none is ready.
func (q *Queue[K]) work() {
	defer q.wait.Done()
	for {
		q.mu.Lock()
		if len(q.ready) == 0 || q.ctx.Err() != nil {
			q.running--
			q.mu.Unlock()
			return
		}
		of := q.ready[0]
		q.ready = q.ready[1:]
		k := q.keys[of]
		job := k.jobs[0]
		k.jobs, k.busy = k.jobs[1:], true
		q.waiting--
		q.mu.Unlock()
		q.run(job)
		q.mu.Lock()
		if k.busy = false; len(k.jobs) > 0 {
			q.ready = append(q.ready, of)
		}
		q.mu.Unlock()
	}
}

func (q *Queue[K]) run(job func(context.Context)) {
	defer func() {
		if v := recover(); v != nil {
			q.opts.Log.Error("panic in a queued job", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	job(q.ctx)
}

// Stop ends the context of the jobs and waits for those that run. Those that wait do not run.
func (q *Queue[K]) Stop() {
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	q.cancel()
	q.wait.Wait()
}
