package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/dragoman-im/dragoman/core/features/private"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const privateSQL = `SELECT xml FROM private_xml WHERE account = ? AND space = ? AND name = ?`

// Private implements private.Store.
func (s *Store) Private(ctx context.Context, account jid.JID, space, name string) (string, error) {
	var xml string
	err := s.reads.QueryRowContext(ctx, privateSQL, account.String(), space, name).Scan(&xml)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read private XML of %s: %w", account, err)
	}
	return xml, nil
}

const privateItemsSQL = `SELECT space, name, xml FROM private_xml WHERE account = ? ORDER BY space, name`

// PrivateItems returns all private elements of an account.
func (s *Store) PrivateItems(ctx context.Context, account jid.JID) ([]private.Item, error) {
	list, err := scan.Rows(ctx, s.reads, func(row scan.Row) (i private.Item, err error) {
		return i, row.Scan(&i.Space, &i.Name, &i.XML)
	}, privateItemsSQL, account.String())
	if err != nil {
		return nil, fmt.Errorf("read private XML of %s: %w", account, err)
	}
	return list, nil
}

// PrivateLimit implements private.Store.
func (s *Store) PrivateLimit() int { return int(min(s.limits.Load().PrivateBytes, math.MaxInt)) }

const (
	setPrivateSQL = `INSERT INTO private_xml (account, space, name, xml, size) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, space, name) DO UPDATE SET xml = excluded.xml, size = excluded.size`

	privateUsageSQL = `SELECT count(*), coalesce(sum(size), 0) FROM private_xml WHERE account = ?`
)

// SetPrivate implements private.Store.
func (s *Store) SetPrivate(ctx context.Context, account jid.JID, items []private.Item) error {
	return s.of(account).Write(ctx, func(tx *sql.Tx) error {
		if err := lockAccount(tx, account); err != nil { // for the limits
			if errors.Is(err, ErrNoAccount) {
				return errGone
			}
			return err
		}
		for _, i := range items {
			size := len(i.Space) + len(i.Name) + len(i.XML)
			if _, err := tx.Exec(setPrivateSQL, account.String(), i.Space, i.Name, i.XML, size); err != nil {
				return fmt.Errorf("write private XML of %s: %w", account, err)
			}
		}
		var n int
		var size int64
		if err := tx.QueryRow(privateUsageSQL, account.String()).Scan(&n, &size); err != nil {
			return fmt.Errorf("count private XML of %s: %w", account, err)
		}
		if n > s.limits.Load().PrivateItems || size > s.limits.Load().PrivateBytes {
			return private.ErrFull // undoes it
		}
		return nil
	})
}
