package rooms

import (
	"database/sql"
	"log/slog"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const (
	beginSQL = `INSERT INTO room_archives (number, room) VALUES (1, NULL)`
	fillSQL  = `INSERT INTO room_messages (archive, position, id, message, nick, occupant, lang, extra, payload) WITH RECURSIVE messages (n) AS (
SELECT 1 UNION ALL SELECT n + 1 FROM messages WHERE n < ?) SELECT 1, n, 'id' || n, '', 'nick', 'occupant', '', '', '' FROM messages`
)

// A client that asks for the count alone gets it up to archive.MaxCount: beyond that no more is read, and it gets none (XEP-0059 §2.7).
func TestCountAlone(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	tables := New(s)
	const all = archive.MaxCount + 1
	err = s.Write(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.Exec(beginSQL); err != nil {
			return err
		}
		_, err := tx.Exec(fillSQL, all)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		f    archive.Filter
		want int
	}{
		{"one more than are counted", archive.Filter{}, paging.Unknown},
		{"as many as are counted", archive.Filter{Start: time.UnixMicro(2)}, archive.MaxCount},
		{"behind an id", archive.Filter{AfterID: "id1"}, archive.MaxCount},
		{"ten", archive.Filter{End: time.UnixMicro(10)}, 10},
	} {
		page, err := tables.Messages(t.Context(), 1, c.f, archive.Page{})
		if err != nil || page.Count != c.want || len(page.Messages) != 0 {
			t.Errorf("%s: count %d, not %d; %d messages, %v", c.name, page.Count, c.want, len(page.Messages), err)
		}
	}
}
