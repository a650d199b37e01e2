package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
)

// atSignal calls do at each of the signals until ctx ends.
func atSignal(ctx context.Context, list []os.Signal, do func()) {
	if len(list) == 0 {
		return // without a list Notify would take all signals
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, list...) // not taken back: without a receiver the signal would kill the process while it stops
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			do()
		}
	}
}

// logState logs memory use and the number of goroutines.
func logState(log *slog.Logger) {
	debug.FreeOSMemory() // so that unused memory is not counted
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	log.Info("state", "goroutines", runtime.NumGoroutine(), "heap", m.HeapAlloc, "objects", m.HeapObjects, "held", m.Sys-m.HeapReleased)
}
