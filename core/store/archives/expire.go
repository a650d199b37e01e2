package archives

import (
	"context"
	"database/sql"
	"time"

	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Age says which entries of an archive are too old.
type Age struct {
	Before time.Time // those that were archived earlier
	Now    time.Time // what claims to be later was archived while the clock was ahead
}

// The time of an entry is its position, as in Prune: it does not go back when the clock does. Positions in the future come from a
// clock that was ahead; behind those the time of arrival counts, and what is before one that is too old is too old, too.
const (
	firstSQL = `SELECT coalesce(min(position), 0), coalesce(max(position), 0) FROM archive_entries WHERE archive = ?`

	lastOldSQL = `SELECT coalesce(max(position), 0) FROM archive_entries WHERE archive = ? AND position < ?`

	lastOldAheadSQL = `SELECT coalesce(max(e.position), 0) FROM archive_entries e CROSS JOIN archive_messages m
WHERE m.number = e.message AND e.archive = ? AND e.position > ? AND m.late > 0 AND e.position - m.late < ?`
)

// Expire deletes the entries of an archive that are too old, in small steps, and returns the last position that is gone; 0 where
// nothing was too old. All entries must be visible.
func Expire(ctx context.Context, reads Reader, w writer, number int64, age Age) (upTo int64, err error) {
	now, before := age.Now.UnixMicro(), age.Before.UnixMicro()
	var first, last int64
	if err := reads.QueryRowContext(ctx, firstSQL, number).Scan(&first, &last); err != nil {
		return 0, err
	}
	if first > 0 && first < before {
		if err := reads.QueryRowContext(ctx, lastOldSQL, number, before).Scan(&upTo); err != nil {
			return 0, err
		}
	}
	if last > now {
		var ahead int64
		if err := reads.QueryRowContext(ctx, lastOldAheadSQL, number, now, before).Scan(&ahead); err != nil {
			return 0, err
		}
		upTo = max(upTo, ahead)
	}
	if upTo == 0 {
		return 0, nil
	}
	if _, err := deleteAllUpTo(ctx, w, number, upTo); err != nil {
		return 0, err
	}
	return upTo, deleteMinutes(ctx, reads, w, number, upTo/minute)
}

// deleteAllUpTo deletes entries of an archive in steps, and returns how many.
func deleteAllUpTo(ctx context.Context, w writer, number, upTo int64) (deleted int, err error) {
	for n := deleteAtOnce; n == deleteAtOnce; deleted += n {
		err := w.Write(ctx, func(tx *sql.Tx) (err error) {
			n, err = deleteUpTo(tx, number, upTo)
			return err
		})
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

const (
	oldMinutesSQL = `SELECT contact, minute FROM archive_contacts WHERE archive = ?1 AND (contact > ?2 OR contact = ?2 AND minute > ?3) AND minute < ?4
ORDER BY contact, minute LIMIT ?5`

	deleteMinuteSQL = `DELETE FROM archive_contacts WHERE archive = ? AND contact = ? AND minute = ?`
)

// deleteMinutes deletes the minutes before one, which have no entries any more.
func deleteMinutes(ctx context.Context, reads Reader, w writer, number, before int64) error {
	contact, at := int64(-1), int64(0)
	for more := true; more; {
		list, err := scan.Rows(ctx, reads, func(row scan.Row) (m contactMinute, err error) {
			m.archive = number
			err = row.Scan(&m.contact, &m.minute)
			return m, err
		}, oldMinutesSQL, number, contact, at, before, deleteAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		err = w.Write(ctx, func(tx *sql.Tx) error {
			for _, m := range list {
				if _, err := tx.Exec(deleteMinuteSQL, m.archive, m.contact, m.minute); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		contact, at = list[len(list)-1].contact, list[len(list)-1].minute
		more = len(list) == deleteAtOnce
	}
	return nil
}
