package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// SetCredentials replaces all keys of an account: a new password.
func (s *Store) SetCredentials(ctx context.Context, account jid.JID, credentials sasl.Credentials) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error { return setCredentials(tx, account, credentials) })
}

func setCredentials(tx *sql.Tx, account jid.JID, credentials sasl.Credentials) error {
	if err := lockAccount(tx, account); err != nil {
		return err
	}
	if ok, err := exists(tx.QueryRow(accountExistsSQL, account.String())); err != nil {
		return fmt.Errorf("look up account %s: %w", account, err)
	} else if !ok { // it is being removed
		return ErrNoAccount
	}
	if foreign, err := exists(tx.QueryRow(foreignSQL, account.String())); err != nil {
		return fmt.Errorf("look up the back end of %s: %w", account, err)
	} else if foreign {
		return ErrForeign
	}
	if _, err := tx.Exec(endSessionsSQL, account.String()); err != nil {
		return fmt.Errorf("end stored sessions of %s: %w", account, err)
	}
	return putCredentials(tx, account, credentials)
}

const foreignSQL = `SELECT 1 FROM identities WHERE account = ?`

const (
	deleteCredentialsSQL = `DELETE FROM credentials WHERE account = ?`
	endSessionsSQL       = `DELETE FROM resumable WHERE account = ?` // of sessions that began with the old password
	putCredentialSQL     = `INSERT INTO credentials (account, hash, salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?, ?)`
)

const (
	deleteTokensSQL = `DELETE FROM client_tokens WHERE account = ?`

	forgetAccessSQL = `UPDATE clients SET access = '' WHERE account = ?`
)

// endAccess deletes the tokens of an account's clients: none of them can log in with what it has.
func endAccess(tx *sql.Tx, account jid.JID) error {
	for _, query := range []string{deleteTokensSQL, forgetAccessSQL} {
		if _, err := tx.Exec(query, account.String()); err != nil {
			return fmt.Errorf("end access of clients of %s: %w", account, err)
		}
	}
	return nil
}

func putCredentials(tx *sql.Tx, account jid.JID, credentials sasl.Credentials) error {
	if err := endAccess(tx, account); err != nil {
		return err
	}
	if _, err := tx.Exec(deleteCredentialsSQL, account.String()); err != nil {
		return fmt.Errorf("delete credentials of %s: %w", account, err)
	}
	for h := range credentials.Keys {
		k := &credentials.Keys[h]
		if !k.Set() {
			continue
		}
		if err := k.Valid(sasl.Hash(h)); err != nil {
			return fmt.Errorf("write credentials of %s: %w", account, err)
		}
		_, err := tx.Exec(putCredentialSQL, account.String(), sasl.Hash(h).String(), k.Salt, k.Iterations, k.StoredKey, k.ServerKey)
		if err != nil {
			return fmt.Errorf("write credentials of %s: %w", account, err)
		}
	}
	return nil
}

const credentialsSQL = `SELECT a.disabled, a.locked, r.at, c.hash, c.salt, c.iterations, c.stored_key, c.server_key
FROM accounts a LEFT JOIN credentials c ON c.account = a.jid LEFT JOIN revocations r ON r.account = a.jid WHERE a.jid = ?`

// Credentials reads what an account logs in with, and whether it may. ErrNoAccount where
// there is none.
func (s *Store) Credentials(ctx context.Context, account jid.JID) (sasl.Credentials, error) {
	fail := func(err error) (sasl.Credentials, error) {
		return sasl.Credentials{}, fmt.Errorf("read credentials of %s: %w", account, err)
	}
	// A context that may end would cost more than the query.
	rows, err := s.reads.QueryContext(context.WithoutCancel(ctx), credentialsSQL, account.String())
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	var c sasl.Credentials
	found := false
	for rows.Next() {
		var k sasl.Key
		var name sql.NullString
		var disabled, locked, mark, iterations sql.NullInt64
		if err := rows.Scan(&disabled, &locked, &mark, &name, &k.Salt, &iterations, &k.StoredKey, &k.ServerKey); err != nil {
			return fail(err)
		}
		found, c.State, k.Iterations = true, stateOf(disabled, locked), int(iterations.Int64)
		c.Revocation = mark.Int64
		for h := range c.Keys {
			if sasl.Hash(h).String() == name.String {
				c.Keys[h] = k
			}
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	if !found {
		return sasl.Credentials{}, ErrNoAccount
	}
	return c, nil
}
