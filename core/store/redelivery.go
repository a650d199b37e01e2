package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	keptFromSQL = `SELECT 0, stanza FROM offline WHERE account = ? AND stanza LIKE ? ORDER BY id DESC LIMIT 1000`

	archivedFromSQL = `SELECT e.place, m.message FROM archive_contacts c CROSS JOIN archive_entries e CROSS JOIN archive_messages m
WHERE m.number = e.message AND e.contact = c.contact AND e.archive = c.archive
AND e.place BETWEEN c.minute * 60000000 AND c.minute * 60000000 + 59999999
AND c.archive = ? AND c.contact = ? ORDER BY c.minute DESC, e.place DESC LIMIT 1000`
)

// Kept tells whether a message that may come again, since a crash left in doubt whether it
// had come, waits for its receiver. Where it does not, the archive forgets it: it comes anew.
func (s *Store) Kept(ctx context.Context, st *stanza.Stanza) (bool, error) {
	kept := false
	err := s.archives.change(ctx, st.To.Bare(), func(tx *sql.Tx, _ *archiveWriter) error {
		account := st.To.Bare()
		offline, err := same(tx, st, keptFromSQL, account.String(), "%"+st.ID+"%")
		if err != nil || len(offline) > 0 {
			kept = len(offline) > 0
			return err
		}
		a, err := readArchiveAccount(context.Background(), tx, account)
		if a == nil || err != nil {
			return err
		}
		archived, err := same(tx, st, archivedFromSQL, a.number, contactHash(st.From))
		for _, place := range archived {
			if err := deleteEntries(tx, a.number, place, place); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for message %s of %s: %w", st.ID, st.To.Bare(), err)
	}
	return kept, nil
}

// same lists the rows that hold a message of the same sender and id.
func same(tx *sql.Tx, st *stanza.Stanza, query string, args ...any) ([]int64, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []int64
	for rows.Next() {
		var seq int64
		var form []byte
		if err := rows.Scan(&seq, &form); err != nil {
			return nil, err
		}
		if had, err := parseArchived(form, st.To.Bare(), ""); err == nil && had.ID == st.ID && had.From == st.From {
			found = append(found, seq)
		}
	}
	return found, rows.Err()
}
