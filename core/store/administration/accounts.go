package administration

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// A localpart has no @. Accounts that are being deleted are none.
const ofHost = ` FROM accounts WHERE jid LIKE ? ESCAPE '\' AND NOT EXISTS (SELECT 1 FROM removals WHERE account = jid)`

const (
	countSQL         = `SELECT count(*)` + ofHost
	countDisabledSQL = countSQL + ` AND disabled IS NOT NULL`

	listSQL         = `SELECT jid` + ofHost + ` ORDER BY jid LIMIT ?`
	listDisabledSQL = `SELECT jid` + ofHost + ` AND disabled IS NOT NULL ORDER BY jid LIMIT ?`
	listAfterSQL    = `SELECT jid` + ofHost + ` AND jid > ? ORDER BY jid LIMIT ?`
)

// pattern fits the accounts of a host.
func pattern(host jid.JID) string { return "%@" + store.EscapeLike(host.Domain()) }

// Count implements admin.AccountReader.
func (t *Tables) Count(ctx context.Context, host jid.JID, disabledOnly bool) (int, error) {
	query, n := countSQL, 0
	if disabledOnly {
		query = countDisabledSQL
	}
	if err := t.Reader().QueryRowContext(ctx, query, pattern(host)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count accounts of %s: %w", host, err)
	}
	return n, nil
}

// List implements admin.AccountReader.
func (t *Tables) List(ctx context.Context, host jid.JID, disabledOnly bool, limit int) ([]jid.JID, error) {
	if disabledOnly {
		return t.list(ctx, listDisabledSQL, pattern(host), limit)
	}
	return t.list(ctx, listSQL, pattern(host), limit)
}

// AccountsAfter implements admin.TextStore.
func (t *Tables) AccountsAfter(ctx context.Context, host jid.JID, after string, limit int) ([]jid.JID, error) {
	return t.list(ctx, listAfterSQL, pattern(host), after, limit)
}

func (t *Tables) list(ctx context.Context, query string, args ...any) ([]jid.JID, error) {
	list, err := scan.Rows(ctx, t.Reader(), func(row scan.Row) (j jid.JID, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return j, err
		}
		return jid.Parse(text)
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return list, nil
}
