package archives

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
)

const (
	archivePolicySQL = `SELECT policy FROM archive_prefs WHERE account = ?`

	archiveContactsSQL = `SELECT contact, keep FROM archive_prefs_contacts WHERE account = ? ORDER BY contact`
)

// Prefs reads the preferences of an account.
func Prefs(ctx context.Context, reads Reader, account jid.JID) (archive.Prefs, error) {
	p := archive.Prefs{Default: archive.Always}
	fail := func(err error) (archive.Prefs, error) {
		return p, fmt.Errorf("read archive preferences of %s: %w", account, err)
	}
	err := reads.QueryRowContext(ctx, archivePolicySQL, account.String()).Scan(&p.Default)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return fail(err)
	}
	rows, err := reads.QueryContext(ctx, archiveContactsSQL, account.String())
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var keep bool
		if err := rows.Scan(&text, &keep); err != nil {
			return fail(err)
		}
		contact, err := jid.Parse(text)
		if err != nil {
			return fail(err)
		}
		if keep {
			p.Always = append(p.Always, contact)
		} else {
			p.Never = append(p.Never, contact)
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return p, nil
}

const (
	deletePrefsSQL = `DELETE FROM archive_prefs WHERE account = ?`

	putPolicySQL = `INSERT INTO archive_prefs (account, policy) VALUES (?, ?)`

	putContactSQL = `INSERT INTO archive_prefs_contacts (account, contact, keep) VALUES (?, ?, ?)`
)

// SetPrefs replaces the preferences of an account.
func SetPrefs(tx *sql.Tx, account jid.JID, p archive.Prefs) error {
	fail := func(err error) error { return fmt.Errorf("write archive preferences of %s: %w", account, err) }
	if _, err := tx.Exec(deletePrefsSQL, account.String()); err != nil {
		return fail(err)
	}
	if _, err := tx.Exec(putPolicySQL, account.String(), string(p.Default)); err != nil {
		return fail(err)
	}
	for _, list := range []struct {
		contacts []jid.JID
		keep     bool
	}{{p.Always, true}, {p.Never, false}} {
		for _, contact := range list.contacts {
			if _, err := tx.Exec(putContactSQL, account.String(), contact.String(), list.keep); err != nil {
				return fail(err)
			}
		}
	}
	return nil
}
