package administration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
)

var _ admin.InvitationStore = (*Tables)(nil)

const (
	expireInvitationsSQL = `DELETE FROM invitations WHERE expires < ?`

	countInvitationsSQL = `SELECT count(*) FROM invitations WHERE account = ? AND uses > 0`

	addInvitationSQL = `INSERT INTO invitations (token, host, account, username, registers, subscribes, uses, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// keptAfterwards is how long an expired invitation is kept: whoever has begun to register with it may finish (XEP-0445 §4).
const keptAfterwards = time.Hour

// AddInvitation implements admin.InvitationStore.
func (t *Tables) AddInvitation(ctx context.Context, hash string, i admin.Invitation, limit int) error {
	inviter := sql.NullString{String: i.Inviter.String(), Valid: !i.Inviter.IsZero()}
	return t.Partition(i.Inviter.String()).Write(ctx, func(tx *sql.Tx) error {
		if inviter.Valid {
			if err := lockAccount(tx, i.Inviter); err != nil { // for the limit
				return err
			}
		}
		if _, err := tx.Exec(expireInvitationsSQL, time.Now().Add(-keptAfterwards).UnixMicro()); err != nil {
			return fmt.Errorf("delete old invitations: %w", err)
		}
		if inviter.Valid && limit > 0 {
			var n int
			if err := tx.QueryRow(countInvitationsSQL, inviter).Scan(&n); err != nil {
				return fmt.Errorf("count invitations of %s: %w", i.Inviter, err)
			}
			if n >= limit {
				return admin.ErrTooMany
			}
		}
		_, err := tx.Exec(addInvitationSQL, hash, i.Host.Domain(), inviter, i.Username, i.Registers, i.Subscribes, i.Uses, now(), i.Expires.UnixMicro())
		if err != nil {
			return fmt.Errorf("write invitation: %w", err)
		}
		return nil
	})
}

// An account that is being deleted, or is disabled, invites nobody.
const invitationSQL = `SELECT host, account, username, registers, subscribes, uses, expires FROM invitations
WHERE token = ? AND (account IS NULL OR NOT EXISTS (SELECT 1 FROM removals WHERE removals.account = invitations.account))
AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.jid = invitations.account AND a.disabled IS NOT NULL)`

// Invitation implements admin.InvitationStore.
func (t *Tables) Invitation(ctx context.Context, hash string) (admin.Invitation, error) {
	var i admin.Invitation
	var host string
	var inviter sql.NullString
	var expires int64
	err := t.Reader().QueryRowContext(ctx, invitationSQL, hash).Scan(&host, &inviter, &i.Username, &i.Registers, &i.Subscribes, &i.Uses, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return i, admin.ErrNoInvitation
	}
	if err == nil {
		i.Expires = time.UnixMicro(expires)
		i.Host, err = jid.Parse(host)
	}
	if err == nil && inviter.Valid {
		i.Inviter, err = jid.Parse(inviter.String)
	}
	if err != nil {
		return i, fmt.Errorf("read invitation: %w", err)
	}
	return i, nil
}

const useInvitationSQL = `UPDATE invitations SET uses = uses - 1 WHERE token = ? AND uses > 0`

// UseInvitation implements admin.InvitationStore.
func (t *Tables) UseInvitation(ctx context.Context, hash string) error {
	return t.Write(ctx, func(tx *sql.Tx) error { return useInvitation(tx, hash) })
}

func useInvitation(tx *sql.Tx, hash string) error {
	r, err := tx.Exec(useInvitationSQL, hash)
	if err != nil {
		return fmt.Errorf("use invitation: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil {
		return fmt.Errorf("use invitation: %w", err)
	} else if n == 0 {
		return admin.ErrNoInvitation
	}
	return nil
}

// RegisterInvited implements admin.InvitationStore.
func (t *Tables) RegisterInvited(ctx context.Context, account jid.JID, password, hash string) error {
	if taken, err := t.Exists(ctx, account); err != nil {
		return err
	} else if taken { // before the keys are derived, which costs
		return admin.ErrExists
	}
	c, err := t.derive(password)
	if err != nil {
		return err
	}
	err = t.RegisterAccount(ctx, account, c, func(tx *sql.Tx) error { return useInvitation(tx, hash) })
	if errors.Is(err, store.ErrAccountExists) || errors.Is(err, store.ErrBeingRemoved) || errors.Is(err, store.ErrNameDeleted) {
		return admin.ErrExists
	}
	return err
}

const nameInvitedSQL = `SELECT token FROM invitations WHERE host = ? AND username = ? AND uses > 0 AND expires >= ?`

// NameInvited implements admin.InvitationStore.
func (t *Tables) NameInvited(ctx context.Context, account jid.JID) (string, error) {
	var hash string
	err := t.Reader().QueryRowContext(ctx, nameInvitedSQL, account.Domain(), account.Local(), now()).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up who is invited as %s: %w", account, err)
	}
	return hash, nil
}
