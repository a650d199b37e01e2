package retention

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
)

// Tables are the tables of a server. Its methods may be called from any goroutine.
type Tables struct{ store *store.Store }

// New returns the tables in a database.
func New(s *store.Store) *Tables { return &Tables{s} }

var _ archive.RetentionStore = (*Tables)(nil)

// forever is archive.Forever in the table.
const forever = -1

func duration(seconds int64) time.Duration {
	const most = int64(archive.Forever / time.Second)
	if seconds == forever || seconds > most {
		return archive.Forever
	}
	return time.Duration(max(seconds, 0)) * time.Second
}

func seconds(d time.Duration) int64 {
	switch {
	case d <= 0:
		return 0
	case d == archive.Forever:
		return forever
	}
	return max(1, int64(d/time.Second))
}

const retentionSQL = `SELECT own, granted FROM archive_retention WHERE account = ?`

// Retention implements archive.RetentionStore.
func (t *Tables) Retention(ctx context.Context, account jid.JID) (archive.Retention, error) {
	var own, granted int64
	err := t.store.Reader().QueryRowContext(ctx, retentionSQL, account.String()).Scan(&own, &granted)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return archive.Retention{}, fmt.Errorf("read retention of the archive of %s: %w", account, err)
	}
	return archive.Retention{Own: duration(own), Granted: duration(granted)}, nil
}

const (
	setOwnSQL = `INSERT INTO archive_retention (account, own, granted) SELECT jid, CAST(?2 AS BIGINT), 0 FROM accounts WHERE jid = ?1
ON CONFLICT (account) DO UPDATE SET own = excluded.own`

	setGrantedSQL = `INSERT INTO archive_retention (account, own, granted) SELECT jid, 0, CAST(?2 AS BIGINT) FROM accounts WHERE jid = ?1
ON CONFLICT (account) DO UPDATE SET granted = excluded.granted`
)

// SetOwnRetention implements archive.RetentionStore.
func (t *Tables) SetOwnRetention(ctx context.Context, account jid.JID, keep time.Duration) error {
	return t.set(ctx, setOwnSQL, account, keep)
}

// SetGrantedRetention implements archive.RetentionStore.
func (t *Tables) SetGrantedRetention(ctx context.Context, account jid.JID, keep time.Duration) error {
	return t.set(ctx, setGrantedSQL, account, keep)
}

func (t *Tables) set(ctx context.Context, text string, account jid.JID, keep time.Duration) error {
	return t.store.Partition(account.String()).Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(text, account.String(), seconds(keep)); err != nil {
			return fmt.Errorf("write retention of the archive of %s: %w", account, err)
		}
		return nil
	})
}

const longestSQL = `SELECT coalesce(min(granted), 0), coalesce(max(granted), 0) FROM archive_retention`

// LongestGranted is the longest retention that an administrator has set for an account; 0 where there is none.
func (t *Tables) LongestGranted(ctx context.Context) (time.Duration, error) {
	var least, most int64
	if err := t.store.Reader().QueryRowContext(ctx, longestSQL).Scan(&least, &most); err != nil {
		return 0, fmt.Errorf("read retention of archives: %w", err)
	}
	if least == forever {
		return archive.Forever, nil
	}
	return duration(most), nil
}
