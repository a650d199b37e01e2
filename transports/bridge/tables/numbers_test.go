package tables_test

import (
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// The numbers of a database whose rows were counted from 1 are below those that are given now; such rows
// are read and removed like others, and those of another gateway are left alone.
func TestCountedNumbers(t *testing.T) {
	t.Parallel()
	s := openEngine(t, storetest.URL(t))
	database, err := tables.Open(t.Context(), s)
	check(t, err)
	exec(t, s,
		`INSERT INTO bridge_gateways (id, domain) VALUES (7, 'echo.example.org'), (8, 'other.example.org')`,
		`INSERT INTO bridge_rooms (id, gateway, scope, key, room, kind, peer, name, topic, space, section, members, seen, seen_at, filled) VALUES
(1, 7, '', 'p', 'p', 'public', '', '', '', '', '', 0, '', 0, TRUE), (2, 8, '', 'p', 'p', 'public', '', '', '', '', '', 0, '', 0, TRUE)`,
		// 7<<40 is 7696581394432, 8<<40 is 8796093022208
		`INSERT INTO bridge_inbox (seq, room, account, key, kind, lane, place, data, at, state) VALUES
(7696581394433, 1, '', 'done', 'message', 0, 7696581394433, '', 5, 3), (7696581394434, 1, '', 'ready', 'message', 0, 7696581394434, '', 5, 1),
(7696581394435, 1, '', 'failed', 'message', 0, 7696581394435, '', 5, 2), (8796093022209, 2, '', 'done', 'message', 0, 8796093022209, '', 5, 3),
(8796093022210, 2, '', 'ready', 'message', 0, 8796093022210, '', 5, 1), (8796093022211, 2, '', 'failed', 'message', 0, 8796093022211, '', 5, 2)`)
	g, err := database.Gateway(t.Context(), domain)
	check(t, err)
	first, last, err := g.LastNumber(t.Context())
	check(t, err)
	if first != 7<<51 || last != first {
		t.Errorf("numbers begin at %d, the last one is %d", first, last)
	}
	next := first + 1
	_, err = g.Receive(t.Context(), []tables.Event{{Seq: next, Position: next, Room: 1, Key: "new", Kind: "message", Data: []byte{}}}, nil)
	check(t, err)
	check(t, g.Commit(t.Context(), &tables.Batch{
		Inbox:   tables.InboxBatch{Events: []tables.EventUpdate{{Seq: next, State: tables.EventReady, Position: next + 1}}},
		Archive: []tables.Archived{{Seq: next + 2 - tables.HistoryOffset, Room: 1, ID: "a"}},
	}))
	if _, last, err = g.LastNumber(t.Context()); err != nil || last != next+2 {
		t.Errorf("the last number is %d, want %d: %v", last, next+2, err)
	}
	ready, err := g.ReadyEvents(t.Context())
	check(t, err)
	if keys := keysOf(ready); !slices.Equal(keys, []string{"ready", "new"}) {
		t.Errorf("ready are %q", keys)
	}
	failed, err := g.FailedEvents(t.Context(), 10)
	check(t, err)
	if keys := keysOf(failed); !slices.Equal(keys, []string{"failed"}) {
		t.Errorf("failed are %q", keys)
	}
	check(t, g.MarkDelivered(t.Context(), []int64{next}))
	check(t, g.Prune(t.Context(), tables.Pruning{Now: time.Now(), Keys: time.Now()}))
	if n := count(t, s, `SELECT count(*) FROM bridge_inbox WHERE room = 1`); n != 2 {
		t.Errorf("%d events are left, want 2", n)
	}
	if n := count(t, s, `SELECT count(*) FROM bridge_inbox WHERE room = 2`); n != 3 {
		t.Errorf("%d events of the other gateway are left, want 3", n)
	}
}

func keysOf(events []tables.Event) (keys []string) {
	for _, e := range events {
		keys = append(keys, e.Key)
	}
	return keys
}
