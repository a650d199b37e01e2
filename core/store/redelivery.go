package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	keptFromSQL = `SELECT 0, stanza FROM offline WHERE account = ? AND stanza LIKE ? ORDER BY id DESC LIMIT 1000`

	archivedFromSQL = `SELECT seq, stanza FROM archive WHERE account = ? AND peer = ? ORDER BY seq DESC LIMIT 1000`
	unarchiveSQL    = `DELETE FROM archive WHERE seq = ?`
)

// Kept tells whether a message that may come again, since a crash left in doubt whether it
// had come, waits for its receiver. Where it does not, the archive forgets it: it comes anew.
func (s *Store) Kept(ctx context.Context, st *stanza.Stanza) (bool, error) {
	kept := false
	err := s.Write(ctx, func(tx *sql.Tx) error {
		account := st.To.Bare().String()
		offline, err := same(tx, st, keptFromSQL, account, "%"+st.ID+"%")
		if err != nil || len(offline) > 0 {
			kept = len(offline) > 0
			return err
		}
		archived, err := same(tx, st, archivedFromSQL, account, st.From.Bare().String())
		for _, seq := range archived {
			if _, err := tx.Exec(unarchiveSQL, seq); err != nil {
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
		var text string
		if err := rows.Scan(&seq, &text); err != nil {
			return nil, err
		}
		if had, err := decodeStanza(text); err == nil && had.ID == st.ID && had.From == st.From {
			found = append(found, seq)
		}
	}
	return found, rows.Err()
}
