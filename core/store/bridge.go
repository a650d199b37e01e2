package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

// Bridge is what one gateway keeps: it implements bridge.Store.
type Bridge struct {
	s  *Store
	id int64
}

var _ bridge.Store = (*Bridge)(nil)

const (
	addGatewaySQL  = `INSERT INTO bridge_gateways (domain) VALUES (?) ON CONFLICT (domain) DO NOTHING`
	findGatewaySQL = `SELECT id FROM bridge_gateways WHERE domain = ?`
)

// Bridge gives a gateway's part of the store.
func (s *Store) Bridge(ctx context.Context, domain jid.JID) (*Bridge, error) {
	b := &Bridge{s: s}
	err := s.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(addGatewaySQL, domain.String()); err != nil {
			return err
		}
		return tx.QueryRow(findGatewaySQL, domain.String()).Scan(&b.id)
	})
	if err != nil {
		return nil, fmt.Errorf("open gateway %s: %w", domain, err)
	}
	return b, nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// found makes "no such row" no error.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// scan reads all rows of a query.
func scan[T any](ctx context.Context, q querier, read func(row scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

type scanner interface{ Scan(...any) error }

const (
	listAccountsSQL = `SELECT id, owner, person, name, key_id, secret, state, status, cause, created
FROM bridge_accounts WHERE gateway = ? ORDER BY created, id`

	putAccountSQL = `INSERT INTO bridge_accounts (id, gateway, owner, person, name, key_id, secret, state, status, cause, created)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET person = excluded.person, name = excluded.name, key_id = excluded.key_id,
  secret = excluded.secret, state = excluded.state, status = excluded.status, cause = excluded.cause`

	putSecretSQL = `UPDATE bridge_accounts SET key_id = ?, secret = ? WHERE id = ? AND gateway = ?`
	putStatusSQL = `UPDATE bridge_accounts SET status = ?, cause = ? WHERE id = ? AND gateway = ?`
	putStateSQL  = `UPDATE bridge_accounts SET state = ? WHERE id = ? AND gateway = ?`
)

// ListAccounts implements bridge.Accounts.
func (b *Bridge) ListAccounts(ctx context.Context) ([]bridge.AccountRow, error) {
	list, err := scan(ctx, b.s.reads, func(row scanner) (a bridge.AccountRow, err error) {
		var owner string
		var state []byte
		var created int64
		if err := row.Scan(&a.ID, &owner, &a.User, &a.Name, &a.Secret.Key, &a.Secret.Box, &state, &a.Status, &a.Cause, &created); err != nil {
			return a, err
		}
		a.State, a.Created = json.RawMessage(state), moment(created)
		a.Owner, err = jid.Parse(owner)
		return a, err
	}, listAccountsSQL, b.id)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return list, nil
}

// PutAccount implements bridge.Accounts.
func (b *Bridge) PutAccount(ctx context.Context, a bridge.AccountRow) error {
	return b.exec(ctx, putAccountSQL, a.ID, b.id, a.Owner.String(), a.User, a.Name, a.Secret.Key, a.Secret.Box, []byte(a.State), a.Status, a.Cause, micros(a.Created))
}

// PutSecrets implements bridge.Accounts.
func (b *Bridge) PutSecrets(ctx context.Context, secrets map[transports.LoginID]bridge.Sealed) error {
	return b.s.Write(ctx, func(tx *sql.Tx) error {
		for id, s := range secrets {
			if _, err := tx.Exec(putSecretSQL, s.Key, s.Box, id, b.id); err != nil {
				return fmt.Errorf("keep secret of account %s: %w", id, err)
			}
		}
		return nil
	})
}

// PutStatus implements bridge.Accounts.
func (b *Bridge) PutStatus(ctx context.Context, id transports.LoginID, status bridge.AccountStatus, cause string) error {
	return b.exec(ctx, putStatusSQL, status, cause, id, b.id)
}

func (b *Bridge) exec(ctx context.Context, query string, args ...any) error {
	return b.s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}
