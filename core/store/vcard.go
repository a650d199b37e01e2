package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
)

const vcardSQL = `SELECT vcard FROM vcards WHERE account = ?`

// VCard implements vcard.Store.
func (s *Store) VCard(ctx context.Context, account jid.JID) (string, error) {
	var xml string
	err := s.reads.QueryRowContext(ctx, vcardSQL, account.String()).Scan(&xml)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read vCard of %s: %w", account, err)
	}
	return xml, nil
}

const setVCardSQL = `INSERT INTO vcards (account, vcard, changed) VALUES (?, ?, ?)
ON CONFLICT (account) DO UPDATE SET vcard = excluded.vcard, changed = excluded.changed`

// SetVCard implements vcard.Store.
func (s *Store) SetVCard(ctx context.Context, account jid.JID, xml string) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(setVCardSQL, account.String(), xml, now()); err != nil {
			return fmt.Errorf("write vCard of %s: %w", account, err)
		}
		return nil
	})
}
