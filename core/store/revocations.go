package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	markRevocationSQL = `INSERT INTO revocations (account, at) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET at = excluded.at`

	revocationsSQL = `SELECT account, at FROM revocations ORDER BY at, account`

	deleteRevocationSQL = `DELETE FROM revocations WHERE account = ? AND at = ?`
)

// Revocation is an account whose sessions are to be ended, since its password was changed at a time.
type Revocation struct {
	Account jid.JID
	at      int64
}

// SetCredentialsAndRevoke is SetCredentials, and has a running server end the account's sessions; see Revocations.
func (s *Store) SetCredentialsAndRevoke(ctx context.Context, account jid.JID, credentials sasl.Credentials) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error {
		if err := setCredentials(tx, account, credentials); err != nil {
			return err
		}
		if _, err := tx.Exec(markRevocationSQL, account.String(), now()); err != nil {
			return fmt.Errorf("revoke sessions of %s: %w", account, err)
		}
		return nil
	})
}

// Revocations lists the accounts whose sessions are to be ended. Whoever runs the server ends them and calls Revoked.
func (s *Store) Revocations(ctx context.Context) ([]Revocation, error) {
	list, err := scan.Rows(ctx, s.reads, func(row scan.Row) (r Revocation, err error) {
		var text string
		if err := row.Scan(&text, &r.at); err != nil {
			return r, err
		}
		r.Account, err = jid.Parse(text)
		return r, err
	}, revocationsSQL)
	if err != nil {
		return nil, fmt.Errorf("list sessions to be ended: %w", err)
	}
	return list, nil
}

// Revoked says that the sessions were ended. If the password was changed again meanwhile, Revocations lists the account again.
func (s *Store) Revoked(ctx context.Context, r Revocation) error {
	return s.of(r.Account).Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(deleteRevocationSQL, r.Account.String(), r.at); err != nil {
			return fmt.Errorf("end sessions of %s: %w", r.Account, err)
		}
		return nil
	})
}
