package archives

import (
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Row is one message for one account.
type Row struct {
	Account jid.JID
	ID      archive.ID
	IDText  string // the same, or an id that is no archive.ID
	ByText  bool   // it is none
	At      int64  // microseconds since 1970
	Stanza  *stanza.Stanza
}

// NewRow makes a row of an entry.
func NewRow(account jid.JID, e archive.Entry) Row {
	id, ok := archive.ParseID(e.ID)
	return Row{Account: account, ID: id, IDText: e.ID, ByText: !ok, At: e.At.UnixMicro(), Stanza: e.Stanza}
}

// Counters say whether entries are missing that were asked for. They are counted by row, and may be used from any
// goroutine.
type Counters struct {
	appended atomic.Int64 // rows that were queued
	visible  atomic.Int64 // rows whose entries have been committed, or that were refused

	mu  sync.Mutex
	new map[int64]int // entries by archive since TakeNew, perhaps some too many
}

// TakeNew returns how many entries were written since the last call, by the number of the archive.
func (c *Counters) TakeNew() map[int64]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.new
	c.new = nil
	return list
}

// countNew counts an entry.
func (c *Counters) countNew(number int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.new == nil {
		c.new = map[int64]int{}
	}
	c.new[number]++
}

// Appends is how many rows were queued since the start.
func (c *Counters) Appends() int64 { return c.appended.Load() }

// Appended counts a row before it is queued.
func (c *Counters) Appended() { c.appended.Add(1) }

// UpToDate reports whether queries see all that was queued.
func (c *Counters) UpToDate() bool { return c.appended.Load() == c.visible.Load() }

// timeOf is a time from microseconds since 1970.
func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

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
const indexSQL = `INSERT INTO archive_entries (archive, position, contact, message)
SELECT sender, position, sender_contact, number FROM archive_messages
WHERE number BETWEEN ?1 AND ?2 AND sender IN (SELECT number FROM archive_accounts)
UNION ALL
SELECT receiver, position, receiver_contact, number FROM archive_messages
WHERE number BETWEEN ?1 AND ?2 AND receiver IN (SELECT number FROM archive_accounts)
ORDER BY 1, 2`

const indexContactsSQL = `INSERT INTO archive_contacts (archive, contact, minute)
SELECT sender, sender_contact, position / 60000000 FROM archive_messages
WHERE number BETWEEN ?1 AND ?2 AND sender IN (SELECT number FROM archive_accounts)
UNION
SELECT receiver, receiver_contact, position / 60000000 FROM archive_messages
WHERE number BETWEEN ?1 AND ?2 AND receiver IN (SELECT number FROM archive_accounts)
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING`

// indexEntries writes the entries of messages that have none.
func indexEntries(tx *sql.Tx, first, last int64) error {
	if _, err := tx.Exec(indexSQL, first, last); err != nil {
		return fmt.Errorf("index archived messages: %w", err)
	}
	return nil
}

// indexContacts writes their rows of archive_contacts.
func indexContacts(tx *sql.Tx, first, last int64) error {
	if _, err := tx.Exec(indexContactsSQL, first, last); err != nil {
		return fmt.Errorf("index archived messages by contact: %w", err)
	}
	return nil
}
