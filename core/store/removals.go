package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// ErrBeingRemoved is an account that cannot be made because the one before it is not quite
// gone yet.
var ErrBeingRemoved = errors.New("the account is still being deleted")

const (
	markRemovalSQL = `INSERT INTO removals (account, at) SELECT jid, ?1 FROM accounts WHERE jid = ?2 ON CONFLICT (account) DO NOTHING`
	removalSQL     = `SELECT 1 FROM removals WHERE account = ?`
	removalsSQL    = `SELECT account FROM removals ORDER BY at, account`
)

// RemoveAccount begins the end of an account: from now on there is none for those who ask, and
// nobody can log in. Who runs the server does the rest, see Removals, and calls DeleteAccount
// last. It implements register.Store.
func (s *Store) RemoveAccount(ctx context.Context, account jid.JID) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error {
		if err := lockAccount(tx, account); err != nil { // nobody may be setting a password meanwhile
			return err
		}
		if err := one(account)(tx.Exec(markRemovalSQL, now(), account.String())); err != nil {
			return err
		}
		if _, err := tx.Exec(deleteCredentialsSQL, account.String()); err != nil {
			return fmt.Errorf("delete credentials of %s: %w", account, err)
		}
		if err := endAccess(tx, account); err != nil {
			return err
		}
		return s.noteDeletedName(tx, account)
	})
}

// Removals lists the accounts whose end has begun, the oldest first.
func (s *Store) Removals(ctx context.Context) ([]jid.JID, error) {
	list, err := scan.Rows(ctx, s.reads, func(row scan.Row) (j jid.JID, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return j, err
		}
		return jid.Parse(text)
	}, removalsSQL)
	if err != nil {
		return nil, fmt.Errorf("list accounts to be deleted: %w", err)
	}
	return list, nil
}

const deleteAccountSQL = `DELETE FROM accounts WHERE jid = ?`

// OnDeleteAccount adds a function that runs in the transaction that deletes an account, for
// tables that do not refer to accounts by a foreign key. It is called before the store is used.
func (s *Store) OnDeleteAccount(fn func(tx *sql.Tx, account jid.JID) error) {
	s.onDelete = append(s.onDelete, fn)
}

// DeleteAccount deletes an account with all that refers to it by a foreign key, and what the
// functions of OnDeleteAccount delete.
func (s *Store) DeleteAccount(ctx context.Context, account jid.JID) error {
	if err := s.deleteArchive(ctx, account); err != nil {
		return err
	}
	err := s.archives.change(ctx, account, func(tx *sql.Tx, w *archives.Writer) error {
		if err := w.DeleteAccount(tx, account); err != nil {
			return err
		}
		if err := one(account)(tx.Exec(deleteAccountSQL, account.String())); err != nil {
			return err
		}
		for _, fn := range s.onDelete {
			if err := fn(tx, account); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.Erase(ctx)
}
