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
		if now.cycles == before.cycles {
			now.trimmed, now.most = now.trimmed || before.trimmed, max(now.most, before.most)
		}
		before = now
	}
}

// heap holds statistics of the garbage collector.
type heap struct {
	cycles  uint64 // completed collections
	live    uint64 // bytes in use after the last collection
	held    uint64 // bytes of the heap that the system has given to this process
	stacks  uint64 // bytes of the stacks of goroutines
	most    uint64 // of stacks since the last collection
	trimmed bool   // trimMemory has run since the last collection
}

func readHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
	}
	metrics.Read(s)
	value := func(i int) uint64 { return s[i].Value.Uint64() }
	return heap{cycles: value(0), live: value(1), held: value(2) + value(3) + value(4), stacks: value(5), most: value(5)}
}

// idleSince reports whether there was no collection since before, and enough memory to return. Goroutines that have ended since, which are
// those of sessions that are silent, leave some of it.
func (h heap) idleSince(before heap) bool {
	if h.cycles != before.cycles {
		return false
	}
	return !before.trimmed && h.held > h.live+h.live/4+memorySpare || before.most > h.stacks+memorySpare
}
