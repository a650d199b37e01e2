package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
)

// tellState writes what the process holds to the log whenever it gets SIGUSR1, until ctx
// ends: for an operator who wonders where the memory has gone.
func tellState(ctx context.Context, log *slog.Logger) {
	if len(stateSignals) == 0 {
		return
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, stateSignals...)
	defer signal.Stop(asked)
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
		}
		debug.FreeOSMemory() // what is no longer needed is not counted
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		log.Info("state", "goroutines", runtime.NumGoroutine(), "heap", m.HeapAlloc, "objects", m.HeapObjects, "held", m.Sys-m.HeapReleased)
	}
}
