package mailbox

import "context"

// RunIdle runs a job in the caller's goroutine if the key has no work and its state needs no Load, and returns when the job, and Work after
// it, have ended. False means that the job was not run, and will not be: use Enqueue. Jobs that are queued meanwhile run after it, in the
// key's goroutine. For a job that its caller would wait for, this saves two switches between goroutines.
func (g *Group[K, S]) RunIdle(key K, job Job[S]) (ran bool, err error) {
	g.mu.Lock()
	if g.stopping {
		g.mu.Unlock()
		return false, ErrStopped
	}
	b, err := g.box(key)
	if err != nil || b.running || !b.loaded && g.opts.Load != nil {
		g.mu.Unlock()
		return false, err
	}
	b.loaded = true
	work := batch[S]{state: b.state, loaded: true, marks: b.marks}
	work.jobs = append(b.spare, func(ctx context.Context, state S) {
		ran = true
		job(ctx, state)
	})
	b.spare, b.marks = nil, 0
	g.stats.Queued++
	g.begin(b)
	g.mu.Unlock()

	b.do(work)

	g.mu.Lock()
	defer g.mu.Unlock()
	if b.continues() {
		go b.run()
		return ran, nil
	}
	g.wait.Done()
	if !ran {
		err = ErrStopped
	}
	return ran, err
}
