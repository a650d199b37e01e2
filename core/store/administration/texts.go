package administration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const textsSQL = `SELECT name, text, version, since FROM server_texts WHERE host = ?`

// Texts implements admin.TextStore.
func (t *Tables) Texts(ctx context.Context, host jid.JID) (map[admin.TextName]admin.Text, error) {
	type row struct {
		name admin.TextName
		admin.Text
	}
	list, err := scan.Rows(ctx, t.Reader(), func(s scan.Row) (r row, err error) {
		var since int64
		err = s.Scan(&r.name, &r.Text.Text, &r.Version, &since)
		r.Since = time.UnixMicro(since)
		return r, err
	}, textsSQL, host.Domain())
	if err != nil {
		return nil, fmt.Errorf("read texts of %s: %w", host, err)
	}
	texts := make(map[admin.TextName]admin.Text, len(list))
	for _, r := range list {
		texts[r.name] = r.Text
	}
	return texts, nil
}

const (
	setTextSQL = `INSERT INTO server_texts (host, name, text, version, since) VALUES (?1, ?2, ?3, ?4, ?4)
ON CONFLICT (host, name) DO UPDATE SET text = excluded.text,
version = CASE WHEN server_texts.version >= excluded.version THEN server_texts.version + 1 ELSE excluded.version END`

	deleteTextSQL = `DELETE FROM server_texts WHERE host = ? AND name = ?`
)

// SetText implements admin.TextStore.
func (t *Tables) SetText(ctx context.Context, host jid.JID, name admin.TextName, text string) error {
	return t.Write(ctx, func(tx *sql.Tx) error {
		query, args := setTextSQL, []any{host.Domain(), string(name), text, now()}
		if text == "" {
			query, args = deleteTextSQL, args[:2]
		}
		if _, err := tx.Exec(query, args...); err != nil {
			return fmt.Errorf("write text %s of %s: %w", name, host, err)
		}
		return nil
	})
}

const seenSQL = `SELECT a.created, s.name, s.version FROM accounts a LEFT JOIN server_texts_seen s ON s.account = a.jid WHERE a.jid = ?`

// Seen implements admin.TextStore.
func (t *Tables) Seen(ctx context.Context, account jid.JID) (admin.Seen, error) {
	seen := admin.Seen{Versions: map[admin.TextName]int64{}}
	_, err := scan.Rows(ctx, t.Reader(), func(row scan.Row) (struct{}, error) {
		var created int64
		var name sql.NullString
		var version sql.NullInt64
		err := row.Scan(&created, &name, &version)
		seen.Created = time.UnixMicro(created)
		if name.Valid {
			seen.Versions[admin.TextName(name.String)] = version.Int64
		}
		return struct{}{}, err
	}, seenSQL, account.String())
	if err != nil {
		return seen, fmt.Errorf("read which texts %s has seen: %w", account, err)
	}
	return seen, nil
}

// An account that has been deleted meanwhile gets no row.
const markSeenSQL = `INSERT INTO server_texts_seen (account, name, version) SELECT jid, ?, ? FROM accounts WHERE jid = ?
ON CONFLICT (account, name) DO UPDATE SET version = excluded.version WHERE server_texts_seen.version < excluded.version`

// MarkSeen implements admin.TextStore.
func (t *Tables) MarkSeen(ctx context.Context, accounts []jid.JID, name admin.TextName, version int64) ([]jid.JID, error) {
	var fresh []jid.JID
	err := t.Write(ctx, func(tx *sql.Tx) error {
		fresh = nil // it may run again
		for _, account := range accounts {
			r, err := tx.Exec(markSeenSQL, string(name), version, account.String())
			if err != nil {
				return fmt.Errorf("note that %s has seen %s: %w", account, name, err)
			}
			if n, err := r.RowsAffected(); err != nil {
				return err
			} else if n > 0 {
				fresh = append(fresh, account)
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrNoAccount) {
		return nil, nil
	}
	return fresh, err
}
