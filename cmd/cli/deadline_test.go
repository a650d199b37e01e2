package cli

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestExitWhenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var exits atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		stop := exitWhenLate(ctx, time.Minute, func() { exits.Add(1) })
		time.Sleep(time.Hour)
		cancel()
		time.Sleep(time.Minute - 1)
		if synctest.Wait(); exits.Load() != 0 {
			t.Error("exit before the time")
		}
		time.Sleep(time.Nanosecond)
		if synctest.Wait(); exits.Load() != 1 {
			t.Error("no exit at the time")
		}
		stop()

		stop = exitWhenLate(ctx, time.Minute, func() { exits.Add(1) })
		time.Sleep(time.Second)
		stop()
		time.Sleep(time.Hour)
		if exits.Load() != 1 {
			t.Error("exit although the program has ended")
		}
	})
}
