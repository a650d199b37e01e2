package tables

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const (
	pruneInboxSQL = `DELETE FROM bridge_inbox WHERE seq IN (
  SELECT seq FROM bridge_inbox WHERE state = 3 AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?) AND at < ?`
	pruneOutboxSQL = `DELETE FROM bridge_outbox WHERE seq IN (
  SELECT seq FROM bridge_outbox WHERE state > 1 AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?) AND created < ?`
	pruneRoomArchiveSQL = `DELETE FROM bridge_archive WHERE seq IN (
  SELECT a.seq FROM bridge_archive a JOIN bridge_rooms r ON r.id = a.room WHERE r.gateway = ? AND a.at < ? LIMIT ?)`
	pruneEchoesSQL = `DELETE FROM bridge_echoes WHERE until < ? AND room IN (SELECT id FROM bridge_rooms WHERE gateway = ?)`
)

// pruned is how many rows one transaction removes, so that others need not wait long.
const pruned = 1000

// Prune removes done events and calls that are older than keys, and archived messages older than
// archive where that is not zero.
func (s *Store) Prune(ctx context.Context, keys, archive time.Time) error {
	type step struct {
		query string
		args  []any
	}
	var steps []step
	for _, r := range s.numberRanges() {
		args := []any{r.from, r.to, pruned, micros(keys)}
		steps = append(steps, step{pruneInboxSQL, args}, step{pruneOutboxSQL, args})
	}
	if !archive.IsZero() {
		steps = append(steps, step{pruneRoomArchiveSQL, []any{s.id, micros(archive), pruned}})
	}
	for _, step := range steps {
		for n := int64(pruned); n == pruned; {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := s.engine.Write(ctx, func(tx *sql.Tx) error {
				res, err := tx.Exec(step.query, step.args...)
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
	return s.exec(ctx, pruneEchoesSQL, micros(keys), s.id)
}
