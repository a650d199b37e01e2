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
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const rolesSQL = `SELECT account, role FROM account_roles WHERE NOT EXISTS (SELECT 1 FROM removals WHERE removals.account = account_roles.account)`

// Roles implements admin.RoleStore.
func (t *Tables) Roles(ctx context.Context) (map[jid.JID]admin.Role, error) {
	type row struct {
		account jid.JID
		role    admin.Role
	}
	list, err := scan.Rows(ctx, t.Reader(), func(s scan.Row) (r row, err error) {
		var account, role string
		if err := s.Scan(&account, &role); err != nil {
			return r, err
		}
		if r.account, err = jid.Parse(account); err != nil {
			return r, err
		}
		r.role, err = admin.ParseRole(role)
		return r, err
	}, rolesSQL)
	if err != nil {
		return nil, fmt.Errorf("list roles: %w", err)
	}
	roles := make(map[jid.JID]admin.Role, len(list))
	for _, r := range list {
		roles[r.account] = r.role
	}
	return roles, nil
}

const (
	lockAccountSQL = `SELECT jid FROM accounts WHERE jid = ? /*postgres FOR NO KEY UPDATE*/`

	removedSQL = `SELECT account FROM removals WHERE account = ?`

	setRoleSQL = `INSERT INTO account_roles (account, role, granted) VALUES (?, ?, ?)
ON CONFLICT (account) DO UPDATE SET role = excluded.role, granted = excluded.granted`

	deleteRoleSQL = `DELETE FROM account_roles WHERE account = ?`
)

// SetRole implements admin.RoleStore.
func (t *Tables) SetRole(ctx context.Context, account jid.JID, role admin.Role) error {
	return t.Partition(account.String()).Write(ctx, func(tx *sql.Tx) error {
		if err := lockAccount(tx, account); err != nil {
			return err
		}
		query, args := setRoleSQL, []any{account.String(), role.String(), time.Now().UnixMicro()}
		if role == admin.User {
			query, args = deleteRoleSQL, args[:1]
		}
		if _, err := tx.Exec(query, args...); err != nil {
			return fmt.Errorf("write role of %s: %w", account, err)
		}
		return nil
	})
}

// lockAccount locks the row of an account until the transaction ends. ErrNoAccount if there is none, or if it is being deleted.
func lockAccount(tx *sql.Tx, account jid.JID) error {
	var text string
	err := tx.QueryRow(lockAccountSQL, account.String()).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNoAccount
	}
	if err == nil {
		err = tx.QueryRow(removedSQL, account.String()).Scan(&text) // after the lock: another process may just have marked it
	}
	switch {
	case err == nil:
		return store.ErrNoAccount
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("lock account %s: %w", account, err)
	}
	return nil
}
