package archives

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxRetractedBytes is how much of the messages with a contact is read for one retraction, the newest first.
const maxRetractedBytes = 2 << 20

// FindRetracted finds the positions of a message that is retracted, and of its corrections, among the last thousand messages with
// the contact.
func FindRetracted(ctx context.Context, reads Reader, account jid.JID, r archive.Retraction) (positions []int64, err error) {
	a, err := readAccount(ctx, reads, account)
	if a == nil || err != nil {
		return nil, err
	}
	read := 0
	err = newest(ctx, reads, a, r.Contact, func(position int64, form []byte) bool {
		read += len(form)
		if st, err := parseForm(form, account, ""); err == nil && r.Retracts(st) {
			positions = append(positions, position)
		}
		return read < maxRetractedBytes
	})
	if err != nil {
		return nil, fmt.Errorf("find retracted message: %w", err)
	}
	return positions, nil
}

// storedRow is a message of an archive.
type storedRow struct {
	number, position, late    int64
	id                        []byte
	sender, receiver          sql.NullInt64
	senderContact, recContact sql.NullInt64
	form                      []byte
}

const (
	storedRowSQL = `SELECT m.number, m.position, m.late, m.id, m.sender, m.receiver, m.sender_contact, m.receiver_contact, m.message
FROM archive_entries e CROSS JOIN archive_messages m WHERE m.number = e.message AND e.archive = ? AND e.position = ?`

	setMessageSQL    = `UPDATE archive_messages SET message = ? WHERE number = ?`
	leaveSenderSQL   = `UPDATE archive_messages SET sender = NULL, sender_contact = NULL WHERE number = ?`
	leaveReceiverSQL = `UPDATE archive_messages SET receiver = NULL, receiver_contact = NULL WHERE number = ?`
	setEntrySQL      = `UPDATE archive_entries SET message = ? WHERE archive = ? AND position = ?`
)

// Retract turns messages of an archive into tombstones (XEP-0424 §4), and takes their words out of the index.
func (w *Writer) Retract(tx *sql.Tx, account jid.JID, positions []int64, r archive.Retraction) error {
	if err := w.IndexAll(tx); err != nil {
		return err
	}
	a, err := readAccount(context.Background(), tx, account)
	if a == nil || err != nil {
		return err
	}
	for _, position := range positions {
		if err := w.retract(tx, account, retracted{a.number, position}, r); err != nil {
			return fmt.Errorf("retract message: %w", err)
		}
	}
	return nil
}

// retracted is an entry.
type retracted struct{ archive, position int64 }

func (w *Writer) retract(tx *sql.Tx, account jid.JID, e retracted, r archive.Retraction) error {
	var m storedRow
	err := tx.QueryRow(storedRowSQL, e.archive, e.position).Scan(&m.number, &m.position, &m.late, &m.id, &m.sender, &m.receiver, &m.senderContact, &m.recContact, &m.form)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it was deleted meanwhile
	}
	if err != nil {
		return err
	}
	st, err := parseForm(m.form, account, "")
	if err != nil || !r.Retracts(st) {
		return nil
	}
	if err := Words.Remove(tx, e.archive, e.position, terms(st, contactHash(peerOf(account, st)))); err != nil {
		return err
	}
	form := appendForm(nil, st, stanza.Encode(r.Tombstone()), !isSender(account, st))
	shared := m.sender.Valid && m.receiver.Valid && m.sender.Int64 != m.receiver.Int64
	if !shared {
		_, err = tx.Exec(setMessageSQL, form, m.number)
		return err
	}
	return w.split(tx, e, &m, form)
}

// split gives an archive a message of its own in place of one that another account has, too: that one has not got the retraction yet, and
// perhaps it never does.
func (w *Writer) split(tx *sql.Tx, e retracted, m *storedRow, form []byte) error {
	number, err := w.takeNumber(tx)
	if err != nil {
		return err
	}
	leave, args := leaveReceiverSQL, []any{number, m.position, m.late, m.id, nil, m.receiver, nil, m.recContact, form}
	if m.sender.Int64 == e.archive {
		leave, args = leaveSenderSQL, []any{number, m.position, m.late, m.id, m.sender, nil, m.senderContact, nil, form}
	}
	for _, step := range []struct {
		text string
		args []any
	}{{leave, []any{m.number}}, {insertMessages(1), args}, {setEntrySQL, []any{number, e.archive, e.position}}} {
		if _, err := tx.Exec(step.text, step.args...); err != nil {
			return err
		}
	}
	if w.deferred { // its entry is there
		if _, err := tx.Exec(setIndexedSQL, number); err != nil {
			return err
		}
		w.indexed = number
	}
	return nil
}
