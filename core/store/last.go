package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// An account that has been deleted meanwhile gets no row.
const setLastSeenSQL = `INSERT INTO last_activity (account, at, status) SELECT jid, ?, ? FROM accounts WHERE jid = ?
ON CONFLICT (account) DO UPDATE SET at = excluded.at, status = excluded.status`

// SetLastSeen notes when an account was last available and what it said then. It does not wait.
func (s *Store) SetLastSeen(account jid.JID, at time.Time, status string) {
	s.of(account).WriteAsync(func(tx *sql.Tx) error {
		_, err := tx.Exec(setLastSeenSQL, at.UnixMicro(), status, account.String())
		return err
	}, func(err error) {
		if err != nil {
			s.log.Warn("last activity not written", "account", account, "err", err)
		}
	})
}

const lastSeenSQL = `SELECT at, status FROM last_activity WHERE account = ?`

// LastSeen is what SetLastSeen noted; the zero time where it noted nothing.
func (s *Store) LastSeen(ctx context.Context, account jid.JID) (time.Time, string, error) {
	var at int64
	var status string
	err := s.reads.QueryRowContext(ctx, lastSeenSQL, account.String()).Scan(&at, &status)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, "", nil
	}
	if err != nil {
		return time.Time{}, "", fmt.Errorf("read last activity of %s: %w", account, err)
	}
	return timeOf(at), status, nil
}
