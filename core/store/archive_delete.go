package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Only the oldest are looked at: the order of writing is nearly that of time.
const (
	oldestMessagesSQL = `SELECT coalesce(max(number), 0) FROM (SELECT number FROM archive_messages ORDER BY number LIMIT ?) AS oldest`

	pruneEntriesSQL = `DELETE FROM archive_entries WHERE (archive, place) IN (
SELECT sender, place FROM archive_messages WHERE number <= ?1 AND place - late < ?2 AND sender IS NOT NULL UNION ALL
SELECT receiver, place FROM archive_messages WHERE number <= ?1 AND place - late < ?2 AND receiver IS NOT NULL)`

	// A minute that has entries left stays.
	pruneContactsSQL = `DELETE FROM archive_contacts WHERE (archive, contact, minute) IN (
SELECT sender, sender_contact, place / 60000000 FROM archive_messages WHERE number <= ?1 AND place - late < ?2 AND sender IS NOT NULL UNION
SELECT receiver, receiver_contact, place / 60000000 FROM archive_messages WHERE number <= ?1 AND place - late < ?2 AND receiver IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM archive_entries e WHERE e.archive = archive_contacts.archive AND e.contact = archive_contacts.contact
AND e.place BETWEEN archive_contacts.minute * 60000000 AND archive_contacts.minute * 60000000 + 59999999)`

	pruneMessagesSQL = `DELETE FROM archive_messages WHERE number <= ?1 AND place - late < ?2`
)

// PruneArchive deletes up to limit messages that are older than before, and reports how many
// those were, so that whoever calls it can go on in small steps.
func (s *Store) PruneArchive(ctx context.Context, before time.Time, limit int) (int64, error) {
	var n int64
	err := s.archives.change(ctx, jid.JID{}, func(tx *sql.Tx, w *archiveWriter) error {
		if err := w.indexAll(tx); err != nil {
			return err
		}
		var last int64
		if err := tx.QueryRow(oldestMessagesSQL, limit).Scan(&last); err != nil {
			return err
		}
		for _, text := range []string{pruneEntriesSQL, pruneContactsSQL} {
			if _, err := tx.Exec(text, last, before.UnixMicro()); err != nil {
				return err
			}
		}
		var err error
		n, err = affected(tx.Exec(pruneMessagesSQL, last, before.UnixMicro()))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune archives: %w", err)
	}
	return n, nil
}

// A message goes with the last account that has it in its archive.
const (
	deleteOwnMessagesSQL = `DELETE FROM archive_messages WHERE number IN (
SELECT message FROM archive_entries WHERE archive = ?1 AND place BETWEEN ?2 AND ?3)
AND coalesce(sender, ?1) = ?1 AND coalesce(receiver, ?1) = ?1`

	leaveSentSQL = `UPDATE archive_messages SET sender = NULL WHERE sender = ?1 AND number IN (
SELECT message FROM archive_entries WHERE archive = ?1 AND place BETWEEN ?2 AND ?3)`

	leaveReceivedSQL = `UPDATE archive_messages SET receiver = NULL WHERE receiver = ?1 AND number IN (
SELECT message FROM archive_entries WHERE archive = ?1 AND place BETWEEN ?2 AND ?3)`

	deleteEntriesSQL = `DELETE FROM archive_entries WHERE archive = ?1 AND place BETWEEN ?2 AND ?3`
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

	firstPlacesSQL = `SELECT count(*), coalesce(max(place), 0) FROM (SELECT place FROM archive_entries WHERE archive = ? ORDER BY place LIMIT ?) AS oldest`
)

// deletePiece is how many entries of a deleted account's archive are deleted in one transaction.
const deletePiece = 1000

// deleteArchive deletes an archive in small steps, before the account itself is deleted.
func (s *Store) deleteArchive(ctx context.Context, account jid.JID) error {
	for n := deletePiece; n == deletePiece; {
		err := s.archives.change(ctx, account, func(tx *sql.Tx, _ *archiveWriter) (err error) {
			n, err = deleteOldest(tx, account, deletePiece)
			return err
		})
		if err != nil {
			return fmt.Errorf("delete archive of %s: %w", account, err)
		}
	}
	return nil
}

// deleteAccount deletes what has been archived since, and forgets the account.
func (w *archiveWriter) deleteAccount(tx *sql.Tx, account jid.JID) error {
	delete(w.accounts, account.String())
	_, err := deleteOldest(tx, account, maxPlace)
	return err
}

// deleteOldest deletes up to limit entries of an archive, and returns how many.
func deleteOldest(tx *sql.Tx, account jid.JID, limit int) (n int, err error) {
	a, err := readArchiveAccount(context.Background(), tx, account)
	if a == nil || err != nil {
		return 0, err
	}
	var last int64
	if err := tx.QueryRow(firstPlacesSQL, a.number, limit).Scan(&n, &last); err != nil {
		return 0, err
	}
	if err := deleteEntries(tx, a.number, 0, last); err != nil {
		return 0, err
	}
	minutes, err := affected(tx.Exec(deleteContactsSQL, a.number, limit))
	return max(n, int(minutes)), err
}
