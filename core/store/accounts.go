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
	Disabled time.Time // since when nobody may log in; zero: not disabled
	Locked   time.Time // until when nobody may log in; zero: not locked
}

// State returns whether anybody may log in.
func (a Account) State() sasl.State {
	return sasl.State{Disabled: !a.Disabled.IsZero(), Locked: a.Locked}
}

const createAccountSQL = `INSERT INTO accounts (jid, created, disabled, roster_version) VALUES (?, ?, NULL, ?)
ON CONFLICT (jid) DO NOTHING`

// CreateAccount makes an account with its credentials, as the operator may: also one with the name of a deleted account.
// ErrAccountExists where there is one.
func (s *Store) CreateAccount(ctx context.Context, account jid.JID, credentials sasl.Credentials) error {
	return s.createAccount(ctx, account, credentials, nil)
}

// RegisterAccount is CreateAccount for others: ErrNameDeleted for the name of an account that was deleted not long ago
// (Limits.DeletedNames). fn, unless it is nil, runs in the same transaction. If it fails no account is made.
func (s *Store) RegisterAccount(ctx context.Context, account jid.JID, credentials sasl.Credentials, fn func(tx *sql.Tx) error) error {
	return s.createAccount(ctx, account, credentials, func(tx *sql.Tx) error {
		if err := s.checkDeletedName(tx, account); err != nil || fn == nil {
			return err
		}
		return fn(tx)
	})
}

func (s *Store) createAccount(ctx context.Context, account jid.JID, credentials sasl.Credentials, fn func(tx *sql.Tx) error) error {
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

const accountSQL = `SELECT jid, created, disabled, locked FROM accounts WHERE jid = ?1 AND NOT EXISTS (SELECT 1 FROM removals WHERE account = ?1)`

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

const accountsSQL = `SELECT jid, created, disabled, locked FROM accounts WHERE NOT EXISTS (SELECT 1 FROM removals WHERE account = jid) ORDER BY jid`

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
		var disabled, locked sql.NullInt64
		if err := rows.Scan(&address, &created, &disabled, &locked); err != nil {
			return nil, err
		}
		if a.JID, err = jid.Parse(address); err != nil {
			return nil, err
		}
		a.Created = timeOf(created)
		if disabled.Valid {
			a.Disabled = timeOf(disabled.Int64)
		}
		if locked.Valid {
			a.Locked = timeOf(locked.Int64)
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
