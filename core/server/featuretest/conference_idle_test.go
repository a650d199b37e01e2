package featuretest

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
)

// Persistent rooms that nobody is in cost no more than their rows in the database. DRAGOMAN_TEST_ROOMS is the number of rooms.
func TestConferenceIdleRooms(t *testing.T) { // not parallel: it measures memory and goroutines
	count := 100
	if text := os.Getenv("DRAGOMAN_TEST_ROOMS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		count = n
	}
	const most, anyway = 1 << 10, 4 << 20 // bytes: of a room, and of caches that grow once
	s := startWith(t, func(c *config.Config) {
		c.Rooms.PerAccount, c.Rooms.Idle = count+10, config.Duration(10*time.Millisecond)
	}, "alice")
	alice := s.online(alicePC)
	visit := func(i int) {
		at := fmt.Sprintf("room%d@conference.example.org", i)
		alice.to(at, enters(at, "Al"), configures(at, "persistentroom", "1"), leaves(at, "Al"))
		alice.take()
	}
	visit(0)
	before, goroutines := heap(), runtime.NumGoroutine()
	for i := 1; i <= count; i++ {
		visit(i)
	}
	limit := int64(count*most + anyway)
	grown := func() int64 { return heap() - before }
	for end := time.Now().Add(patience); (grown() > limit || runtime.NumGoroutine() > goroutines+5) && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if got := grown(); got > limit {
		t.Errorf("%d rooms have taken %d bytes, more than %d", count, got, limit)
	} else {
		t.Logf("%d rooms have taken %d bytes", count, got)
	}
	if got := runtime.NumGoroutine(); got > goroutines+5 {
		t.Errorf("%d goroutines, and %d before", got, goroutines)
	}
	var rows int
	if err := s.store.Reader().QueryRow(`SELECT count(*) FROM rooms`).Scan(&rows); err != nil || rows != count+1 {
		t.Errorf("%d rooms are stored: %v", rows, err)
	}
	visit(count) // it is loaded again
}

// heap is what is in use after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
