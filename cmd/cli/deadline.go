package cli

import (
	"context"
	"time"
)

// exitGrace is how much longer than server.shutdown the program may take to end.
const exitGrace = 2 * time.Second

// exitWhenLate calls exit if stop has not been called a time after ctx has ended. What ends a program waits for at most
// server.shutdown; this is for a call that does not return at all, of a disk or of a network's library.
func exitWhenLate(ctx context.Context, after time.Duration, exit func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		select {
		case <-time.After(after):
			exit()
		case <-done:
		}
	}()
	return func() { close(done) }
}
