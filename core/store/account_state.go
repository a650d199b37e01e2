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

// SetDisabled lets an account log in or not. If it may not, the caller ends its sessions.
func (s *Store) SetDisabled(ctx context.Context, account jid.JID, disabled bool) error {
	return s.setState(ctx, account, disabledState(disabled))
}

// DisableAndRevoke keeps an account from logging in, and has a running server end its sessions; see Revocations.
func (s *Store) DisableAndRevoke(ctx context.Context, account jid.JID) error {
	return s.setState(ctx, account, disabledState(true).revoking(Disabled))
}

// SetLocked keeps an account from logging in until a time, and the caller ends its sessions; the zero time lets it log in.
func (s *Store) SetLocked(ctx context.Context, account jid.JID, until time.Time) error {
	return s.setState(ctx, account, lockedState(until))
}

// LockAndRevoke keeps an account from logging in until a time, and has a running server end its sessions; see Revocations.
func (s *Store) LockAndRevoke(ctx context.Context, account jid.JID, until time.Time) error {
	return s.setState(ctx, account, lockedState(until).revoking(Locked))
}

// stateChange is a new value of one of the columns that keep an account from logging in. NULL lets it log in.
type stateChange struct {
	query     string
	value     sql.NullInt64
	endAccess bool   // of its clients, too
	reason    string // of the Revocation; "": there is none
}

func disabledState(disabled bool) stateChange {
	return stateChange{query: setDisabledSQL, value: sql.NullInt64{Int64: now(), Valid: disabled}, endAccess: disabled}
}

func lockedState(until time.Time) stateChange {
	return stateChange{query: setLockedSQL, value: sql.NullInt64{Int64: until.UnixMicro(), Valid: !until.IsZero()}}
}

func (c stateChange) revoking(reason string) stateChange {
	c.reason = reason
	return c
}

func (s *Store) setState(ctx context.Context, account jid.JID, c stateChange) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error {
		if err := lockAccount(tx, account); err != nil {
			return err
		}
		if ok, err := exists(tx.QueryRow(accountExistsSQL, account.String())); err != nil || !ok { // it is being removed
			return errors.Join(ErrNoAccount, err)
		}
		err := one(account)(tx.Exec(c.query, c.value, account.String()))
		if err == nil && c.endAccess {
			err = endAccess(tx, account)
		}
		if err == nil && c.reason != "" {
			err = markRevocation(tx, account, c.reason)
		}
		return err
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
