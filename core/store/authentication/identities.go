package authentication

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store"
)

const ownerSQL = `SELECT i.backend, i.subject FROM accounts a LEFT JOIN identities i ON i.account = a.jid
WHERE a.jid = ?1 AND NOT EXISTS (SELECT 1 FROM removals WHERE account = ?1)`

// Owner implements identity.Accounts.
func (a *Accounts) Owner(ctx context.Context, username string) (identity.Owner, error) {
	account, err := jid.New(username, a.host, "")
	if err != nil {
		return identity.Owner{}, sasl.ErrUnknownUser
	}
	var backend, subject sql.NullString
	err = a.store.Reader().QueryRowContext(context.WithoutCancel(ctx), ownerSQL, account.String()).Scan(&backend, &subject)
	if errors.Is(err, sql.ErrNoRows) {
		return identity.Owner{}, sasl.ErrUnknownUser
	}
	if err != nil {
		return identity.Owner{}, fmt.Errorf("read the back end of %s: %w", account, err)
	}
	return identity.Owner{Backend: backend.String, Subject: subject.String}, nil
}

const accountOfSQL = `SELECT account FROM identities WHERE host = ? AND backend = ? AND subject = ?
AND NOT EXISTS (SELECT 1 FROM removals r WHERE r.account = identities.account)`

// Account implements identity.Accounts.
func (a *Accounts) Account(ctx context.Context, o identity.Owner) (string, error) {
	var text string
	err := a.store.Reader().QueryRowContext(context.WithoutCancel(ctx), accountOfSQL, a.host, o.Backend, o.Subject).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", sasl.ErrUnknownUser
	}
	if err != nil {
		return "", fmt.Errorf("read the account of a subject of %s: %w", o.Backend, err)
	}
	account, err := jid.Parse(text)
	if err != nil {
		return "", fmt.Errorf("read the account of a subject of %s: %w", o.Backend, err)
	}
	return account.Local(), nil
}

const createIdentitySQL = `INSERT INTO identities (account, host, backend, subject, since) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

// Create implements identity.Accounts.
func (a *Accounts) Create(ctx context.Context, username string, o identity.Owner) error {
	account, err := jid.New(username, a.host, "")
	if err != nil {
		return identity.ErrTaken
	}
	err = a.store.RegisterAccount(ctx, account, sasl.Credentials{}, func(tx *sql.Tx) error {
		r, err := tx.Exec(createIdentitySQL, account.String(), a.host, o.Backend, o.Subject, time.Now().UnixMicro())
		if err != nil {
			return fmt.Errorf("write the back end of %s: %w", account, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return fmt.Errorf("write the back end of %s: %w", account, err)
		}
		if n == 0 {
			return identity.ErrHasAccount
		}
		return nil
	})
	if errors.Is(err, store.ErrAccountExists) || errors.Is(err, store.ErrBeingRemoved) || errors.Is(err, store.ErrNameDeleted) {
		return identity.ErrTaken
	}
	return err
}

// Foreign reports whether an account belongs to another back end than its keys.
func (a *Accounts) Foreign(ctx context.Context, username string) (bool, error) {
	o, err := a.Owner(ctx, username)
	if errors.Is(err, sasl.ErrUnknownUser) {
		return false, nil
	}
	return o.Backend != "", err
}
