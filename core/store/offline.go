package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// An account that has been deleted meanwhile gets no row.
const addOfflineSQL = `INSERT INTO offline (account, id, stanza, size, received) SELECT jid, ?, ?, ?, ? FROM accounts WHERE jid = ?`

// AddOffline implements offline.Store.
func (s *Store) AddOffline(account jid.JID, m offline.Message, done func(error)) {
	text, size := encodeStanza(m.Stanza), len(m.Stanza.Payload)+len(m.Stanza.Extra)
	s.WriteAsync(func(tx *sql.Tx) error {
		_, err := tx.Exec(addOfflineSQL, stanza.NewID(), text, size, m.Received.UnixMicro(), account.String())
		if err != nil {
			return fmt.Errorf("keep message for %s: %w", account, err)
		}
		return nil
	}, done)
}

// The order of writing is that of the rows: ids go back with the clock.
const offlineSQL = `SELECT id, stanza, received FROM offline WHERE account = ? ORDER BY rowid LIMIT ?`

// OfflineMessages implements offline.Store: it reads in the writer's turn.
func (s *Store) OfflineMessages(ctx context.Context, account jid.JID, limit int) ([]offline.Message, error) {
	var list []offline.Message
	err := s.Write(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query(offlineSQL, account.String(), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m offline.Message
			var text string
			var received int64
			if err := rows.Scan(&m.ID, &text, &received); err != nil {
				return err
			}
			if m.Stanza, err = decodeStanza(text); err != nil { // must not keep the others back
				s.log.Error("kept message is not readable", "account", account, "id", m.ID, "err", err)
				continue
			}
			m.Received = timeOf(received)
			list = append(list, m)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read messages kept for %s: %w", account, err)
	}
	return list, nil
}

const deleteOfflineSQL = `DELETE FROM offline WHERE account = ? AND id = ?`

// DeleteOffline implements offline.Store.
func (s *Store) DeleteOffline(ctx context.Context, account jid.JID, ids []string) error {
	if err := s.collected.add(account.String(), ids); err != nil {
		s.log.Error("messages may be given out twice after a crash", "account", account, "err", err)
	}
	err := s.Write(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.Exec(deleteOfflineSQL, account.String(), id); err != nil {
				return fmt.Errorf("delete message kept for %s: %w", account, err)
			}
		}
		return nil
	})
	if problem := s.collected.done(err); problem != nil {
		s.log.Error("emptying the list of collected messages", "err", problem)
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
	return used, offline.Usage{Messages: s.limits.OfflineMessages, Bytes: s.limits.OfflineBytes}, nil
}
