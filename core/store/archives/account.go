package archives

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
)

// slack is how far the position of an entry may be behind its time before that is noted, in microseconds. Positions rise
// within an archive: two messages of one microsecond do not have the same one.
const slack = 1_000_000

const (
	accountSQL = `SELECT number, drift FROM archive_accounts WHERE account = ?`

	addAccountSQL = `INSERT INTO archive_accounts (number, account, drift) SELECT CAST(?1 AS BIGINT), jid, 0 FROM accounts WHERE jid = ?2
ON CONFLICT (account) DO NOTHING`

	lastPositionSQL = `SELECT coalesce(max(position), 0) FROM archive_entries WHERE archive = ?`

	setDriftSQL = `UPDATE archive_accounts SET drift = ? WHERE number = ?`
)

// account is what is known of an account; nil where it does not exist.
func (w *Writer) account(tx *sql.Tx, account jid.JID) (*accountState, error) {
	if a := w.accounts[account.String()]; a != nil {
		return a, nil
	}
	a, err := readAccount(context.Background(), tx, account)
	if err != nil {
		return nil, err
	}
	if a == nil {
		number, err := w.takeNumber(tx)
		if err != nil {
			return nil, err
		}
		if _, err := tx.Exec(addAccountSQL, number, account.String()); err != nil {
			return nil, fmt.Errorf("make archive of %s: %w", account, err)
		}
		if a, err = readAccount(context.Background(), tx, account); a == nil || err != nil {
			return nil, err
		}
	}
	if err := tx.QueryRow(lastPositionSQL, a.number).Scan(&a.last); err != nil {
		return nil, fmt.Errorf("read end of archive of %s: %w", account, err)
	}
	w.accounts[account.String()] = a
	return a, nil
}

// readAccount reads an account's row; nil where nothing has been archived for it.
func readAccount(ctx context.Context, q Reader, account jid.JID) (*accountState, error) {
	var a accountState
	err := q.QueryRowContext(ctx, accountSQL, account.String()).Scan(&a.number, &a.drift)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find archive of %s: %w", account, err)
	}
	return &a, nil
}

// drifted notes that an entry is further behind its time than any before.
func (w *Writer) drifted(tx *sql.Tx, a *accountState, by int64) error {
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
func (w *Writer) has(tx *sql.Tx, a *accountState, r *Row, made int64, ref messageRef) (bool, error) {
	if ref.sender == a.number || ref.receiver == a.number {
		return true, nil
	}
	if r.ByText || ref.several { // these are looked for in the database alone
		if err := w.flush(tx); err != nil {
			return false, err
		}
		if err := w.IndexAll(tx); err != nil {
			return false, err
		}
	}
	var err error
	switch {
	case r.ByText:
		_, err = findByText(context.Background(), tx, a, r.IDText)
	case made <= a.last:
		_, err = findByID(context.Background(), tx, a, r.ID)
	default:
		return false, nil
	}
	if errors.Is(err, archive.ErrNoEntry) {
		return false, nil
	}
	return err == nil, err
}

// IndexAll writes the entries of all messages that are in the database.
func (w *Writer) IndexAll(tx *sql.Tx) error {
	if !w.deferred {
		return nil
	}
	var last int64
	if err := tx.QueryRow(lastMessageSQL).Scan(&last); err != nil {
		return fmt.Errorf("read state of archives: %w", err)
	}
	return w.indexTo(tx, last)
}

// Undo is called with the outcome of a function that has run beside the writer in its transaction: what it has
// changed may be undone.
func (w *Writer) Undo(err error) error {
	if err != nil {
		w.reset()
	}
	return err
}

// Refresh writes the entries of an account that are missing.
func (w *Writer) Refresh(tx *sql.Tx, account jid.JID) error {
	err := w.begin(tx)
	if a := w.accounts[account.String()]; err == nil && a != nil && a.message > w.indexed {
		err = w.IndexAll(tx)
	}
	if err != nil {
		w.reset()
	}
	return err
}
