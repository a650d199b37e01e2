package server

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrRestart is returned by Run when an administrator has ordered that the server starts again.
var ErrRestart = fmt.Errorf("an administrator restarts the server")

// errStop is the cause of a stop that an administrator has ordered.
var errStop = errors.New("an administrator stops the server")

// signals wake goroutines of Run. Sending one never blocks.
type signals struct {
	removed chan struct{}  // an account was marked as deleted
	stop    chan stopOrder // the last order counts
}

func newSignals() signals {
	return signals{removed: make(chan struct{}, 1), stop: make(chan stopOrder, 1)}
}

// stopOrder says when the server stops, and whether it starts again.
type stopOrder struct {
	after time.Duration
	again bool
}

// stopAfter stops or restarts the server after a delay. It replaces an earlier order, and does not block.
func (s *Server) stopAfter(after time.Duration, again bool) {
	for {
		select {
		case s.signals.stop <- stopOrder{after, again}:
			return
		default:
		}
		select {
		case <-s.signals.stop: // an older one, which nobody has taken yet
		default:
		}
	}
}

// awaitStop returns errStop or ErrRestart at the end of the delay of the last order, and nil when ctx ends.
func (s *Server) awaitStop(ctx context.Context) error {
	var end error
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-s.signals.stop:
			if end = errStop; o.again {
				end = ErrRestart
			}
			s.log.Warn("the server will stop", "after", o.after, "restart", o.again)
			timer.Reset(o.after)
		case <-timer.C:
			return end
		}
	}
}
