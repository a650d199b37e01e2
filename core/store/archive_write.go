package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// archiveWriter writes what is archived in one partition. It belongs to the partition's
// goroutine. What it knows of the accounts is what the transaction holds: it is forgotten
// after a transaction that was not committed, or a call that was undone.
type archiveWriter struct {
	archiveCounters
	deferred bool // entries are written later than their messages

	tx     *sql.Tx // that the rest is good in
	open   bool    // tx has not been committed yet
	loaded bool

	accounts map[string]*archiveAccount
	numbers  struct{ next, end int64 } // that are taken
	indexed  int64                     // messages up to here have their entries
	pending  int                       // messages behind that
	ids      map[archive.ID]archiveRef // of those
	handled  int64                     // rows that have their outcome

	batch archiveBatch
}

// archiveAccount is what is known of an account that has an archive.
type archiveAccount struct {
	number  int64
	last    int64 // place of the last entry
	drift   int64
	message int64 // number of the last message
}

// archiveRef is a message without entries: who has it, and where it is in the batch of that number.
type archiveRef struct {
	sender, receiver int64
	batch            int64
	index            int
	several          bool // there are more messages with this id
}

// archiveBatch is what one call of WriteRows is going to write.
type archiveBatch struct {
	number   int64
	messages []archivedMessage
	args     []any
	forms    []byte
	stamp    []byte
}

// archivedMessage is a row of archive_messages.
type archivedMessage struct {
	number, place, late       int64
	id                        archive.ID
	text                      string
	sender, receiver          int64 // 0 is NULL
	senderContact, recContact int64
	stanza                    *stanza.Stanza
	payload                   string // without the receiver's stanza-id
	stamped                   bool   // it had that
	form                      []byte // instead of these three: as it is kept
}

func newArchiveWriter(d Dialect) *archiveWriter {
	w := &archiveWriter{deferred: d == SQLite}
	w.visible.Store(-1) // after a restart there may be messages without entries
	w.reset()
	return w
}

// reset forgets what is not certain any more.
func (w *archiveWriter) reset() {
	w.loaded = false
	w.accounts, w.ids = map[string]*archiveAccount{}, map[archive.ID]archiveRef{}
	w.numbers.next, w.numbers.end, w.pending = 0, 0, 0
}

// begin joins a transaction.
func (w *archiveWriter) begin(tx *sql.Tx) error {
	if w.tx != tx {
		if w.open { // the one before was not committed
			w.reset()
		}
		w.tx = tx
	}
	w.open = true
	if w.loaded {
		return nil
	}
	if err := w.load(tx); err != nil {
		w.reset()
		return err
	}
	w.loaded = true
	return nil
}

// load reads how far the entries are written, and writes those that are missing: after a restart
// their ids are known from nowhere else.
func (w *archiveWriter) load(tx *sql.Tx) error {
	if !w.deferred {
		return nil
	}
	var last int64
	if err := tx.QueryRow(indexedSQL).Scan(&w.indexed); err != nil {
		return fmt.Errorf("read state of archives: %w", err)
	}
	if err := tx.QueryRow(lastMessageSQL).Scan(&last); err != nil {
		return fmt.Errorf("read state of archives: %w", err)
	}
	return w.indexTo(tx, last)
}

// indexTo writes the entries of all messages up to a number.
func (w *archiveWriter) indexTo(tx *sql.Tx, last int64) error {
	if last <= w.indexed {
		return nil
	}
	if err := indexMessages(tx, w.indexed+1, last); err != nil {
		return err
	}
	if _, err := tx.Exec(setIndexedSQL, last); err != nil {
		return fmt.Errorf("index archived messages: %w", err)
	}
	w.indexed, w.pending = last, 0
	clear(w.ids)
	return nil
}

// Ended implements BulkWriter.
func (w *archiveWriter) Ended(rows int, err error) {
	if err != nil {
		w.reset()
	}
	w.open, w.tx = false, nil
	w.handled += int64(rows)
	if w.loaded && w.pending == 0 {
		w.visible.Store(w.handled)
	}
}

// WriteRows implements BulkWriter.
func (w *archiveWriter) WriteRows(tx *sql.Tx, rows []BulkRow[archiveRow]) error {
	err := w.begin(tx)
	for i := 0; i < len(rows) && err == nil; i++ {
		rows[i].Err, err = w.add(tx, &rows[i].Value)
	}
	if err == nil {
		err = w.flush(tx)
	}
	if err == nil && w.pending >= indexEvery {
		err = w.indexAll(tx)
	}
	w.batch.clear()
	switch {
	case err != nil:
		w.reset()
	case w.pending == 0 && len(w.accounts) > maxAccounts:
		clear(w.accounts)
	}
	return err
}

// flush writes the batch and begins another one.
func (w *archiveWriter) flush(tx *sql.Tx) error {
	b := &w.batch
	b.number++
	n := len(b.messages)
	if n == 0 {
		return nil
	}
	first, last := b.messages[0].number, b.messages[n-1].number
	if err := b.insert(tx); err != nil {
		return err
	}
	b.clear()
	if w.deferred {
		w.pending += n
		return nil
	}
	clear(w.ids)
	return indexMessages(tx, first, last)
}

// errArchivedTwice is an id that is in the archive already.
var errArchivedTwice = errors.New("a message with this id is in the archive already")

// add puts a message into the batch. refused is an error of this row, err one of the transaction.
func (w *archiveWriter) add(tx *sql.Tx, r *archiveRow) (refused, err error) {
	a, err := w.account(tx, r.account)
	if a == nil || err != nil {
		return nil, err // the account has been deleted meanwhile: that is no fault
	}
	made := r.at
	ref, pending := w.ids[r.id]
	if !r.byText {
		made = r.id.Micros()
	}
	if twice, err := w.has(tx, a, r, made, ref); twice || err != nil {
		return errArchivedTwice, err
	}
	if pending && w.share(r, a, ref) {
		return nil, w.drifted(tx, a, a.last-min(r.at, made))
	}
	m := archivedMessage{id: r.id, stanza: r.stanza, payload: r.stanza.Payload}
	if m.number, err = w.takeNumber(tx); err != nil {
		return nil, err
	}
	m.put(a, r.at, made)
	if err := w.drifted(tx, a, m.place-min(r.at, made)); err != nil {
		return nil, err
	}
	if !isSender(r.account, r.stanza) {
		m.payload, m.stamped = w.batch.unstamped(r)
	}
	m.belongTo(r.account, a.number)
	if r.byText {
		m.text = r.idText
	} else {
		w.ids[r.id] = archiveRef{m.sender, m.receiver, w.batch.number, len(w.batch.messages), pending}
	}
	w.batch.messages = append(w.batch.messages, m)
	return nil, nil
}

// put gives a message its place behind the last one.
func (m *archivedMessage) put(a *archiveAccount, at, made int64) {
	m.place = max(at, made, a.last+1)
	if m.late = m.place - at; m.late < slack {
		m.late = 0
	}
	a.last, a.message = m.place, m.number
}

// belongTo puts the message into the archive of an account.
func (m *archivedMessage) belongTo(account jid.JID, number int64) {
	contact := contactHash(peerOf(account, m.stanza))
	if isSender(account, m.stanza) {
		m.sender, m.senderContact = number, contact
	} else {
		m.receiver, m.recContact = number, contact
	}
}

// share adds a second account to a message of the batch, where it is the same and has the same place.
func (w *archiveWriter) share(r *archiveRow, a *archiveAccount, ref archiveRef) bool {
	if ref.batch != w.batch.number {
		return false
	}
	m := &w.batch.messages[ref.index]
	payload, stamped := r.stanza.Payload, m.stamped
	if isSender(r.account, r.stanza) {
		if m.sender != 0 {
			return false
		}
	} else {
		if m.receiver != 0 {
			return false
		}
		payload, stamped = w.batch.unstamped(r)
	}
	if m.place <= a.last || m.late != 0 || payload != m.payload || !sameHeader(m.stanza, r.stanza) {
		return false
	}
	m.stamped = stamped
	m.belongTo(r.account, a.number)
	w.ids[r.id] = archiveRef{m.sender, m.receiver, ref.batch, ref.index, ref.several}
	a.last, a.message = m.place, m.number
	return true
}

func sameHeader(a, b *stanza.Stanza) bool {
	return a == b || a.Kind == b.Kind && a.To == b.To && a.From == b.From && a.ID == b.ID && a.Type == b.Type && a.Lang == b.Lang && a.Extra == b.Extra
}

// unstamped is the payload without the receiver's stanza-id at its end.
func (b *archiveBatch) unstamped(r *archiveRow) (payload string, stamped bool) {
	b.stamp = message.AppendStanzaID(b.stamp[:0], r.account, r.idText)
	text := r.stanza.Payload
	if n := len(text) - len(b.stamp); n >= 0 && text[n:] == string(b.stamp) {
		return text[:n], true
	}
	return text, false
}

func (w *archiveWriter) takeNumber(tx *sql.Tx) (int64, error) {
	if w.numbers.next == w.numbers.end {
		if err := tx.QueryRow(takeNumbersSQL, numbersBlock).Scan(&w.numbers.end); err != nil {
			return 0, fmt.Errorf("take numbers for archived messages: %w", err)
		}
		w.numbers.next = w.numbers.end - numbersBlock
	}
	w.numbers.next++
	return w.numbers.next - 1, nil
}

// Messages are inserted in pieces of these sizes, so that few statements have to be prepared.
var archivePieces = []struct {
	rows int
	text string
}{{64, insertMessages(64)}, {8, insertMessages(8)}, {1, insertMessages(1)}}

const archiveColumns = 9

func insertMessages(rows int) string {
	return `INSERT INTO archive_messages (number, place, late, id, sender, receiver, sender_contact, receiver_contact, message) VALUES ` +
		strings.Repeat(marks(archiveColumns)+", ", rows-1) + marks(archiveColumns)
}

func (b *archiveBatch) insert(tx *sql.Tx) error {
	list := b.messages
	for _, piece := range archivePieces {
		for ; len(list) >= piece.rows; list = list[piece.rows:] {
			b.args, b.forms = b.args[:0], b.forms[:0]
			for i := range list[:piece.rows] {
				b.append(&list[i])
			}
			if _, err := tx.Exec(piece.text, b.args...); err != nil {
				return fmt.Errorf("archive messages: %w", err)
			}
		}
	}
	return nil
}

// append adds the values of a row.
func (b *archiveBatch) append(m *archivedMessage) {
	id := m.id[:]
	if m.text != "" {
		id = []byte(m.text)
	}
	form := m.form
	if form == nil {
		begin := len(b.forms)
		b.forms = appendArchived(b.forms, m.stanza, m.payload, m.stamped)
		form = b.forms[begin:]
	}
	var sender, receiver, senderContact, receiverContact any
	if m.sender != 0 {
		sender, senderContact = m.sender, m.senderContact
	}
	if m.receiver != 0 {
		receiver, receiverContact = m.receiver, m.recContact
	}
	b.args = append(b.args, m.number, m.place, m.late, id, sender, receiver, senderContact, receiverContact, form)
}

func (b *archiveBatch) clear() {
	clear(b.messages)
	clear(b.args)
	b.messages, b.args = b.messages[:0], b.args[:0]
	if cap(b.forms) > 1<<20 {
		b.forms = nil
	}
}
