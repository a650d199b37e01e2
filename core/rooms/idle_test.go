package rooms_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// heap is what is in use after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestIdleRoomMemory checks that persistent rooms that nobody is in cost nothing beside their rows after a while.
func TestIdleRoomMemory(t *testing.T) {
	const count, most = 10000, 512
	ctx := context.Background()
	store := &memoryStore{rooms: map[jid.JID]room.Snapshot{}}
	at := make([]jid.JID, count)
	for i := range at {
		at[i] = jid.MustParse(fmt.Sprintf("room%d@%s", i, domain))
		store.rooms[at[i]] = room.Snapshot{Config: rules.Config{Persistent: true}}
	}
	s := rooms.New(ctx, rooms.Options{
		Domain: domain, Policy: native{store}, Endpoint: discard{}, Store: store, Secret: []byte("secret"), IdleFor: time.Millisecond,
	})
	t.Cleanup(func() { s.Stop(ctx) })
	before, goroutines := heap(), runtime.NumGoroutine()
	who := jid.MustParse("user@example.org/phone")
	for _, address := range at {
		nick, err := address.WithResource("nick")
		if err != nil {
			t.Fatal(err)
		}
		s.Handle(stanza.NewPresence(nick, who, "", stanza.NewElement(muc.NS, "x")))
		s.Handle(stanza.NewPresence(nick, who, stanza.TypeUnavailable))
	}
	end := time.Now().Add(time.Minute)
	for s.Stats().Keys > 0 && time.Now().Before(end) {
		time.Sleep(10 * time.Millisecond)
	}
	if got := s.Stats().Keys; got > 0 {
		t.Fatalf("%d rooms are still in memory", got)
	}
	for runtime.NumGoroutine() > goroutines && time.Now().Before(end) {
		time.Sleep(10 * time.Millisecond)
	}
	if got := runtime.NumGoroutine(); got > goroutines {
		t.Errorf("%d goroutines more", got-goroutines)
	}
	if got := (heap() - before) / count; got > most {
		t.Errorf("%d bytes a room, more than %d", got, most)
	} else {
		t.Logf("%d bytes a room", got)
	}
	if len(store.rooms) != count {
		t.Errorf("%d of %d rooms are left", len(store.rooms), count)
	}
}
