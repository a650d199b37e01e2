package administration

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const listsSQL = `SELECT name, address FROM server_lists WHERE host = ?`

// Lists implements admin.ListStore.
func (t *Tables) Lists(ctx context.Context, host jid.JID) (map[admin.ListName][]jid.JID, error) {
	lists := map[admin.ListName][]jid.JID{}
	_, err := scan.Rows(ctx, t.Reader(), func(row scan.Row) (struct{}, error) {
		var name admin.ListName
		var text string
		if err := row.Scan(&name, &text); err != nil {
			return struct{}{}, err
		}
		address, err := jid.Parse(text)
		if err == nil {
			lists[name] = append(lists[name], address)
		}
		return struct{}{}, err
	}, listsSQL, host.Domain())
	if err != nil {
		return nil, fmt.Errorf("read lists of %s: %w", host, err)
	}
	return lists, nil
}

const (
	deleteListSQL = `DELETE FROM server_lists WHERE host = ? AND name = ?`

	addToListSQL = `INSERT INTO server_lists (host, name, address) VALUES (?, ?, ?) ON CONFLICT (host, name, address) DO NOTHING`
)

// SetList implements admin.ListStore.
func (t *Tables) SetList(ctx context.Context, host jid.JID, name admin.ListName, addresses []jid.JID) error {
	return t.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(deleteListSQL, host.Domain(), string(name)); err != nil {
			return fmt.Errorf("write list %s of %s: %w", name, host, err)
		}
		for _, address := range addresses {
			if _, err := tx.Exec(addToListSQL, host.Domain(), string(name), address.String()); err != nil {
				return fmt.Errorf("write list %s of %s: %w", name, host, err)
			}
		}
		return nil
	})
}

// AddToList implements admin.ListStore.
func (t *Tables) AddToList(ctx context.Context, host jid.JID, name admin.ListName, address jid.JID) error {
	return t.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(addToListSQL, host.Domain(), string(name), address.String()); err != nil {
			return fmt.Errorf("add to list %s of %s: %w", name, host, err)
		}
		return nil
	})
}
