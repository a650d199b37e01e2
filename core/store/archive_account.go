package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
)

// slack is how far the place of an entry may be behind its time before that is noted, in microseconds. Places rise
// within an archive: two messages of one microsecond do not have the same one.
const slack = 1_000_000

const (
	archiveAccountSQL = `SELECT number, drift FROM archive_accounts WHERE account = ?`

	addArchiveAccountSQL = `INSERT INTO archive_accounts (number, account, drift) SELECT CAST(?1 AS BIGINT), jid, 0 FROM accounts WHERE jid = ?2
ON CONFLICT (account) DO NOTHING`

	lastPlaceSQL = `SELECT coalesce(max(place), 0) FROM archive_entries WHERE archive = ?`

	setDriftSQL = `UPDATE archive_accounts SET drift = ? WHERE number = ?`
)

// account is what is known of an account; nil where it does not exist.
func (w *archiveWriter) account(tx *sql.Tx, account jid.JID) (*archiveAccount, error) {
	if a := w.accounts[account.String()]; a != nil {
		return a, nil
	}
	a, err := readArchiveAccount(context.Background(), tx, account)
	if err != nil {
		return nil, err
	}
	if a == nil {
		number, err := w.takeNumber(tx)
		if err != nil {
			return nil, err
		}
		if _, err := tx.Exec(addArchiveAccountSQL, number, account.String()); err != nil {
			return nil, fmt.Errorf("make archive of %s: %w", account, err)
		}
		if a, err = readArchiveAccount(context.Background(), tx, account); a == nil || err != nil {
			return nil, err
		}
	}
	if err := tx.QueryRow(lastPlaceSQL, a.number).Scan(&a.last); err != nil {
		return nil, fmt.Errorf("read end of archive of %s: %w", account, err)
	}
	w.accounts[account.String()] = a
	return a, nil
}

// readArchiveAccount reads an account's row; nil where nothing has been archived for it.
func readArchiveAccount(ctx context.Context, q querier, account jid.JID) (*archiveAccount, error) {
	var a archiveAccount
	err := q.QueryRowContext(ctx, archiveAccountSQL, account.String()).Scan(&a.number, &a.drift)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find archive of %s: %w", account, err)
	}
	return &a, nil
}

// drifted notes that an entry is further behind its time than any before.
func (w *archiveWriter) drifted(tx *sql.Tx, a *archiveAccount, by int64) error {
	if by <= a.drift || by < slack {
		return nil
	}
	if _, err := tx.Exec(setDriftSQL, by, a.number); err != nil {
		return fmt.Errorf("note that the clock was set back: %w", err)
	}
	a.drift = by
	return nil
}

// has reports whether an archive has an entry with the id of a row, which was made at that time. An entry is never
// before the time in its id: an id that is newer than the last entry is new.
func (w *archiveWriter) has(tx *sql.Tx, a *archiveAccount, r *archiveRow, made int64, ref archiveRef) (bool, error) {
	if ref.sender == a.number || ref.receiver == a.number {
		return true, nil
	}
	if r.byText || ref.several { // these are looked for in the database alone
		if err := w.flush(tx); err != nil {
			return false, err
		}
		if err := w.indexAll(tx); err != nil {
			return false, err
		}
	}
	var err error
	switch {
	case r.byText:
		_, err = findByText(context.Background(), tx, a, r.idText)
	case made <= a.last:
		_, err = findByID(context.Background(), tx, a, r.id)
	default:
		return false, nil
	}
	if errors.Is(err, archive.ErrNoEntry) {
		return false, nil
	}
	return err == nil, err
}

// indexAll writes the entries of all messages that are in the database.
func (w *archiveWriter) indexAll(tx *sql.Tx) error {
	if !w.deferred {
		return nil
	}
	var last int64
	if err := tx.QueryRow(lastMessageSQL).Scan(&last); err != nil {
		return fmt.Errorf("read state of archives: %w", err)
	}
	return w.indexTo(tx, last)
}

// refresh writes the entries of an account that are missing.
func (w *archiveWriter) refresh(tx *sql.Tx, account jid.JID) error {
	err := w.begin(tx)
	if a := w.accounts[account.String()]; err == nil && a != nil && a.message > w.indexed {
		err = w.indexAll(tx)
	}
	if err != nil {
		w.reset()
	}
	return err
}
