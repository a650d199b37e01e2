package rooms

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/store/scan"
)

// pruneBatch is the number of messages, or of archives, that one statement handles.
const pruneBatch = 1000

const (
	archivesSQL = `SELECT number, coalesce(room, '') FROM room_archives WHERE number > ? ORDER BY number LIMIT ?`
	beyondSQL   = `SELECT position FROM room_messages WHERE archive = ? ORDER BY position DESC LIMIT 1 OFFSET ?`
	pruneSQL    = `DELETE FROM room_messages WHERE archive = ?1 AND position IN (
SELECT position FROM room_messages WHERE archive = ?1 AND position <= ?2 ORDER BY position LIMIT ?3)`
	endArchiveSQL = `DELETE FROM room_archives WHERE number = ?1 AND room IS NULL AND NOT EXISTS (SELECT 1 FROM room_messages WHERE archive = ?1)`
)

// archiveRow is a row of room_archives; room is empty if it was destroyed.
type archiveRow struct {
	number int64
	room   string
}

// PruneArchives implements conference.Archives.
func (t *Tables) PruneArchives(ctx context.Context, before time.Time, most int) error {
	for after := int64(0); ; {
		list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (a archiveRow, err error) {
			err = row.Scan(&a.number, &a.room)
			return a, err
		}, archivesSQL, after, pruneBatch)
		if err != nil {
			return fmt.Errorf("list archives of rooms: %w", err)
		}
		for _, a := range list {
			after = a.number
			if err := t.prune(ctx, a, before, most); err != nil {
				return err
			}
		}
		if len(list) < pruneBatch {
			return nil
		}
	}
}

// prune deletes the messages of one archive that are too old or too many.
func (t *Tables) prune(ctx context.Context, a archiveRow, before time.Time, most int) error {
	upTo := int64(0)
	if !before.IsZero() {
		upTo = before.UnixMicro() - 1
	}
	if most > 0 {
		var beyond int64
		err := t.store.Reader().QueryRowContext(ctx, beyondSQL, a.number, most).Scan(&beyond)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("count archive of a room: %w", err)
		}
		upTo = max(upTo, beyond)
	}
	if a.room == "" {
		upTo = 1<<63 - 1
	}
	if upTo == 0 {
		return nil
	}
	if a.room == "" { // the rest of the index goes with the archive, but not in so small steps
		if err := words.Drop(ctx, t.store.Reader(), t.store, a.number); err != nil {
			return err
		}
	}
	for more, deleted := true, false; more; {
		err := t.store.Partition(a.room).Write(ctx, func(tx *sql.Tx) error {
			r, err := tx.Exec(pruneSQL, a.number, upTo, pruneBatch)
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			deleted = deleted || n > 0
			if more = n == pruneBatch; more || err != nil || a.room != "" {
				return err
			}
			_, err = tx.Exec(endArchiveSQL, a.number)
			return err
		})
		if err != nil {
			return fmt.Errorf("prune archive of a room: %w", err)
		}
		if !more && deleted && a.room != "" {
			t.fresh.deleted(a.number, upTo)
		}
	}
	return nil
}
