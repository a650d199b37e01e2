package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/archives"
)

const keptFromSQL = `SELECT stanza FROM offline WHERE account = ? AND stanza LIKE ? ORDER BY id DESC LIMIT 1000`

// Kept tells whether a message that may come again, since a crash left in doubt whether it
// had come, waits for its receiver. Where it does not, the archive forgets it: it comes anew.
func (s *Store) Kept(ctx context.Context, st *stanza.Stanza) (bool, error) {
	kept := false
	account := st.To.Bare()
	err := s.archives.change(ctx, account, func(tx *sql.Tx, _ *archives.Writer) (err error) {
		if kept, err = isOffline(tx, account, st); kept || err != nil {
			return err
		}
		return archives.DeleteMessage(tx, account, st)
	})
	if err != nil {
		return false, fmt.Errorf("look for message %s of %s: %w", st.ID, st.To.Bare(), err)
	}
	return kept, nil
}

// isOffline reports whether a message of the same sender and id waits for an account.
func isOffline(tx *sql.Tx, account jid.JID, st *stanza.Stanza) (bool, error) {
	list, err := scan(context.Background(), tx, func(row scanner) (text string, err error) {
		err = row.Scan(&text)
		return text, err
	}, keptFromSQL, account.String(), "%"+st.ID+"%")
	for _, text := range list {
		if had, err := stanza.Parse(text); err == nil && had.ID == st.ID && had.From == st.From {
			return true, nil
		}
	}
	return false, err
}
