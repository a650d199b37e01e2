package store

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
)

// The comment with postgres is SQL on PostgreSQL only (rewrite.go). SQLite has one writer at a time.
const lockAccountSQL = `SELECT jid FROM accounts WHERE jid = ? /*postgres FOR NO KEY UPDATE*/`

// lockAccount locks the row of an account until the transaction ends. Every change that depends on
// other rows of the account (a limit on their number, a version, whether it is being
// removed) begins with it, and reads those rows in later statements: on PostgreSQL two processes
// then make their changes one after the other. Rows that only refer to the account, such as
// archived messages, do not wait for the lock. It returns ErrNoAccount if there is no row.
func lockAccount(tx *sql.Tx, account jid.JID) error {
	var text string
	err := tx.QueryRow(lockAccountSQL, account.String()).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoAccount
	}
	if err != nil {
		return fmt.Errorf("lock account %s: %w", account, err)
	}
	return nil
}

// LockAccount is lockAccount for packages with tables of accounts.
func LockAccount(tx *sql.Tx, account jid.JID) error { return lockAccount(tx, account) }
