package resumable

import (
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/store"
)

// progressRow is a change of a row of resumable. handled is -1 where it stays.
type progressRow struct {
	account, name            string
	handled, acked, archived int64
}

// SaveProgress implements resumption.Store. Clients cause one for each acknowledgement that they ask for.
func (s *Sessions) SaveProgress(account jid.JID, name string, p resumption.Progress, handled *uint32, done func(error)) {
	row := progressRow{account.String(), name, -1, int64(p.Acked), p.After.UnixMicro()}
	if handled != nil {
		row.handled = int64(*handled)
	}
	s.progress.Append(account.String(), row, done)
}

const (
	saveProgressSQL = `UPDATE resumable SET handled = CASE WHEN ?1 < 0 THEN handled ELSE ?1 END, acked = ?2, archived = ?3 WHERE account = ?4 AND id = ?5`

	saveProgressesSQL = `UPDATE resumable AS r SET handled = CASE WHEN new.handled < 0 THEN r.handled ELSE new.handled END,
acked = new.acked, archived = new.archived
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) AS new (id, handled, acked, archived, account)
WHERE r.account = new.account AND r.id = new.id` // PostgreSQL
)

// progressWriter writes the last change of each session.
type progressWriter struct{ dialect store.Dialect }

// WriteRows implements store.BulkWriter.
func (w progressWriter) WriteRows(tx *sql.Tx, rows []store.BulkRow[progressRow]) error {
	last := lastProgress(rows)
	if w.dialect == store.Postgres {
		var names, accounts []string
		var handled, acked, archived []int64
		for _, r := range last {
			names, accounts = append(names, r.name), append(accounts, r.account)
			handled, acked, archived = append(handled, r.handled), append(acked, r.acked), append(archived, r.archived)
		}
		if _, err := tx.Exec(saveProgressesSQL, names, handled, acked, archived, accounts); err != nil {
			return fmt.Errorf("write counts of sessions: %w", err)
		}
		return nil
	}
	for _, r := range last {
		if _, err := tx.Exec(saveProgressSQL, r.handled, r.acked, r.archived, r.account, r.name); err != nil {
			return fmt.Errorf("write counts of a session: %w", err)
		}
	}
	return nil
}

// Ended implements store.BulkWriter.
func (w progressWriter) Ended(int, error) {}

// lastProgress returns one change for each session.
func lastProgress(rows []store.BulkRow[progressRow]) []progressRow {
	if len(rows) == 1 {
		return []progressRow{rows[0].Value}
	}
	at := make(map[string]int, len(rows))
	list := make([]progressRow, 0, len(rows))
	for i := range rows {
		r := rows[i].Value
		k, known := at[r.name]
		if !known {
			at[r.name] = len(list)
			list = append(list, r)
			continue
		}
		if r.handled < 0 {
			r.handled = list[k].handled
		}
		list[k] = r
	}
	return list
}
