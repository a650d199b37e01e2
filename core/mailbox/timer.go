package mailbox

import "time"

// Timer is a job or a mark that is due later. Timers are not durable: Stop and Release drop them.
type Timer struct {
	timer *time.Timer
	stop  func() bool
}

// Stop cancels the timer. It returns false if the timer has fired or was stopped before.
func (t *Timer) Stop() bool { return t.stop() }

// EnqueueAfter queues a job, as EnqueueAlways does, when d has passed. The state of the key may
// be dropped and loaded again until then.
func (g *Group[K, S]) EnqueueAfter(key K, d time.Duration, job Job[S]) (*Timer, error) {
	return g.after(key, d, func(b *box[K, S]) {
		b.jobs = append(b.jobs, job)
		b.always++
		g.stats.Always++
		g.stats.Queued++
	})
}

// WakeAfter sets marks of a key when d has passed.
func (g *Group[K, S]) WakeAfter(key K, d time.Duration, marks Marks) (*Timer, error) {
	return g.after(key, d, func(b *box[K, S]) { b.marks |= marks })
}

func (g *Group[K, S]) after(key K, d time.Duration, fire func(b *box[K, S])) (*Timer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, err := g.box(key)
	if err != nil {
		return nil, err
	}
	t := &Timer{}
	// remove removes t from its mailbox; false if it was removed before. The caller holds the lock.
	remove := func() bool {
		_, pending := b.timers[t]
		delete(b.timers, t)
		return pending
	}
	t.stop = func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		t.timer.Stop()
		pending := remove()
		if pending && g.boxes[key] == b {
			g.dropUnused(b)
		}
		return pending
	}
	if b.timers == nil {
		b.timers = map[*Timer]struct{}{}
	}
	b.timers[t] = struct{}{}
	t.timer = time.AfterFunc(max(d, 0), func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if remove() && !g.stopped && g.ctx.Err() == nil {
			if !b.made {
				b.state, b.made = g.opts.New(key), true
			}
			fire(b)
			g.start(b)
		}
	})
	return t, nil
}
