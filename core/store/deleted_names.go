package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// ErrNameDeleted is returned for an account that cannot be registered because one of that name was deleted not long ago: whoever
// gets the name would be taken for the person who had it.
var ErrNameDeleted = errors.New("an account of that name was deleted not long ago")

const (
	noteDeletedNameSQL = `INSERT INTO deleted_names (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at`

	expireDeletedNamesSQL = `DELETE FROM deleted_names WHERE at < ?`

	deletedNameSQL = `SELECT 1 FROM deleted_names WHERE name = ? AND at >= ?`
)

// noteDeletedName notes the name of an account that is deleted, and drops those that can be registered again.
func (s *Store) noteDeletedName(tx *sql.Tx, account jid.JID) error {
	if _, err := tx.Exec(expireDeletedNamesSQL, s.deletedSince()); err != nil {
		return fmt.Errorf("delete old names: %w", err)
	}
	if _, err := tx.Exec(noteDeletedNameSQL, account.String(), now()); err != nil {
		return fmt.Errorf("note the name of %s: %w", account, err)
	}
	return nil
}

// checkDeletedName returns ErrNameDeleted if the name cannot be registered yet.
func (s *Store) checkDeletedName(tx *sql.Tx, account jid.JID) error {
	deleted, err := exists(tx.QueryRow(deletedNameSQL, account.String(), s.deletedSince()))
	if err != nil {
		return fmt.Errorf("look up the deleted name %s: %w", account, err)
	}
	if deleted {
		return ErrNameDeleted
	}
	return nil
}

// deletedSince is the time from which on the names of deleted accounts count.
func (s *Store) deletedSince() int64 {
	keep := s.limits.Load().DeletedNames
	if keep <= 0 {
		return now() + int64(time.Hour/time.Microsecond) // none; a clock that is set back changes nothing about that
	}
	return now() - keep.Microseconds()
}
