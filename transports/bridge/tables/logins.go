package tables

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

const (
	listLoginsSQL = `SELECT id, owner, person, name, key_id, secret, state, status, cause, created
FROM bridge_accounts WHERE gateway = ? ORDER BY created, id`

	putLoginSQL = `INSERT INTO bridge_accounts (id, gateway, owner, person, name, key_id, secret, state, status, cause, created)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET person = excluded.person, name = excluded.name, key_id = excluded.key_id,
  secret = excluded.secret, state = excluded.state, status = excluded.status, cause = excluded.cause`

	putSecretSQL = `UPDATE bridge_accounts SET key_id = ?, secret = ? WHERE id = ? AND gateway = ?`
	putStatusSQL = `UPDATE bridge_accounts SET status = ?, cause = ? WHERE id = ? AND gateway = ?`
	putStateSQL  = `UPDATE bridge_accounts SET state = ? WHERE id = ? AND gateway = ?`
)

// Logins are all logins of the gateway, the oldest first.
func (s *Store) Logins(ctx context.Context) ([]Login, error) {
	list, err := scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (a Login, err error) {
		var owner string
		var state []byte
		var created int64
		if err := row.Scan(&a.ID, &owner, &a.User, &a.Name, &a.Secret.Key, &a.Secret.Box, &state, &a.Status, &a.Cause, &created); err != nil {
			return a, err
		}
		a.State, a.Created = json.RawMessage(state), moment(created)
		a.Owner, err = jid.Parse(owner)
		return a, err
	}, listLoginsSQL, s.id)
	if err != nil {
		return nil, fmt.Errorf("list logins: %w", err)
	}
	return list, nil
}

// PutLogin adds a login or replaces the one of the same ID.
func (s *Store) PutLogin(ctx context.Context, a Login) error {
	return s.exec(ctx, putLoginSQL, a.ID, s.id, a.Owner.String(), a.User, a.Name, a.Secret.Key, a.Secret.Box, []byte(a.State), a.Status, a.Cause, micros(a.Created))
}

// PutSecrets replaces secrets.
func (s *Store) PutSecrets(ctx context.Context, secrets map[transports.LoginID]Sealed) error {
	return s.engine.Write(ctx, func(tx *sql.Tx) error {
		for id, secret := range secrets {
			if _, err := tx.Exec(putSecretSQL, secret.Key, secret.Box, id, s.id); err != nil {
				return fmt.Errorf("keep secret of login %s: %w", id, err)
			}
		}
		return nil
	})
}

// PutStatus replaces the status of a login.
func (s *Store) PutStatus(ctx context.Context, id transports.LoginID, status Status, cause string) error {
	return s.exec(ctx, putStatusSQL, status, cause, id, s.id)
}
