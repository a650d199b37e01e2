package tables

import (
	"context"
	"fmt"
)

const (
	secretSQL     = `SELECT key_id, secret FROM bridge_secrets WHERE gateway = ? AND name = ?`
	keepSecretSQL = `INSERT INTO bridge_secrets (gateway, name, key_id, secret) VALUES (?, ?, ?, ?)
ON CONFLICT (gateway, name) DO UPDATE SET key_id = excluded.key_id, secret = excluded.secret`
)

// Secret is a secret of the gateway that belongs to no login.
func (s *Store) Secret(ctx context.Context, name string) (secret Sealed, ok bool, err error) {
	err = s.engine.Reader().QueryRowContext(ctx, secretSQL, s.id, name).Scan(&secret.Key, &secret.Box)
	if ok, err = found(err); err != nil {
		return secret, false, fmt.Errorf("read secret %s: %w", name, err)
	}
	return secret, ok, nil
}

// PutSecret adds or replaces such a secret.
func (s *Store) PutSecret(ctx context.Context, name string, secret Sealed) error {
	if err := s.exec(ctx, keepSecretSQL, s.id, name, secret.Key, secret.Box); err != nil {
		return fmt.Errorf("keep secret %s: %w", name, err)
	}
	return nil
}
