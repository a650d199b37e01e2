package moderation

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/core/store/scan"
)

const blockListSQL = `SELECT entry FROM block_list_entries WHERE list = ?`

// Entries implements rtbl.Store.
func (t *Tables) Entries(ctx context.Context, list string) ([][sha256.Size]byte, error) {
	entries, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (e [sha256.Size]byte, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return e, err
		}
		if len(text) != hex.EncodedLen(len(e)) {
			return e, fmt.Errorf("%q is no hash", text)
		}
		_, err = hex.Decode(e[:], []byte(text))
		return e, err
	}, blockListSQL, list)
	if err != nil {
		return nil, fmt.Errorf("read block list %s: %w", list, err)
	}
	return entries, nil
}

const (
	addEntrySQL    = `INSERT INTO block_list_entries (list, entry) VALUES (?, ?) ON CONFLICT DO NOTHING`
	removeEntrySQL = `DELETE FROM block_list_entries WHERE list = ? AND entry = ?`
)

// entriesAtOnce is how many entries one transaction changes, so that others do not wait long.
const entriesAtOnce = 500

// ChangeEntries implements rtbl.Store. A long change is not one transaction.
func (t *Tables) ChangeEntries(ctx context.Context, list string, add, remove [][sha256.Size]byte) error {
	for query, entries := range map[string][][sha256.Size]byte{addEntrySQL: add, removeEntrySQL: remove} {
		for part := range slices.Chunk(entries, entriesAtOnce) {
			err := t.store.Partition(list).Write(ctx, func(tx *sql.Tx) error {
				for _, e := range part {
					if _, err := tx.Exec(query, list, hex.EncodeToString(e[:])); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("write block list %s: %w", list, err)
			}
		}
	}
	return nil
}

const removeOtherListsSQL = `SELECT DISTINCT list FROM block_list_entries`

// KeepLists implements rtbl.Store.
func (t *Tables) KeepLists(ctx context.Context, lists []string) error {
	stored, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (list string, err error) { return list, row.Scan(&list) }, removeOtherListsSQL)
	if err != nil {
		return fmt.Errorf("read block lists: %w", err)
	}
	for _, list := range stored {
		if slices.Contains(lists, list) {
			continue
		}
		err := t.store.Partition(list).Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec(`DELETE FROM block_list_entries WHERE list = ?`, list)
			return err
		})
		if err != nil {
			return fmt.Errorf("delete block list %s: %w", list, err)
		}
	}
	return nil
}
