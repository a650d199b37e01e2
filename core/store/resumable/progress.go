package resumable

import (
	"database/sql"
	"fmt"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/store"
)

// progressRow is a change of a row of resumable. handled is -1 where it stays.
type progressRow struct {
	account, name            string
	handled, acked, archived int64
}

// progressQueue collects changes for one partition until it writes them, all together: clients cause one for each acknowledgement
// that they ask for.
type progressQueue struct {
	partition *store.Partition
	dialect   store.Dialect

	mu   sync.Mutex
	rows []progressRow
	done []func(error) // of rows
	due  bool          // a write is queued that takes the rows
}

// SaveProgress implements resumption.Store.
func (s *Sessions) SaveProgress(account jid.JID, name string, p resumption.Progress, handled *uint32, done func(error)) {
	row := progressRow{account.String(), name, -1, int64(p.Acked), p.After.UnixMicro()}
	if handled != nil {
		row.handled = int64(*handled)
	}
	s.queue(s.store.Partition(account.String())).add(row, done)
}

// queue returns the queue of a partition.
func (s *Sessions) queue(p *store.Partition) *progressQueue {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[p]
	if q == nil {
		q = &progressQueue{partition: p, dialect: s.store.Dialect()}
		s.queues[p] = q
	}
	return q
}

func (q *progressQueue) add(row progressRow, done func(error)) {
	q.mu.Lock()
	q.rows, q.done = append(q.rows, row), append(q.done, done)
	due := q.due
	q.due = true
	q.mu.Unlock()
	if due {
		return
	}
	var rows []progressRow
	var dones []func(error)
	take := func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		rows, dones = append(rows, q.rows...), append(dones, q.done...)
		q.rows, q.done, q.due = nil, nil, false
	}
	q.partition.WriteAsync(func(tx *sql.Tx) error {
		take() // if the transaction is repeated, it has more rows
		return writeProgress(tx, q.dialect, rows)
	}, func(err error) {
		if rows == nil { // it was refused
			take()
		}
		for _, done := range dones {
			if done != nil {
				done(err)
			}
		}
	})
}

const (
	saveProgressSQL = `UPDATE resumable SET handled = CASE WHEN ?1 < 0 THEN handled ELSE ?1 END, acked = ?2, archived = ?3 WHERE account = ?4 AND id = ?5`

	saveProgressesSQL = `UPDATE resumable AS r SET handled = CASE WHEN new.handled < 0 THEN r.handled ELSE new.handled END,
acked = new.acked, archived = new.archived
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) AS new (id, handled, acked, archived, account)
WHERE r.account = new.account AND r.id = new.id` // PostgreSQL
)

// writeProgress writes the last change of each session.
func writeProgress(tx *sql.Tx, dialect store.Dialect, rows []progressRow) error {
	last := lastProgress(rows)
	if dialect == store.Postgres {
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

// lastProgress returns one change for each session.
func lastProgress(rows []progressRow) []progressRow {
	if len(rows) == 1 {
		return rows
	}
	at := make(map[string]int, len(rows))
	list := make([]progressRow, 0, len(rows))
	for i := range rows {
		r := rows[i]
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
