package store

import (
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/store/deletions"
)

// offlineRow is a row of the table offline, without its position.
type offlineRow struct {
	account, id, sender, stanza string
	size, received              int64
}

// insertOffline adds no row for an account that has been deleted meanwhile, and none for a message that is stored already.
var insertOffline = NewInsert("offline", []Column{
	{"account", Text}, {"id", Text}, {"sender", Text}, {"stanza", Text}, {"size", BigInt}, {"received", BigInt}, {"position", BigInt},
}, "EXISTS (SELECT 1 FROM accounts WHERE jid = new.account)", "(account, id) DO NOTHING")

// maxOfflineAccounts is how many accounts' last positions a writer keeps in memory.
const maxOfflineAccounts = 10_000

// offlineWriter writes offline messages. The position rises for each account, also when the clock goes back: it is
// the time, or one more than the last position.
type offlineWriter struct {
	dialect Dialect
	last    map[string]int64 // positions by account
}

// WriteRows implements BulkWriter.
func (w *offlineWriter) WriteRows(tx *sql.Tx, rows []BulkRow[offlineRow]) error {
	if err := w.positions(tx, rows); err != nil {
		w.last = nil
		return err
	}
	values, at := make([][]any, len(rows)), now()
	for i := range rows {
		r := &rows[i].Value
		w.last[r.account] = max(at, w.last[r.account]+1)
		values[i] = []any{r.account, r.id, r.sender, r.stanza, r.size, r.received, w.last[r.account]}
	}
	if _, err := insertOffline.Run(tx, w.dialect, values); err != nil {
		w.last = nil
		return fmt.Errorf("write offline messages: %w", err)
	}
	return nil
}

// Ended implements BulkWriter.
func (w *offlineWriter) Ended(_ int, err error) {
	if err != nil {
		w.last = nil
	}
}

const (
	offlinePositionSQL  = `SELECT account, max(position) FROM offline WHERE account = ? GROUP BY account`
	offlinePositionsSQL = `SELECT account, max(position) FROM offline WHERE account = ANY(?) GROUP BY account` // PostgreSQL
)

// positions reads the last positions of the accounts of rows.
func (w *offlineWriter) positions(tx *sql.Tx, rows []BulkRow[offlineRow]) error {
	if w.last == nil || len(w.last) > maxOfflineAccounts {
		w.last = map[string]int64{}
	}
	var accounts []string
	for i := range rows {
		account := rows[i].Value.account
		if _, known := w.last[account]; !known {
			w.last[account] = 0
			accounts = append(accounts, account)
		}
	}
	if w.dialect == Postgres && len(accounts) > 0 {
		return w.readPositions(tx, offlinePositionsSQL, accounts)
	}
	for _, account := range accounts {
		if err := w.readPositions(tx, offlinePositionSQL, account); err != nil {
			return err
		}
	}
	return nil
}

func (w *offlineWriter) readPositions(tx *sql.Tx, query string, accounts any) error {
	rows, err := tx.Query(query, accounts)
	if err != nil {
		return fmt.Errorf("read positions of offline messages: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		var position int64
		if err := rows.Scan(&account, &position); err != nil {
			return fmt.Errorf("read positions of offline messages: %w", err)
		}
		w.last[account] = position
	}
	return rows.Err()
}

const deleteOfflineSQL = `DELETE FROM offline WHERE account = ? AND id = ?`

// deleteOfflineRows deletes messages that were delivered, on SQLite.
func deleteOfflineRows(tx *sql.Tx, rows []BulkRow[[]deletions.Key]) error {
	for i := range rows {
		for _, m := range rows[i].Value {
			if _, err := tx.Exec(deleteOfflineSQL, m.Account, m.ID); err != nil {
				return fmt.Errorf("delete offline message of %s: %w", m.Account, err)
			}
		}
	}
	return nil
}
