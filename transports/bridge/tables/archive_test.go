package tables_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// An id that a room may have given out is a position in its archive, whether or not its entry is there: entries
// become too old, and clients come back after that.
func TestRoomArchiveIDIsPosition(t *testing.T) {
	t.Parallel()
	g, room := openRoom(t)
	first, _, err := g.LastNumber(t.Context())
	check(t, err)
	begin := time.Now().Add(-time.Hour)
	b := &tables.Batch{}
	for i, id := range []string{"a", "b", "c"} {
		at := begin.Add(time.Duration(i) * 10 * time.Minute)
		b.Archive = append(b.Archive, tables.Archived{Seq: first + int64(i) + 1, Room: room.ID, ID: id, At: at, Payload: "<body>x</body>"})
	}
	check(t, g.Commit(t.Context(), b))
	at := func(minutes int) string {
		return storetest.IDAt(begin.Add(time.Duration(minutes) * time.Minute)).String()
	}
	for _, c := range []struct{ name, id, after, before string }{
		{"in the archive", "b", "c", "a"},
		{"between", at(15), "c", "a b"},
		{"older than all", at(-1000), "a b c", ""},
		{"newer than all", at(50), "", "a b c"},
		{"of tomorrow", at(2000), "no entry", "no entry"},
		{"of a message of the network that was deleted", convert.Hash("x"), "a b c", ""},
		{"of another server", "1234567890", "no entry", "no entry"},
		{"hostile", "' OR 1=1 --", "no entry", "no entry"},
	} {
		ask := func(f archive.Filter, p archive.Page) string {
			p.Max = 10
			page, err := g.ReadArchive(t.Context(), room.ID, f, p)
			if errors.Is(err, archive.ErrNoEntry) {
				return "no entry"
			}
			check(t, err)
			var ids []string
			for _, row := range page.Rows {
				ids = append(ids, row.ID)
			}
			return strings.Join(ids, " ")
		}
		for what, got := range map[string][2]string{
			"after":     {ask(archive.Filter{}, archive.Page{After: c.id}), c.after},
			"before":    {ask(archive.Filter{}, archive.Page{Before: c.id, Backwards: true}), c.before},
			"after-id":  {ask(archive.Filter{AfterID: c.id}, archive.Page{}), c.after},
			"before-id": {ask(archive.Filter{BeforeID: c.id}, archive.Page{}), c.before},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %s: %q, want %q", c.name, what, got[0], got[1])
			}
		}
	}
}
