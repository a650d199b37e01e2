package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// archives is the store's part that keeps the archives of the accounts. What is archived is
// written in two steps. The message is written with the next commit, to the end of a table, which is cheap,
// and then it is safe. The entries that queries go by belong to a page for each account: they are
// written for a few thousand messages at once, or as soon as somebody asks.
type archives struct {
	store *Store
	bulk  *Bulk[archiveRow]
	parts map[*Partition]*archiveWriter
}

func newArchives(s *Store) *archives {
	a := &archives{store: s, parts: map[*Partition]*archiveWriter{}}
	a.bulk = NewBulk(s, func(p *Partition) BulkWriter[archiveRow] {
		w := newArchiveWriter(s.dialect)
		a.parts[p] = w
		return w
	})
	return a
}

// archiveRow is one message for one account.
type archiveRow struct {
	account jid.JID
	id      archive.ID
	idText  string // the same, or an id that is no archive.ID
	byText  bool   // it is none
	at      int64
	stanza  *stanza.Stanza
}

// Archive implements mam.Store. Where both sides of a message are accounts of ours and it has one
// id for both, it is kept once. An id that the archive of the account has already is refused.
func (s *Store) Archive(account jid.JID, e archive.Entry, done func(error)) {
	id, ok := archive.ParseID(e.ID)
	row := archiveRow{account: account, id: id, idText: e.ID, byText: !ok, at: e.At.UnixMicro(), stanza: e.Stanza}
	s.archives.parts[s.Partition(account.String())].appended.Add(1)
	s.archives.bulk.Append(account.String(), row, done)
}

// refresh returns when everything that was archived for an account before is visible to queries.
func (a *archives) refresh(ctx context.Context, account jid.JID) error {
	p := a.store.Partition(account.String())
	w := a.parts[p]
	if w.appended.Load() == w.visible.Load() {
		return nil
	}
	return p.WriteThen(ctx, func(tx *sql.Tx) error { return w.refresh(tx, account) }, func() { w.Ended(0, nil) })
}

// change runs fn in the account's partition when all of its entries are visible.
func (a *archives) change(ctx context.Context, account jid.JID, fn func(tx *sql.Tx, w *archiveWriter) error) error {
	p := a.store.Partition(account.String())
	w := a.parts[p]
	return p.WriteThen(ctx, func(tx *sql.Tx) error {
		if err := w.refresh(tx, account); err != nil {
			return err
		}
		if err := fn(tx, w); err != nil {
			w.reset()
			return err
		}
		return nil
	}, func() { w.Ended(0, nil) })
}

// archiveCounters say whether entries are missing that were asked for. They are counted by row.
type archiveCounters struct {
	appended atomic.Int64 // rows that were queued
	visible  atomic.Int64 // rows whose entries have been committed, or that were refused
}

// Numbers of rows and messages.
const (
	indexEvery   = 8192 // messages whose entries are written at once
	numbersBlock = 4096 // numbers that are taken from the database at once
	maxAccounts  = 50_000
)

const (
	takeNumbersSQL = `UPDATE archive_state SET next = next + ? RETURNING next`
	indexedSQL     = `SELECT indexed FROM archive_state`
	setIndexedSQL  = `UPDATE archive_state SET indexed = ?`
	lastMessageSQL = `SELECT coalesce(max(number), 0) FROM archive_messages`
)

// The rows are sorted as the entries are, which makes inserting them cheap.
const indexSQL = `INSERT INTO archive_entries (archive, place, contact, message)
SELECT sender, place, sender_contact, number FROM archive_messages
WHERE number BETWEEN ?1 AND ?2 AND sender IN (SELECT number FROM archive_accounts)
UNION ALL
SELECT receiver, place, receiver_contact, number FROM archive_messages
WHERE number BETWEEN ?1 AND ?2 AND receiver IN (SELECT number FROM archive_accounts)
ORDER BY 1, 2`

const indexContactsSQL = `INSERT INTO archive_contacts (archive, contact, minute)
SELECT sender, sender_contact, place / 60000000 FROM archive_messages
WHERE number BETWEEN ?1 AND ?2 AND sender IN (SELECT number FROM archive_accounts)
UNION
SELECT receiver, receiver_contact, place / 60000000 FROM archive_messages
WHERE number BETWEEN ?1 AND ?2 AND receiver IN (SELECT number FROM archive_accounts)
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING`

// indexMessages writes the entries of messages that have none.
func indexMessages(tx *sql.Tx, first, last int64) error {
	for _, text := range []string{indexSQL, indexContactsSQL} {
		if _, err := tx.Exec(text, first, last); err != nil {
			return fmt.Errorf("index archived messages: %w", err)
		}
	}
	return nil
}
