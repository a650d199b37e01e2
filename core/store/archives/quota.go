package archives

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Quota is how much the archive of an account keeps; zero is no limit. A message counts as what the database has of it, in the archive of its
// sender and in that of its receiver.
type Quota struct {
	Messages int
	Bytes    int64
}

// writer runs functions in transactions, as store.Store does.
type writer interface {
	Write(ctx context.Context, fn func(tx *sql.Tx) error) error
}

const (
	numbersSQL = `SELECT number FROM archive_accounts WHERE number > ? ORDER BY number LIMIT ?`

	overMessagesSQL = `SELECT position FROM archive_entries WHERE archive = ? ORDER BY position DESC LIMIT 1 OFFSET ?`

	overBytesSQL = `SELECT position FROM (SELECT e.position, sum(length(m.message)) OVER (ORDER BY e.position DESC) AS total
FROM archive_entries e JOIN archive_messages m ON m.number = e.message WHERE e.archive = ?) AS sizes WHERE total > ? ORDER BY position DESC LIMIT 1`

	oldestUpToSQL = `SELECT count(*), coalesce(max(position), 0) FROM (
SELECT position FROM archive_entries WHERE archive = ? AND position <= ? ORDER BY position LIMIT ?) AS oldest`

	lockNumberSQL = `SELECT number FROM archive_accounts WHERE number = ? /*postgres FOR UPDATE*/`
)

// How many archives are read at once, and how many entries one transaction deletes.
const (
	numbersAtOnce = 1000
	deleteAtOnce  = 1000
)

// Enforce deletes the oldest messages of archives that have more than their quota: clients must not find gaps (XEP-0313 §3.2). It returns
// how many entries were deleted. All entries must be visible.
func Enforce(ctx context.Context, reads Reader, w writer, q Quota) (deleted int, err error) {
	if q.Messages <= 0 && q.Bytes <= 0 {
		return 0, nil
	}
	for last, more := int64(0), true; more; {
		numbers, err := scan.Rows(ctx, reads, func(row scan.Row) (n int64, err error) {
			err = row.Scan(&n)
			return n, err
		}, numbersSQL, last, numbersAtOnce)
		if err != nil {
			return deleted, fmt.Errorf("read archives: %w", err)
		}
		more = len(numbers) == numbersAtOnce
		for _, last = range numbers {
			n, err := enforce(ctx, reads, w, last, q)
			if deleted += n; err != nil {
				return deleted, fmt.Errorf("apply quota of archives: %w", err)
			}
		}
	}
	return deleted, nil
}

func enforce(ctx context.Context, reads Reader, w writer, number int64, q Quota) (deleted int, err error) {
	upTo := int64(0)
	for _, over := range []struct {
		text  string
		limit int64
	}{{overMessagesSQL, int64(q.Messages)}, {overBytesSQL, q.Bytes}} {
		var position int64
		if over.limit <= 0 {
			continue
		}
		switch err := reads.QueryRowContext(ctx, over.text, number, over.limit).Scan(&position); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return 0, err
		default:
			upTo = max(upTo, position)
		}
	}
	if upTo == 0 {
		return 0, nil
	}
	return deleteAllUpTo(ctx, w, number, upTo)
}

// deleteUpTo deletes some of the oldest entries of an archive.
func deleteUpTo(tx *sql.Tx, number, upTo int64) (n int, err error) {
	if err := tx.QueryRow(lockNumberSQL, number).Scan(&number); errors.Is(err, sql.ErrNoRows) {
		return 0, nil // the account was deleted meanwhile
	} else if err != nil {
		return 0, err
	}
	var last int64
	if err := tx.QueryRow(oldestUpToSQL, number, upTo, deleteAtOnce).Scan(&n, &last); err != nil || n == 0 {
		return 0, err
	}
	return n, deleteEntries(tx, number, 0, last)
}
