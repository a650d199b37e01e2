package archives

import (
	"context"
	"database/sql"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	// Of a message that was moved from the table before, the receiver is the account that has it in its archive.
	archivedSQL      = `SELECT number, position, coalesce(sender, receiver, 0), message FROM archive_messages WHERE number > ? ORDER BY number LIMIT ?`
	deleteEntrySQL   = `DELETE FROM archive_entries WHERE archive = ? AND position = ?`
	deleteMessageSQL = `DELETE FROM archive_messages WHERE number = ?`
)

// archivedPiece is how many messages DeleteToServices has in memory.
const archivedPiece = 1000

// archivedRow is a message in one archive.
type archivedRow struct {
	number, position, account int64
	message                   []byte
}

// DeleteToServices deletes what accounts have sent to services: earlier releases archived it, passwords and tokens among it.
func DeleteToServices(ctx context.Context, tx *sql.Tx) error {
	for last, more := int64(0), true; more; {
		rows, err := scan.Rows(ctx, tx, func(row scan.Row) (r archivedRow, err error) {
			err = row.Scan(&r.number, &r.position, &r.account, &r.message)
			return r, err
		}, archivedSQL, last, archivedPiece)
		if err != nil {
			return err
		}
		more = len(rows) == archivedPiece
		for _, r := range rows {
			last = r.number
			st, err := parseForm(r.message, jid.JID{}, "")
			if err != nil || !message.ToService(st) {
				continue
			}
			if _, err := tx.ExecContext(ctx, deleteEntrySQL, r.account, r.position); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, deleteMessageSQL, r.number); err != nil {
				return err
			}
		}
	}
	return nil
}
