package archives

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
)

// On PostgreSQL a batch is two statements. The first one locks the accounts: until the transaction ends none of them
// can be deleted, which deletes the entries first (DeleteAccount). A foreign key would check each
// entry by a query of its own, which costs more than writing it. The second one writes all rows.
const (
	lockAccountsSQL = `SELECT number FROM archive_accounts WHERE number = ANY(?) ORDER BY number FOR KEY SHARE`

	writeBatchSQL = `WITH messages AS (
INSERT INTO archive_messages (number, position, late, id, sender, receiver, sender_contact, receiver_contact, message)
SELECT number, position, late, id, nullif(sender, 0), nullif(receiver, 0),
CASE WHEN sender <> 0 THEN sender_contact END, CASE WHEN receiver <> 0 THEN receiver_contact END, message
FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bytea[], ?5::bigint[], ?6::bigint[], ?7::bigint[], ?8::bigint[], ?9::bytea[])
AS new (number, position, late, id, sender, receiver, sender_contact, receiver_contact, message)
), entries AS (
INSERT INTO archive_entries (archive, position, contact, message)
SELECT archive, position, contact, message FROM unnest(?10::bigint[], ?11::bigint[], ?12::bigint[], ?13::bigint[]) AS new (archive, position, contact, message)
)
INSERT INTO archive_contacts (archive, contact, minute)
SELECT archive, contact, minute FROM unnest(?14::bigint[], ?15::bigint[], ?16::bigint[]) AS new (archive, contact, minute)
ON CONFLICT DO NOTHING`
)

// maxMinutes bounds what is known of archive_contacts.
const maxMinutes = 100_000

// contactMinute is a row of archive_contacts.
type contactMinute struct{ archive, contact, minute int64 }

// entryRow is a row of archive_entries.
type entryRow struct{ archive, position, contact, message int64 }

// writeBatch writes the batch with its entries.
func (w *Writer) writeBatch(tx *sql.Tx) error {
	alive, err := w.lockAccounts(tx)
	if err != nil {
		return fmt.Errorf("lock archives: %w", err)
	}
	entries, minutes := w.entries(alive)
	args := append(w.batch.columns(), make([]any, 0, 7)...)
	for _, column := range []func(entryRow) int64{
		func(e entryRow) int64 { return e.archive }, func(e entryRow) int64 { return e.position },
		func(e entryRow) int64 { return e.contact }, func(e entryRow) int64 { return e.message },
	} {
		args = append(args, columnOf(entries, column))
	}
	for _, column := range []func(contactMinute) int64{
		func(c contactMinute) int64 { return c.archive }, func(c contactMinute) int64 { return c.contact },
		func(c contactMinute) int64 { return c.minute },
	} {
		args = append(args, columnOf(minutes, column))
	}
	if _, err := tx.Exec(writeBatchSQL, args...); err != nil {
		return fmt.Errorf("archive messages: %w", err)
	}
	return nil
}

func columnOf[T any](rows []T, value func(T) int64) []int64 {
	list := make([]int64, len(rows))
	for i, r := range rows {
		list[i] = value(r)
	}
	return list
}

// lockAccounts locks the accounts of the batch and returns those that exist.
func (w *Writer) lockAccounts(tx *sql.Tx) (map[int64]bool, error) {
	alive := map[int64]bool{}
	var numbers []int64
	for i := range w.batch.messages {
		m := &w.batch.messages[i]
		for _, n := range [...]int64{m.sender, m.receiver} {
			if _, ok := alive[n]; n != 0 && !ok {
				alive[n] = false
				numbers = append(numbers, n)
			}
		}
	}
	rows, err := tx.Query(lockAccountsSQL, numbers)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		alive[n] = true
	}
	return alive, rows.Err()
}

// entries are the entries of the batch in the archives that exist, sorted, and the minutes in which
// those archives have entries now and perhaps had none before.
func (w *Writer) entries(alive map[int64]bool) (entries []entryRow, minutes []contactMinute) {
	if w.minutes == nil || len(w.minutes) > maxMinutes {
		w.minutes = map[contactMinute]bool{}
	}
	for i := range w.batch.messages {
		m := &w.batch.messages[i]
		if !alive[m.sender] {
			m.sender = 0
		}
		if !alive[m.receiver] {
			m.receiver = 0
		}
		for _, e := range [...]entryRow{{m.sender, m.position, m.senderContact, m.number}, {m.receiver, m.position, m.recContact, m.number}} {
			if e.archive == 0 {
				continue
			}
			entries = append(entries, e)
			minute := contactMinute{e.archive, e.contact, e.position / 60_000_000}
			if !w.minutes[minute] {
				w.minutes[minute] = true
				minutes = append(minutes, minute)
			}
		}
	}
	slices.SortFunc(entries, func(a, b entryRow) int {
		return cmp.Or(cmp.Compare(a.archive, b.archive), cmp.Compare(a.position, b.position))
	})
	return entries, minutes
}

// columns are the messages of the batch that belong to an archive, as one slice for each column.
func (b *messageBatch) columns() []any {
	n := len(b.messages)
	var numbers [7][]int64 // number, position, late; sender, receiver and their contacts
	for i := range numbers {
		numbers[i] = make([]int64, 0, n)
	}
	ids, forms := make([][]byte, 0, n), make([][]byte, 0, n)
	b.forms = b.forms[:0]
	for i := range b.messages {
		m := &b.messages[i]
		if m.sender == 0 && m.receiver == 0 {
			continue
		}
		for c, value := range [...]int64{m.number, m.position, m.late, m.sender, m.receiver, m.senderContact, m.recContact} {
			numbers[c] = append(numbers[c], value)
		}
		id, form := b.encode(m)
		ids, forms = append(ids, id), append(forms, form)
	}
	return []any{numbers[0], numbers[1], numbers[2], ids, numbers[3], numbers[4], numbers[5], numbers[6], forms}
}
