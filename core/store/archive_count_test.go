package store

import (
	"database/sql"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/paging"
)

// copies are as many further entries as ?, each of the first one's message, at the positions 1 and above. All are in the first minute of 1970.
const (
	copiesSQL = `INSERT INTO archive_entries (archive, position, contact, message) WITH RECURSIVE copies (n) AS (
SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?)
SELECT archive, n, contact, message FROM copies CROSS JOIN (SELECT * FROM archive_entries ORDER BY position LIMIT 1) AS first`
	copiesMinuteSQL = `INSERT INTO archive_contacts (archive, contact, minute) SELECT archive, contact, 0 FROM archive_entries ORDER BY position LIMIT 1`
)

// A client that asks for the count alone gets it up to archive.MaxCount: beyond that no more is read, and it gets none (XEP-0059 §2.7).
func TestCountAlone(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	archived(t, s) // 4 of 6 are bob's, the first one too
	count := func(f archive.Filter, want int) {
		t.Helper()
		r, err := s.Query(t.Context(), alice, f, archive.Page{})
		if err != nil || r.Count != want || r.Complete || len(r.Entries) != 0 {
			t.Errorf("%+v: count %d, not %d; complete %v, %d entries, %v", f, r.Count, want, r.Complete, len(r.Entries), err)
		}
	}
	add := func(n int) {
		t.Helper()
		err := s.Write(t.Context(), func(tx *sql.Tx) error {
			if _, err := tx.Exec(copiesMinuteSQL); err != nil {
				return err
			}
			_, err := tx.Exec(copiesSQL, n)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	count(archive.Filter{}, 6)
	add(archive.MaxCount - 5)
	count(archive.Filter{}, paging.Unknown) // one more than are counted
	early := time.UnixMicro(archive.MaxCount - 5)
	count(archive.Filter{End: early}, archive.MaxCount-5)
	count(archive.Filter{End: early.Add(-time.Microsecond)}, archive.MaxCount-6)
	count(archive.Filter{Start: early}, 7)
	count(archive.Filter{With: bob}, archive.MaxCount-1)
}
