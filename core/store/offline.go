package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// An account that has been deleted meanwhile gets no row. The position rises for each account,
// also when the clock goes back: it is the time, or one more than the last position.
const addOfflineSQL = `INSERT INTO offline (account, id, stanza, size, received, position)
SELECT jid, ?2, ?3, ?4, ?5, (SELECT CASE WHEN max(position) >= ?6 THEN max(position) + 1 ELSE ?6 END FROM offline WHERE account = ?1)
FROM accounts WHERE jid = ?1`

// AddOffline implements offline.Store.
func (s *Store) AddOffline(account jid.JID, m offline.Message, done func(error)) {
	text, size := encodeStanza(m.Stanza), len(m.Stanza.Payload)+len(m.Stanza.Extra)
	s.of(account).WriteAsync(func(tx *sql.Tx) error {
		_, err := tx.Exec(addOfflineSQL, account.String(), stanza.NewID(), text, size, m.Received.UnixMicro(), now())
		if err != nil {
			return fmt.Errorf("keep message for %s: %w", account, err)
		}
		return nil
	}, done)
}

const offlineSQL = `SELECT id, stanza, received FROM offline WHERE account = ? ORDER BY position, id LIMIT ?`

// OfflineMessages implements offline.Store: it reads after what was written before.
func (s *Store) OfflineMessages(ctx context.Context, account jid.JID, limit int) ([]offline.Message, error) {
	fail := func(err error) ([]offline.Message, error) {
		return nil, fmt.Errorf("read messages kept for %s: %w", account, err)
	}
	if err := s.of(account).Settle(ctx); err != nil {
		return fail(err)
	}
	rows, err := s.reads.QueryContext(ctx, offlineSQL, account.String(), limit)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	var list []offline.Message
	for rows.Next() {
		var m offline.Message
		var text string
		var received int64
		if err := rows.Scan(&m.ID, &text, &received); err != nil {
			return fail(err)
		}
		if m.Stanza, err = stanza.Parse(text); err != nil { // must not keep the others back
			s.log.Error("an offline message is not readable", "account", account, "id", m.ID, "err", err)
			continue
		}
		m.Received = timeOf(received)
		list = append(list, m)
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return list, nil
}

const (
	deleteOfflineSQL     = `DELETE FROM offline WHERE account = ? AND id = ?`
	deleteManyOfflineSQL = `DELETE FROM offline WHERE account = ? AND id = ANY(?)` // PostgreSQL
)

// DeleteOffline implements offline.Store. The client has received the messages already: the
// deletion must survive the end of this process as soon as it can. On SQLite that is what
// the deletion log is for. PostgreSQL completes a statement that it has received; it is sent at
// once, beside the partitions.
func (s *Store) DeleteOffline(ctx context.Context, account jid.JID, ids []string) error {
	if s.dialect == Postgres {
		if _, err := s.writes.ExecContext(ctx, deleteManyOfflineSQL, account.String(), ids); err != nil {
			return fmt.Errorf("delete offline messages of %s: %w", account, unavailable(err))
		}
		return nil
	}
	if err := s.deletions.begin(account.String(), ids); err != nil {
		s.log.Error("messages may be delivered twice after a crash", "account", account, "err", err)
	}
	err := s.of(account).Write(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.Exec(deleteOfflineSQL, account.String(), id); err != nil {
				return fmt.Errorf("delete offline message of %s: %w", account, err)
			}
		}
		return nil
	})
	if problem := s.deletions.end(err); problem != nil {
		s.log.Error("emptying the deletion log", "err", problem)
	}
	return err
}

const offlineUsageSQL = `SELECT count(*), coalesce(sum(size), 0) FROM offline WHERE account = ?`

// OfflineUsage implements offline.Store.
func (s *Store) OfflineUsage(ctx context.Context, account jid.JID) (used, limit offline.Usage, err error) {
	err = s.reads.QueryRowContext(ctx, offlineUsageSQL, account.String()).Scan(&used.Messages, &used.Bytes)
	if err != nil {
		return used, limit, fmt.Errorf("count messages kept for %s: %w", account, err)
	}
	return used, offline.Usage{Messages: s.limits.Load().OfflineMessages, Bytes: s.limits.Load().OfflineBytes}, nil
}
