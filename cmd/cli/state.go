package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
)

// logState logs memory use and the number of goroutines at each SIGUSR1, until ctx ends.
func logState(ctx context.Context, log *slog.Logger) {
	if len(stateSignals) == 0 {
		return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, stateSignals...) // not taken back: without a receiver the signal would kill the process while it stops
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		debug.FreeOSMemory() // so that unused memory is not counted
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		log.Info("state", "goroutines", runtime.NumGoroutine(), "heap", m.HeapAlloc, "objects", m.HeapObjects, "held", m.Sys-m.HeapReleased)
	}
}
