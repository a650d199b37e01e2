package server

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	memoryTick  = time.Second
	memorySpare = 4 << 20 // unused bytes that are not worth a collection
)

// trimMemory returns memory to the system while the server is idle. After a burst of logins the collector
// holds twice the memory it needs, and with few allocations it would not run again for minutes.
func trimMemory(ctx context.Context) error {
	t := time.NewTicker(memoryTick)
	defer t.Stop()
	before := heap{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		now := readHeap()
		if now.idleSince(before) {
			runtime.GC() // each collection halves stacks that are too large
			debug.FreeOSMemory()
			now = readHeap()
			now.trimmed = true
		}
		now.trimmed = now.trimmed || before.trimmed && now.cycles == before.cycles
		before = now
	}
}

// heap holds statistics of the garbage collector.
type heap struct {
	cycles  uint64 // completed collections
	live    uint64 // bytes in use after the last collection
	held    uint64 // bytes of the heap that the system has given to this process
	trimmed bool   // trimMemory has run since the last collection
}

func readHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(s)
	return heap{cycles: s[0].Value.Uint64(), live: s[1].Value.Uint64(), held: s[2].Value.Uint64() + s[3].Value.Uint64() + s[4].Value.Uint64()}
}

// idleSince reports whether there was no collection since before, and enough memory to return.
func (h heap) idleSince(before heap) bool {
	return h.cycles == before.cycles && !before.trimmed && h.held > h.live+h.live/4+memorySpare
}
