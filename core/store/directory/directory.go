package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/features/search"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Tables are the tables of a server. Its methods may be called from any goroutine.
type Tables struct{ store *store.Store }

// New returns the tables in a database.
func New(s *store.Store) *Tables { return &Tables{s} }

var _ search.Store = (*Tables)(nil)

const directoryEntrySQL = `SELECT given, family, nick, email FROM directory WHERE account = ?`

// DirectoryEntry implements search.Store.
func (t *Tables) DirectoryEntry(ctx context.Context, account jid.JID) (search.Entry, bool, error) {
	e := search.Entry{Account: account}
	err := t.store.Reader().QueryRowContext(ctx, directoryEntrySQL, account.String()).Scan(&e.First, &e.Last, &e.Nick, &e.EMail)
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("read directory entry of %s: %w", account, err)
	}
	return e, true, nil
}

const setDirectoryEntrySQL = `INSERT INTO directory (account, host, given, family, nick, email, given_key, family_key, nick_key, email_key)
SELECT jid, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM accounts WHERE jid = ?1
ON CONFLICT (account) DO UPDATE SET given = excluded.given, family = excluded.family, nick = excluded.nick, email = excluded.email,
    given_key = excluded.given_key, family_key = excluded.family_key, nick_key = excluded.nick_key, email_key = excluded.email_key`

// SetDirectoryEntry implements search.Store. It does nothing for an account that has been deleted meanwhile.
func (t *Tables) SetDirectoryEntry(ctx context.Context, e search.Entry, keys [4]string) error {
	for i := range keys {
		keys[i] = " " + keys[i] + " "
	}
	return t.store.Partition(e.Account.String()).Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(setDirectoryEntrySQL, e.Account.String(), e.Account.Domain(), e.First, e.Last, e.Nick, e.EMail,
			keys[0], keys[1], keys[2], keys[3])
		if err != nil {
			return fmt.Errorf("write directory entry of %s: %w", e.Account, err)
		}
		return nil
	})
}

const removeDirectoryEntrySQL = `DELETE FROM directory WHERE account = ?`

// RemoveDirectoryEntry implements search.Store.
func (t *Tables) RemoveDirectoryEntry(ctx context.Context, account jid.JID) (found bool, err error) {
	err = t.store.Partition(account.String()).Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.Exec(removeDirectoryEntrySQL, account.String())
		if err != nil {
			return fmt.Errorf("remove directory entry of %s: %w", account, err)
		}
		n, err := result.RowsAffected()
		found = n > 0
		return err
	})
	return found, err
}

const searchDirectorySQL = `SELECT account, given, family, nick, email FROM directory
WHERE host = ?1 AND given_key LIKE ?2 ESCAPE '\' AND family_key LIKE ?3 ESCAPE '\' AND nick_key LIKE ?4 ESCAPE '\' AND email_key LIKE ?5 ESCAPE '\'
AND NOT EXISTS (SELECT 1 FROM blocked WHERE blocked.account = directory.account AND blocked.jid IN (?6, ?1))
AND NOT EXISTS (SELECT 1 FROM removals WHERE removals.account = directory.account)
ORDER BY account LIMIT ?7`

// SearchDirectory implements search.Store.
func (t *Tables) SearchDirectory(ctx context.Context, q search.Query) ([]search.Entry, error) {
	args := []any{q.Host.String()}
	for _, term := range q.Terms {
		args = append(args, pattern(term))
	}
	list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (e search.Entry, err error) {
		var account string
		if err := row.Scan(&account, &e.First, &e.Last, &e.Nick, &e.EMail); err != nil {
			return e, err
		}
		e.Account, err = jid.Parse(account)
		return e, err
	}, searchDirectorySQL, append(args, q.By.String(), q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("search directory of %s: %w", q.Host, err)
	}
	return list, nil
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// pattern returns what LIKE compares a key with.
func pattern(t search.Term) string {
	switch {
	case t.Words == "":
		return "%"
	case t.Prefix:
		return "% " + escapeLike.Replace(t.Words) + "%"
	}
	return "% " + escapeLike.Replace(t.Words) + " %"
}

const hostAccountsSQL = `SELECT jid FROM accounts WHERE jid LIKE ? ESCAPE '\'
AND NOT EXISTS (SELECT 1 FROM removals WHERE removals.account = accounts.jid) ORDER BY jid LIMIT ?`

// HostAccounts returns the first accounts of a host by address, without those that are being deleted.
func (t *Tables) HostAccounts(ctx context.Context, host jid.JID, limit int) ([]jid.JID, error) {
	list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (j jid.JID, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return j, err
		}
		return jid.Parse(text)
	}, hostAccountsSQL, "%@"+escapeLike.Replace(host.Domain()), limit)
	if err != nil {
		return nil, fmt.Errorf("list accounts of %s: %w", host, err)
	}
	return list, nil
}
