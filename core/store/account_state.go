package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

const (
	setDisabledSQL = `UPDATE accounts SET disabled = ? WHERE jid = ?`

	setLockedSQL = `UPDATE accounts SET locked = ? WHERE jid = ?`
)

// SetDisabled lets an account log in or not. If it may not, a running server ends its sessions; see Revocations.
func (s *Store) SetDisabled(ctx context.Context, account jid.JID, disabled bool) error {
	since := sql.NullInt64{Int64: now(), Valid: disabled}
	return s.setState(ctx, account, setDisabledSQL, since, Disabled)
}

// SetLocked keeps an account from logging in until a time; the zero time ends that. A running server ends its sessions.
func (s *Store) SetLocked(ctx context.Context, account jid.JID, until time.Time) error {
	at := sql.NullInt64{Int64: until.UnixMicro(), Valid: !until.IsZero()}
	return s.setState(ctx, account, setLockedSQL, at, Locked)
}

// setState writes one of the columns that keep an account from logging in. If it is set, the sessions are revoked.
func (s *Store) setState(ctx context.Context, account jid.JID, query string, value sql.NullInt64, reason string) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error {
		if err := lockAccount(tx, account); err != nil {
			return err
		}
		if ok, err := exists(tx.QueryRow(accountExistsSQL, account.String())); err != nil || !ok { // it is being removed
			return errors.Join(ErrNoAccount, err)
		}
		if err := one(account)(tx.Exec(query, value, account.String())); err != nil {
			return err
		}
		if !value.Valid {
			return nil
		}
		if reason == Disabled {
			if err := endAccess(tx, account); err != nil {
				return err
			}
		}
		return markRevocation(tx, account, reason)
	})
}

const accountStateSQL = `SELECT disabled, locked FROM accounts WHERE jid = ?1 AND NOT EXISTS (SELECT 1 FROM removals WHERE account = ?1)`

// AccountState reads whether anybody may log in to an account, for a login that needs no credentials of this database.
// ErrNoAccount where there is no such account.
func (s *Store) AccountState(ctx context.Context, account jid.JID) (sasl.State, error) {
	var disabled, locked sql.NullInt64
	err := s.reads.QueryRowContext(ctx, accountStateSQL, account.String()).Scan(&disabled, &locked)
	if errors.Is(err, sql.ErrNoRows) {
		return sasl.State{}, ErrNoAccount
	}
	if err != nil {
		return sasl.State{}, fmt.Errorf("read state of %s: %w", account, err)
	}
	return stateOf(disabled, locked), nil
}

func stateOf(disabled, locked sql.NullInt64) sasl.State {
	state := sasl.State{Disabled: disabled.Valid}
	if locked.Valid {
		state.Locked = timeOf(locked.Int64)
	}
	return state
}
