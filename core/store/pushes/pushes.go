package pushes

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/features/push"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Tables are the tables of a server. Its methods may be called from any goroutine.
type Tables struct{ store *store.Store }

// New returns the tables in a database.
func New(s *store.Store) *Tables { return &Tables{s} }

var _ push.Store = (*Tables)(nil)

const pushesSQL = `SELECT service, node, options, identity FROM pushes WHERE account = ? ORDER BY service, node`

// Pushes implements push.Store.
func (t *Tables) Pushes(ctx context.Context, account jid.JID) ([]push.Registration, error) {
	list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (r push.Registration, err error) {
		var service string
		if err := row.Scan(&service, &r.Node, &r.Options, &r.Identity); err != nil {
			return r, err
		}
		r.Service, err = jid.Parse(service)
		return r, err
	}, pushesSQL, account.String())
	if err != nil {
		return nil, fmt.Errorf("read push services of %s: %w", account, err)
	}
	return list, nil
}

const (
	addPushSQL = `INSERT INTO pushes (account, service, node, options, identity) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, service, node) DO UPDATE SET options = excluded.options,
  identity = CASE excluded.identity WHEN '' THEN pushes.identity ELSE excluded.identity END`
	countPushesSQL = `SELECT count(*) FROM pushes WHERE account = ?`
)

// AddPush implements push.Store.
func (t *Tables) AddPush(ctx context.Context, account jid.JID, r push.Registration, limit int) error {
	return t.store.Partition(account.String()).Write(ctx, func(tx *sql.Tx) error {
		if err := store.LockAccount(tx, account); err != nil { // for the limit
			if errors.Is(err, store.ErrNoAccount) {
				return stanza.ItemNotFound("it has been deleted")
			}
			return err
		}
		if _, err := tx.Exec(addPushSQL, account.String(), r.Service.String(), r.Node, r.Options, r.Identity); err != nil {
			return fmt.Errorf("add push service of %s: %w", account, err)
		}
		var n int
		if err := tx.QueryRow(countPushesSQL, account.String()).Scan(&n); err != nil {
			return fmt.Errorf("count push services of %s: %w", account, err)
		}
		if n > limit {
			return push.ErrFull // undoes it
		}
		return nil
	})
}

const setIdentitySQL = `UPDATE pushes SET identity = ? WHERE account = ? AND service = ? AND node = ?`

// SetIdentity implements push.Store.
func (t *Tables) SetIdentity(ctx context.Context, account jid.JID, r push.Registration) error {
	return t.store.Partition(account.String()).Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(setIdentitySQL, r.Identity, account.String(), r.Service.String(), r.Node); err != nil {
			return fmt.Errorf("set identity of push service of %s: %w", account, err)
		}
		return nil
	})
}

const (
	removePushSQL   = `DELETE FROM pushes WHERE account = ? AND service = ? AND node = ?`
	removePushesSQL = `DELETE FROM pushes WHERE account = ? AND service = ?`
)

// RemovePush implements push.Store.
func (t *Tables) RemovePush(ctx context.Context, account, service jid.JID, node *string) error {
	return t.store.Partition(account.String()).Write(ctx, func(tx *sql.Tx) error {
		var err error
		if node == nil {
			_, err = tx.Exec(removePushesSQL, account.String(), service.String())
		} else {
			_, err = tx.Exec(removePushSQL, account.String(), service.String(), *node)
		}
		if err != nil {
			return fmt.Errorf("remove push service of %s: %w", account, err)
		}
		return nil
	})
}

const pendingSQL = `SELECT count(*) FROM roster_pending WHERE account = ?`

// Pending implements push.Store.
func (t *Tables) Pending(ctx context.Context, account jid.JID) (n int, err error) {
	if err = t.store.Reader().QueryRowContext(ctx, pendingSQL, account.String()).Scan(&n); err != nil {
		return 0, fmt.Errorf("count subscription requests to %s: %w", account, err)
	}
	return n, nil
}
