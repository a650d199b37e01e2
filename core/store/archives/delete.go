package archives

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Pruning says which messages are too old.
type Pruning struct {
	Before time.Time // those that were archived earlier are deleted
	Now    time.Time // what claims to be later was archived while the clock was ahead
	After  int64     // messages up to this number are left alone
	Limit  int       // messages that are looked at
}

// Only the oldest are looked at: the order of writing is nearly that of time. The time of a message is its position:
// it does not go back when the clock does, and a message that was archived while the clock was behind is not deleted
// for that. A position that is in the future comes from a clock that was ahead, and then the time of arrival counts.
// What claims to have arrived in the future was archived before what was written later.
const (
	timeSQL = `CASE WHEN position <= ?3 THEN position ELSE position - late END`

	oldestMessagesSQL = `SELECT count(*), coalesce(max(number), 0), coalesce(max(CASE WHEN at < ?4 THEN number END), 0),
count(CASE WHEN at >= ?4 AND at <= ?3 THEN 1 END)
FROM (SELECT number, ` + timeSQL + ` AS at FROM archive_messages WHERE number > ?1 ORDER BY number LIMIT ?2) AS oldest`

	oldSQL = `number BETWEEN ?1 AND ?2 AND (` + timeSQL + ` < ?4 OR position - late > ?3 AND number < ?5)`

	pruneEntriesSQL = `DELETE FROM archive_entries WHERE (archive, position) IN (
SELECT sender, position FROM archive_messages WHERE ` + oldSQL + ` AND sender IS NOT NULL UNION ALL
SELECT receiver, position FROM archive_messages WHERE ` + oldSQL + ` AND receiver IS NOT NULL)`

	// A minute that has entries left stays.
	pruneContactsSQL = `DELETE FROM archive_contacts WHERE (archive, contact, minute) IN (
SELECT sender, sender_contact, position / 60000000 FROM archive_messages WHERE ` + oldSQL + ` AND sender IS NOT NULL UNION
SELECT receiver, receiver_contact, position / 60000000 FROM archive_messages WHERE ` + oldSQL + ` AND receiver IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM archive_entries e WHERE e.archive = archive_contacts.archive AND e.contact = archive_contacts.contact
AND e.position BETWEEN archive_contacts.minute * 60000000 AND archive_contacts.minute * 60000000 + 59999999)`

	pruneMessagesSQL = `DELETE FROM archive_messages WHERE ` + oldSQL
)

// Prune looks at some of the oldest messages, and deletes those that are too old. It returns how many those were, and
// the number up to which it has looked; 0 says that there is nothing more to do.
func (w *Writer) Prune(tx *sql.Tx, p Pruning) (deleted, after int64, err error) {
	if err := w.IndexAll(tx); err != nil {
		return 0, 0, err
	}
	now, before := p.Now.UnixMicro(), p.Before.UnixMicro()
	var found, last, lastOld, young int64
	if err := tx.QueryRow(oldestMessagesSQL, p.After, p.Limit, now, before).Scan(&found, &last, &lastOld, &young); err != nil {
		return 0, 0, err
	}
	first := p.After + 1
	if lastOld > 0 { // also those that were passed over
		first = 0
	}
	args := []any{first, last, now, before, lastOld}
	for _, text := range []string{pruneEntriesSQL, pruneContactsSQL} {
		if _, err := tx.Exec(text, args...); err != nil {
			return 0, 0, err
		}
	}
	if deleted, err = affected(tx.Exec(pruneMessagesSQL, args...)); err != nil {
		return 0, 0, err
	}
	if young > 0 || found < int64(p.Limit) {
		last = 0
	}
	return deleted, last, nil
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// A message goes with the last account that has it in its archive.
const (
	deleteOwnMessagesSQL = `DELETE FROM archive_messages WHERE number IN (
SELECT message FROM archive_entries WHERE archive = ?1 AND position BETWEEN ?2 AND ?3)
AND coalesce(sender, ?1) = ?1 AND coalesce(receiver, ?1) = ?1`

	leaveSentSQL = `UPDATE archive_messages SET sender = NULL WHERE sender = ?1 AND number IN (
SELECT message FROM archive_entries WHERE archive = ?1 AND position BETWEEN ?2 AND ?3)`

	leaveReceivedSQL = `UPDATE archive_messages SET receiver = NULL WHERE receiver = ?1 AND number IN (
SELECT message FROM archive_entries WHERE archive = ?1 AND position BETWEEN ?2 AND ?3)`

	deleteEntriesSQL = `DELETE FROM archive_entries WHERE archive = ?1 AND position BETWEEN ?2 AND ?3`
)

// deleteEntries deletes a range of an archive. Minutes in archive_contacts that have no entries any more do no harm.
func deleteEntries(tx *sql.Tx, account, from, to int64) error {
	for _, text := range []string{deleteOwnMessagesSQL, leaveSentSQL, leaveReceivedSQL, deleteEntriesSQL} {
		if _, err := tx.Exec(text, account, from, to); err != nil {
			return fmt.Errorf("delete entries of an archive: %w", err)
		}
	}
	return nil
}

const (
	deleteContactsSQL = `DELETE FROM archive_contacts WHERE archive = ?1 AND (contact, minute) IN (
SELECT contact, minute FROM archive_contacts WHERE archive = ?1 LIMIT ?2)`

	firstPositionsSQL = `SELECT count(*), coalesce(max(position), 0) FROM (SELECT position FROM archive_entries WHERE archive = ? ORDER BY position LIMIT ?) AS oldest`
)

const lockArchiveSQL = `SELECT number FROM archive_accounts WHERE account = ? /*postgres FOR UPDATE*/`

// DeleteAccount deletes an archive, and forgets the account. The lock keeps others from writing
// entries between their deletion and that of the account.
func (w *Writer) DeleteAccount(tx *sql.Tx, account jid.JID) error {
	delete(w.accounts, account.String())
	var number int64
	if err := tx.QueryRow(lockArchiveSQL, account.String()).Scan(&number); errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return fmt.Errorf("lock archive of %s: %w", account, err)
	}
	_, err := DeleteOldest(tx, account, maxPosition)
	return err
}

// DeleteOldest deletes up to limit entries of an archive, and returns how many.
func DeleteOldest(tx *sql.Tx, account jid.JID, limit int) (n int, err error) {
	a, err := readAccount(context.Background(), tx, account)
	if a == nil || err != nil {
		return 0, err
	}
	var last int64
	if err := tx.QueryRow(firstPositionsSQL, a.number, limit).Scan(&n, &last); err != nil {
		return 0, err
	}
	if err := deleteEntries(tx, a.number, 0, last); err != nil {
		return 0, err
	}
	minutes, err := affected(tx.Exec(deleteContactsSQL, a.number, limit))
	return max(n, int(minutes)), err
}

// DeleteMessage deletes the entries of a message that the account has received, found by its sender and its id among
// the last ones of that sender.
func DeleteMessage(tx *sql.Tx, account jid.JID, st *stanza.Stanza) error {
	a, err := readAccount(context.Background(), tx, account)
	if a == nil || err != nil {
		return err
	}
	positions, err := positionsOf(tx, a, account, st)
	for _, position := range positions {
		if err := deleteEntries(tx, a.number, position, position); err != nil {
			return err
		}
	}
	return err
}

func positionsOf(tx *sql.Tx, a *accountState, account jid.JID, st *stanza.Stanza) (positions []int64, err error) {
	err = newest(context.Background(), tx, a, st.From, func(position int64, form []byte) bool {
		if had, err := parseForm(form, account, ""); err == nil && had.ID == st.ID && had.From == st.From {
			positions = append(positions, position)
		}
		return true
	})
	return positions, err
}

// What newest reads: messages, and minutes of a contact at once.
const (
	maxNewest     = 1000
	newestMinutes = 200
)

// newest calls f with the last thousand messages with a contact, the newest first, until it returns false.
func newest(ctx context.Context, reads Reader, a *accountState, contact jid.JID, f func(position int64, form []byte) bool) error {
	q := query{reads: reads, of: a, with: contact.Bare(), to: maxPosition, backwards: true}
	for left := maxNewest; left > 0; {
		found, err := q.toMinutes(ctx, newestMinutes)
		if err != nil || found == 0 {
			return err
		}
		n, more, err := q.each(ctx, left, f)
		if err != nil || !more || found < newestMinutes {
			return err
		}
		left -= n
		q.from, q.to = 0, q.from-1
	}
	return nil
}

// each calls f with up to limit entries of the range, and returns how many it has read; more is false when f was.
func (q *query) each(ctx context.Context, limit int, f func(position int64, form []byte) bool) (n int, more bool, err error) {
	text, args := q.statement(`e.position, m.message`, pageMessagesSQL, ` ORDER BY c.minute DESC, e.position DESC LIMIT ?`, limit)
	rows, err := q.reads.QueryContext(ctx, text, args...)
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var position int64
		var form sql.RawBytes
		if err := rows.Scan(&position, &form); err != nil {
			return n, false, err
		}
		if n++; !f(position, form) {
			return n, false, nil
		}
	}
	return n, true, rows.Err()
}
