package tables_test

import (
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Files go with their message, and those that an edit has taken away with the edit, in whatever order the changes are committed.
func TestMediaGoWithTheirMessages(t *testing.T) {
	t.Parallel()
	database, err := tables.Open(t.Context(), openEngine(t, storetest.URL(t)))
	check(t, err)
	g, err := database.Gateway(t.Context(), domain)
	check(t, err)
	room, err := g.PutRoom(t.Context(), tables.Room{Key: "plaza", Net: "plaza"})
	check(t, err)
	now := time.Now()
	file := func(id string, net transports.MessageID) tables.Media {
		return tables.Media{ID: id, Room: room.ID, Net: net, Ref: id, Name: "x", At: now}
	}
	of := func(net transports.MessageID) []tables.Deletion {
		return []tables.Deletion{{Room: room.ID, Net: []transports.MessageID{net}}}
	}
	commit := func(list ...tables.MessageBatch) {
		var all tables.Batch
		for _, m := range list {
			all.Append(&tables.Batch{Messages: m})
		}
		check(t, g.Commit(t.Context(), &all))
	}
	expect := func(what string, want map[string]bool) {
		t.Helper()
		for id, there := range want {
			if _, ok, err := database.Media(t.Context(), id); ok != there || err != nil {
				t.Errorf("%s: file %s: %v %v", what, id, ok, err)
			}
		}
	}
	commit(tables.MessageBatch{Media: []tables.Media{file("a", "1"), file("b", "1"), file("c", "2")}})
	commit(tables.MessageBatch{MediaReplaced: of("1"), Media: []tables.Media{file("b", "1")}})
	expect("an edit", map[string]bool{"a": false, "b": true, "c": true})
	commit(
		tables.MessageBatch{Media: []tables.Media{file("d", "3"), file("e", "3")}},
		tables.MessageBatch{MediaReplaced: of("3"), Media: []tables.Media{file("e", "3")}},
		tables.MessageBatch{MediaReplaced: of("2")},
	)
	expect("an edit in the same transaction", map[string]bool{"c": false, "d": false, "e": true})
	commit(tables.MessageBatch{Media: []tables.Media{file("f", "4")}}, tables.MessageBatch{Deleted: of("4")}, tables.MessageBatch{Deleted: of("3")})
	expect("deleted", map[string]bool{"b": true, "e": false, "f": false})
	check(t, g.Prune(t.Context(), tables.Pruning{Now: now, Keys: now, Archive: now.Add(time.Minute)}))
	expect("expired", map[string]bool{"b": false})
}
