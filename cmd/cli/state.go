package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
)

// logState writes what the process holds to the log whenever it gets SIGUSR1, until ctx
// ends: for an operator who wonders where the memory has gone.
func logState(ctx context.Context, log *slog.Logger) {
	if len(stateSignals) == 0 {
		return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, stateSignals...)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		debug.FreeOSMemory() // what is no longer needed is not counted
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		log.Info("state", "goroutines", runtime.NumGoroutine(), "heap", m.HeapAlloc, "objects", m.HeapObjects, "held", m.Sys-m.HeapReleased)
	}
}
