package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/archives"
)

const offlineLikeSQL = `SELECT stanza FROM offline WHERE account = ? AND stanza LIKE ? ESCAPE '\' ORDER BY id DESC LIMIT 1000`

// PrepareRedelivery is called for a message that a gateway may have delivered before a crash. It reports
// whether the message waits in offline storage, so that it must not be delivered again. Where it does
// not, its entry in the receiver's archive is deleted, as the message will be archived again.
func (s *Store) PrepareRedelivery(ctx context.Context, st *stanza.Stanza) (bool, error) {
	waits := false
	account := st.To.Bare()
	err := s.archives.change(ctx, account, func(tx *sql.Tx, _ *archives.Writer) (err error) {
		if waits, err = isOffline(tx, account, st); waits || err != nil {
			return err
		}
		return archives.DeleteMessage(tx, account, st)
	})
	if err != nil {
		return false, fmt.Errorf("look for message %s of %s: %w", st.ID, st.To.Bare(), err)
	}
	return waits, nil
}

// isOffline reports whether a message of the same sender and id waits for an account.
func isOffline(tx *sql.Tx, account jid.JID, st *stanza.Stanza) (bool, error) {
	list, err := scan(context.Background(), tx, func(row scanner) (text string, err error) {
		err = row.Scan(&text)
		return text, err
	}, offlineLikeSQL, account.String(), "%"+escapeLike(st.ID)+"%")
	for _, text := range list {
		if had, err := stanza.Parse(text); err == nil && had.ID == st.ID && had.From == st.From {
			return true, nil
		}
	}
	return false, err
}
