package archives

import (
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/archive"
)

// Writer writes what is archived in one partition. It belongs to the partition's
// goroutine. What it knows of the accounts is what the transaction holds: it is forgotten
// after a transaction that was not committed, or a call that was undone.
type Writer struct {
	Counters
	deferred bool // entries are written later than their messages

	tx     *sql.Tx // that the rest is good in
	open   bool    // tx has not been committed yet
	loaded bool

	accounts map[string]*accountState
	numbers  struct{ next, end int64 } // that are taken
	indexed  int64                     // messages up to here have their entries
	pending  int                       // messages behind that
	ids      map[archive.ID]messageRef // of those
	handled  int64                     // rows that have their outcome
	minutes  map[contactMinute]bool    // rows of archive_contacts that are there, as far as known; not where deferred
	noted    notedMinutes              // where deferred

	batch messageBatch
}

// accountState is what is known of an account that has an archive.
type accountState struct {
	number  int64
	last    int64 // position of the last entry
	drift   int64
	message int64 // number of the last message
	noted   notedMinute
}

// messageRef is a message without entries: who has it, and where it is in the batch of that number.
type messageRef struct {
	sender, receiver int64
	batch            int64
	index            int
	several          bool // there are more messages with this id
}

// NewWriter makes the writer of one partition. deferred is for SQLite: entries are
// written later than their messages.
func NewWriter(deferred bool) *Writer {
	w := &Writer{deferred: deferred}
	w.visible.Store(-1) // after a restart there may be messages without entries
	w.reset()
	return w
}

// reset forgets what is not certain any more.
func (w *Writer) reset() {
	w.loaded = false
	w.accounts, w.ids = map[string]*accountState{}, map[archive.ID]messageRef{}
	w.numbers.next, w.numbers.end, w.pending = 0, 0, 0
	w.minutes = nil
	w.noted.forget()
}

// begin joins a transaction.
func (w *Writer) begin(tx *sql.Tx) error {
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
func (w *Writer) load(tx *sql.Tx) error {
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
func (w *Writer) indexTo(tx *sql.Tx, last int64) error {
	if last <= w.indexed {
		return nil
	}
	if err := tx.QueryRow(indexedSQL).Scan(&w.indexed); err != nil { // a copy of the database may have been begun meanwhile
		return fmt.Errorf("read state of archives: %w", err)
	}
	last = max(last, w.indexed)
	if err := indexEntries(tx, w.indexed+1, last); err != nil {
		return err
	}
	if !w.loaded || len(w.noted.list) > w.pending/4 { // not all are known, or there is little to save
		if err := indexContacts(tx, w.indexed+1, last); err != nil {
			return err
		}
	} else if err := w.noted.insert(tx); err != nil {
		return err
	}
	w.noted.forget()
	if _, err := tx.Exec(setIndexedSQL, last); err != nil {
		return fmt.Errorf("index archived messages: %w", err)
	}
	w.indexed, w.pending = last, 0
	clear(w.ids)
	return nil
}

// Ended is called when rows have their outcome, and the transaction of the calls before has ended.
func (w *Writer) Ended(rows int, err error) {
	if err != nil {
		w.reset()
	}
	w.open, w.tx = false, nil
	w.handled += int64(rows)
	if w.loaded && w.pending == 0 {
		w.visible.Store(w.handled)
	}
}

// Write writes n rows: row returns one of them, and refuse gets the error of one that cannot be written although
// the rest can. After an error of Write nothing of the call is in the database, which the caller sees to.
func (w *Writer) Write(tx *sql.Tx, n int, row func(int) *Row, refuse func(int, error)) error {
	err := w.begin(tx)
	for i := 0; i < n && err == nil; i++ {
		var refused error
		if refused, err = w.add(tx, row(i)); refused != nil {
			refuse(i, refused)
		}
	}
	if err == nil {
		err = w.flush(tx)
	}
	if err == nil && w.pending >= indexEvery {
		err = w.IndexAll(tx)
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
func (w *Writer) flush(tx *sql.Tx) error {
	b := &w.batch
	b.number++
	n := len(b.messages)
	if n == 0 {
		return nil
	}
	if !w.deferred {
		err := w.writeBatch(tx)
		b.clear()
		clear(w.ids)
		return err
	}
	if err := b.insert(tx); err != nil {
		return err
	}
	b.clear()
	w.pending += n
	return nil
}

// add puts a message into the batch. refused is an error of this row, err one of the transaction.
func (w *Writer) add(tx *sql.Tx, r *Row) (refused, err error) {
	a, err := w.account(tx, r.Account)
	if a == nil || err != nil {
		return nil, err // the account has been deleted meanwhile: that is no fault
	}
	made := r.At
	ref, pending := w.ids[r.ID]
	if !r.ByText {
		made = r.ID.Micros()
	}
	if twice, err := w.has(tx, a, r, made, ref); twice || err != nil {
		return archive.ErrTwice, err
	}
	if pending && w.share(r, a, ref) {
		return nil, w.drifted(tx, a, a.last-min(r.At, made))
	}
	m := messageRow{id: r.ID, stanza: r.Stanza, payload: r.Stanza.Payload}
	if m.number, err = w.takeNumber(tx); err != nil {
		return nil, err
	}
	m.put(a, r.At, made)
	if err := w.drifted(tx, a, m.position-min(r.At, made)); err != nil {
		return nil, err
	}
	if !isSender(r.Account, r.Stanza) {
		m.payload, m.stamped = w.batch.unstamped(r)
	}
	w.note(a, m.belongTo(r.Account, a.number), m.position)
	if r.ByText {
		m.text = r.IDText
	} else {
		w.ids[r.ID] = messageRef{m.sender, m.receiver, w.batch.number, len(w.batch.messages), pending}
	}
	w.batch.messages = append(w.batch.messages, m)
	return nil, nil
}

// share adds a second account to a message of the batch, where it is the same and has the same position.
func (w *Writer) share(r *Row, a *accountState, ref messageRef) bool {
	if ref.batch != w.batch.number {
		return false
	}
	m := &w.batch.messages[ref.index]
	payload, stamped := r.Stanza.Payload, m.stamped
	if isSender(r.Account, r.Stanza) {
		if m.sender != 0 {
			return false
		}
	} else {
		if m.receiver != 0 {
			return false
		}
		payload, stamped = w.batch.unstamped(r)
	}
	if m.position <= a.last || m.late != 0 || payload != m.payload || !sameHeader(m.stanza, r.Stanza) {
		return false
	}
	m.stamped = stamped
	w.note(a, m.belongTo(r.Account, a.number), m.position)
	w.ids[r.ID] = messageRef{m.sender, m.receiver, ref.batch, ref.index, ref.several}
	a.last, a.message = m.position, m.number
	return true
}

// note notes the minute of a message whose entries are written later.
func (w *Writer) note(a *accountState, contact, position int64) {
	w.countNew(a.number)
	if w.deferred {
		w.noted.add(a, contact, position)
	}
}

func (w *Writer) takeNumber(tx *sql.Tx) (int64, error) {
	if w.numbers.next == w.numbers.end {
		if err := tx.QueryRow(takeNumbersSQL, numbersBlock).Scan(&w.numbers.end); err != nil {
			return 0, fmt.Errorf("take numbers for archived messages: %w", err)
		}
		w.numbers.next = w.numbers.end - numbersBlock
	}
	w.numbers.next++
	return w.numbers.next - 1, nil
}
