package router

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"
)

// maxLookups is the number of accounts that are looked up at the same time in goroutines of their own. Beyond it,
// senders do it in theirs: whoever causes more reads than the database answers has to wait.
const maxLookups = 64

// lookupWait is how long a sender waits for the look-up that its stanza has caused: where the database is as quick as usual, the
// answers come in the order of the requests.
const lookupWait = 100 * time.Millisecond

// lookups are the goroutines that look accounts up.
type lookups struct {
	log     *slog.Logger
	running *semaphore.Weighted
}

func newLookups(log *slog.Logger) lookups {
	return lookups{log: log, running: semaphore.NewWeighted(maxLookups)}
}

// run calls f in a goroutine of its own, and waits for its end or for lookupWait. If too many are running it calls f itself.
func (l lookups) run(f func()) {
	if !l.running.TryAcquire(1) {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer l.running.Release(1)
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				l.log.Error("delivery to an account panicked", "panic", v, "stack", string(debug.Stack()))
			}
		}()
		f()
	}()
	late := time.NewTimer(lookupWait)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	}
}

// AwaitLookups waits until the accounts that are being looked up have got the stanzas that were sent to them so far.
func (r *Router) AwaitLookups(ctx context.Context) error {
	if err := r.lookups.running.Acquire(ctx, maxLookups); err != nil {
		return err
	}
	r.lookups.running.Release(maxLookups)
	return nil
}
