package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/features/register"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// Errors of the account methods.
var (
	ErrAccountExists = errors.New("the account exists already")
	ErrNoAccount     = register.ErrNoAccount
	ErrForeign       = register.ErrForeign // of an account that another back end authenticates
)

// Account is a local account. What it holds in other tables goes when it goes.
type Account struct {
	JID      jid.JID // bare
	Created  time.Time
	Disabled time.Time // since when it may not log in; zero: it may
}

const createAccountSQL = `INSERT INTO accounts (jid, created, disabled, roster_version) VALUES (?, ?, NULL, ?)
ON CONFLICT (jid) DO NOTHING`

// CreateAccount makes an account with its credentials; ErrAccountExists where there is one.
func (s *Store) CreateAccount(ctx context.Context, account jid.JID, credentials sasl.Credentials) error {
	return s.CreateAccountWith(ctx, account, credentials, nil)
}

// CreateAccountWith is CreateAccount with a function, unless it is nil, that runs in the same transaction. If it fails no account is made.
func (s *Store) CreateAccountWith(ctx context.Context, account jid.JID, credentials sasl.Credentials, fn func(tx *sql.Tx) error) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error {
		at := now()
		n, err := affected(tx.Exec(createAccountSQL, account.String(), at, at))
		if err != nil {
			return fmt.Errorf("create account %s: %w", account, err)
		}
		if n == 0 {
			if going, err := exists(tx.QueryRow(removalSQL, account.String())); going || err != nil {
				return errors.Join(ErrBeingRemoved, err)
			}
			return ErrAccountExists
		}
		if err := putCredentials(tx, account, credentials); err != nil || fn == nil {
			return err
		}
		return fn(tx)
	})
}

const setDisabledSQL = `UPDATE accounts SET disabled = ? WHERE jid = ?`

// SetDisabled lets an account log in or not.
func (s *Store) SetDisabled(ctx context.Context, account jid.JID, disabled bool) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error {
		since := sql.NullInt64{Int64: now(), Valid: disabled}
		return one(account)(tx.Exec(setDisabledSQL, since, account.String()))
	})
}

const accountExistsSQL = `SELECT 1 FROM accounts WHERE jid = ?1 AND NOT EXISTS (SELECT 1 FROM removals WHERE account = ?1)`

// Exists reports whether there is such an account; it implements router.Accounts.
func (s *Store) Exists(ctx context.Context, account jid.JID) (bool, error) {
	var yes int
	// A context that may end would cost more than the query.
	err := s.reads.QueryRowContext(context.WithoutCancel(ctx), accountExistsSQL, account.String()).Scan(&yes)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up account %s: %w", account, err)
	}
	return true, nil
}

const accountSQL = `SELECT jid, created, disabled FROM accounts WHERE jid = ?1 AND NOT EXISTS (SELECT 1 FROM removals WHERE account = ?1)`

// Account reads an account; ErrNoAccount where there is none.
func (s *Store) Account(ctx context.Context, account jid.JID) (Account, error) {
	list, err := accounts(s.reads.QueryContext(ctx, accountSQL, account.String()))
	if err != nil {
		return Account{}, fmt.Errorf("read account %s: %w", account, err)
	}
	if len(list) == 0 {
		return Account{}, ErrNoAccount
	}
	return list[0], nil
}

const accountsSQL = `SELECT jid, created, disabled FROM accounts WHERE NOT EXISTS (SELECT 1 FROM removals WHERE account = jid) ORDER BY jid`

// Accounts lists all accounts by address.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	list, err := accounts(s.reads.QueryContext(ctx, accountsSQL))
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return list, nil
}

func accounts(rows *sql.Rows, err error) ([]Account, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Account
	for rows.Next() {
		var a Account
		var address string
		var created int64
		var disabled sql.NullInt64
		if err := rows.Scan(&address, &created, &disabled); err != nil {
			return nil, err
		}
		if a.JID, err = jid.Parse(address); err != nil {
			return nil, err
		}
		a.Created = timeOf(created)
		if disabled.Valid {
			a.Disabled = timeOf(disabled.Int64)
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

func exists(row *sql.Row) (bool, error) {
	var yes int
	err := row.Scan(&yes)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// one checks that a statement about an account met it.
func one(account jid.JID) func(sql.Result, error) error {
	return func(r sql.Result, err error) error {
		n, err := affected(r, err)
		if err != nil {
			return fmt.Errorf("write account %s: %w", account, err)
		}
		if n == 0 {
			return ErrNoAccount
		}
		return nil
	}
}
