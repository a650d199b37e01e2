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
	markRevocationSQL = `INSERT INTO revocations (account, at, reason) VALUES (?, ?, ?)
ON CONFLICT (account) DO UPDATE SET reason = excluded.reason,
at = CASE WHEN excluded.at > revocations.at THEN excluded.at ELSE revocations.at + 1 END`

	revocationsSQL = `SELECT account, at, reason FROM revocations ORDER BY at, account`

	deleteRevocationSQL = `DELETE FROM revocations WHERE account = ? AND at = ?`
)

// Reasons of a Revocation.
const (
	NewPassword = "password"
	Disabled    = "disabled"
	Locked      = "locked"
)

// Revocation is an account whose sessions are to be ended, for a reason. Its mark is the time at which it was written, or more if the
// clock went back: a login that has read the same mark with the credentials began later, and its session stays.
type Revocation struct {
	Account jid.JID
	Reason  string
	Mark    int64
}

// markRevocation has a running server end the account's sessions.
func markRevocation(tx *sql.Tx, account jid.JID, reason string) error {
	if _, err := tx.Exec(markRevocationSQL, account.String(), now(), reason); err != nil {
		return fmt.Errorf("revoke sessions of %s: %w", account, err)
	}
	return nil
}

// SetCredentialsAndRevoke is SetCredentials, and has a running server end the account's sessions; see Revocations.
func (s *Store) SetCredentialsAndRevoke(ctx context.Context, account jid.JID, credentials sasl.Credentials) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error {
		if err := setCredentials(tx, account, credentials); err != nil {
			return err
		}
		return markRevocation(tx, account, NewPassword)
	})
}

// Revocations lists the accounts whose sessions are to be ended. Whoever runs the server ends them and calls Revoked.
func (s *Store) Revocations(ctx context.Context) ([]Revocation, error) {
	list, err := scan.Rows(ctx, s.reads, func(row scan.Row) (r Revocation, err error) {
		var text string
		if err := row.Scan(&text, &r.Mark, &r.Reason); err != nil {
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

// Revoked says that the sessions were ended. If there was another reason meanwhile, Revocations lists the account again.
func (s *Store) Revoked(ctx context.Context, r Revocation) error {
	return s.of(r.Account).Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(deleteRevocationSQL, r.Account.String(), r.Mark); err != nil {
			return fmt.Errorf("end sessions of %s: %w", r.Account, err)
		}
		return nil
	})
}
