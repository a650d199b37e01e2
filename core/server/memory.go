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
	memorySpare = 4 << 20 // bytes that may lie about
)

// trimMemory gives memory back to the system when nothing is going on: after many logins at
// once the collector keeps twice what it needs, and with few allocations it would be minutes
// before it looks again.
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

// heap is what the collector has done and holds.
type heap struct {
	cycles  uint64 // of the collector
	live    uint64 // bytes in use after the last one
	held    uint64 // bytes that the system counts as ours
	trimmed bool   // since the last cycle
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

// idleSince reports that there was no collection since the last look, and that much could be
// given back.
func (h heap) idleSince(before heap) bool {
	return h.cycles == before.cycles && !before.trimmed && h.held > h.live+h.live/4+memorySpare
}
