package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// pruned is how many rows one transaction removes, so that others need not wait long.
const pruned = 1000

// Prune implements bridge.Store.
func (b *Bridge) Prune(ctx context.Context, keys, archive time.Time) error {
	from, to := b.seqs()
	steps := []struct {
		query string
		args  []any
	}{
		{pruneInboxSQL, []any{from, to, pruned, micros(keys)}},
		{pruneOutboxSQL, []any{from, to, pruned, micros(keys)}},
	}
	if !archive.IsZero() {
		steps = append(steps, struct {
			query string
			args  []any
		}{pruneRoomArchiveSQL, []any{b.id, micros(archive), pruned}})
	}
	for _, s := range steps {
		for n := int64(pruned); n == pruned; {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := b.s.Write(ctx, func(tx *sql.Tx) error {
				res, err := tx.Exec(s.query, s.args...)
				if err == nil {
					n, err = res.RowsAffected()
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("prune: %w", err)
			}
		}
	}
	return b.exec(ctx, pruneEchoesSQL, micros(keys), b.id)
}
