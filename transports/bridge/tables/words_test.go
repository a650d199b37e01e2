package tables_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// A search in a room finds its live messages and those of its history, whatever part of them is indexed, and no retracted one.
func TestSearchOfRoom(t *testing.T) {
	t.Parallel()
	g, room := openRoom(t)
	first, _, err := g.LastNumber(t.Context())
	check(t, err)
	begin := time.Now().Add(-time.Hour)
	var rows []tables.Archived
	for i := range 3000 {
		seq := first + int64(i) + 1
		if i < 1200 { // history
			seq -= tables.HistoryOffset
		}
		text := "hay and more"
		if i%500 == 7 {
			text = "a Needle"
		}
		rows = append(rows, tables.Archived{Seq: seq, Room: room.ID, ID: fmt.Sprint("m", i), At: begin.Add(time.Duration(i) * time.Second), Payload: "<body>" + text + "</body>"})
	}
	words, err := search.Parse("needle")
	check(t, err)
	found := func(backwards bool) (ids []string) {
		t.Helper()
		p := archive.Page{Max: 2, Backwards: backwards}
		for {
			page, err := g.ReadArchive(t.Context(), room.ID, archive.Filter{Words: &words}, p)
			check(t, err)
			var some []string
			for _, row := range page.Rows {
				some = append(some, row.ID)
			}
			if backwards {
				ids = append(some, ids...)
			} else {
				ids = append(ids, some...)
			}
			if page.Complete {
				return ids
			}
			if p.After = some[len(some)-1]; backwards {
				p.After, p.Before = "", some[0]
			}
		}
	}
	want := []string{"m7", "m507", "m1007", "m1507", "m2007", "m2507"}
	ask := func(what string) {
		t.Helper()
		for _, backwards := range []bool{false, true} {
			if got := found(backwards); !slices.Equal(got, want) {
				t.Errorf("%s, backwards %v: %v, want %v", what, backwards, got, want)
			}
		}
	}
	check(t, g.Commit(t.Context(), &tables.Batch{Archive: rows[:2700]}))
	ask("not indexed")
	check(t, g.IndexWords(t.Context(), true))
	ask("indexed")
	check(t, g.Commit(t.Context(), &tables.Batch{Archive: rows[2700:]}))
	check(t, g.Commit(t.Context(), &tables.Batch{Archive: []tables.Archived{{Room: room.ID, Retract: "m507"}, {Room: room.ID, Retract: "m2007"}}}))
	want = []string{"m7", "m1007", "m1507", "m2507"}
	ask("retracted")
	check(t, g.IndexWords(t.Context(), false))
	ask("indexed again")
}
