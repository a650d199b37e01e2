package moderation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/features/blocking"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
)

const blockedSQL = `SELECT jid FROM blocked WHERE account = ?`

// Blocked implements blocking.Store.
func (t *Tables) Blocked(ctx context.Context, account jid.JID) ([]jid.JID, error) {
	// A context that may end would cost more than the query.
	rows, err := t.store.Reader().QueryContext(context.WithoutCancel(ctx), blockedSQL, account.String())
	if err != nil {
		return nil, fmt.Errorf("read who is blocked: %w", err)
	}
	defer rows.Close()
	var list []jid.JID
	for rows.Next() {
		var address string
		if err := rows.Scan(&address); err != nil {
			return nil, fmt.Errorf("read who is blocked: %w", err)
		}
		j, err := jid.Parse(address)
		if err != nil { // must not keep the others back
			t.log.Error("a blocked address is not readable", "account", account, "address", address, "err", err)
			continue
		}
		list = append(list, j)
	}
	return list, rows.Err()
}

const (
	blockSQL      = `INSERT INTO blocked (account, jid) SELECT jid, ? FROM accounts WHERE jid = ? ON CONFLICT DO NOTHING`
	countSQL      = `SELECT count(*) FROM blocked WHERE account = ?`
	unblockSQL    = `DELETE FROM blocked WHERE account = ? AND jid = ?`
	unblockAllSQL = `DELETE FROM blocked WHERE account = ?`
)

// Block implements blocking.Store.
func (t *Tables) Block(ctx context.Context, account jid.JID, list []jid.JID, reports []blocking.Report, committed func()) (kept int, err error) {
	err = t.store.Partition(account.String()).WriteThen(ctx, func(tx *sql.Tx) (err error) {
		kept = 0
		if err := store.LockAccount(tx, account); err != nil { // for the limits
			if errors.Is(err, store.ErrNoAccount) {
				return nil // it has been deleted meanwhile
			}
			return err
		}
		if err := t.block(tx, account, list); err != nil {
			return err
		}
		kept, err = t.addReports(tx, account, reports)
		return err
	}, committed)
	if err != nil {
		return 0, err
	}
	return kept, nil
}

func (t *Tables) block(tx *sql.Tx, account jid.JID, list []jid.JID) error {
	for _, j := range list {
		if _, err := tx.Exec(blockSQL, j.String(), account.String()); err != nil {
			return fmt.Errorf("block %s for %s: %w", j, account, err)
		}
	}
	var n int
	if err := tx.QueryRow(countSQL, account.String()).Scan(&n); err != nil {
		return fmt.Errorf("count who is blocked: %w", err)
	}
	if n > t.store.Limits().Blocked {
		t.store.Counters.Blocked.Add(1)
		return blocking.ErrFull // undoes it
	}
	return nil
}

// Unblock implements blocking.Store.
func (t *Tables) Unblock(ctx context.Context, account jid.JID, list []jid.JID, committed func()) error {
	return t.store.Partition(account.String()).WriteThen(ctx, func(tx *sql.Tx) error {
		if len(list) == 0 {
			_, err := tx.Exec(unblockAllSQL, account.String())
			return err
		}
		for _, j := range list {
			if _, err := tx.Exec(unblockSQL, account.String(), j.String()); err != nil {
				return fmt.Errorf("unblock %s for %s: %w", j, account, err)
			}
		}
		return nil
	}, committed)
}
