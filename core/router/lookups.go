package router

import (
	"context"
	"log/slog"
	"runtime/debug"

	"golang.org/x/sync/semaphore"
)

// maxLookups is the number of accounts that are looked up at the same time in goroutines of their own. Beyond it,
// senders do it in theirs: whoever causes more reads than the database answers has to wait.
const maxLookups = 64

// lookups are the goroutines that look accounts up.
type lookups struct {
	log     *slog.Logger
	running *semaphore.Weighted
}

func newLookups(log *slog.Logger) lookups {
	return lookups{log: log, running: semaphore.NewWeighted(maxLookups)}
}

// run calls f in a goroutine of its own. It returns false, and does not call f, if too many are running.
func (l lookups) run(f func()) bool {
	if !l.running.TryAcquire(1) {
		return false
	}
	go func() {
		defer l.running.Release(1)
		defer func() {
			if v := recover(); v != nil {
				l.log.Error("delivery to an account panicked", "panic", v, "stack", string(debug.Stack()))
			}
		}()
		f()
	}()
	return true
}

// AwaitLookups waits until the accounts that are being looked up have got the stanzas that were sent to them so far.
func (r *Router) AwaitLookups(ctx context.Context) error {
	if err := r.lookups.running.Acquire(ctx, maxLookups); err != nil {
		return err
	}
	r.lookups.running.Release(maxLookups)
	return nil
}
