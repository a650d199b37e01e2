package archives

import (
	"context"
	"database/sql"
	"strings"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/core/store/wordindex"
)

const addOwnerSQL = `INSERT INTO archive_words_owners (owner, indexed, changed, next)
SELECT number, 0, 0, 1 FROM archive_accounts WHERE number = ?1 ON CONFLICT (owner) DO NOTHING`

// Words is the index of the words in archives.
var Words = wordindex.New("archive_words", addOwnerSQL)

const unindexedSQL = `SELECT e.position, e.contact, m.message FROM archive_entries e CROSS JOIN archive_messages m
WHERE m.number = e.message AND e.archive = ? AND e.position > ? ORDER BY e.position LIMIT ?`

// Unindexed reads the terms of the first messages of an archive behind a position.
func Unindexed(ctx context.Context, reads Reader, number, after int64, limit int) ([]wordindex.Doc, error) {
	return scan.Rows(ctx, reads, func(row scan.Row) (d wordindex.Doc, err error) {
		var contact int64
		var form sql.RawBytes
		if err := row.Scan(&d.Position, &contact, &form); err != nil {
			return d, err
		}
		if st, err := parseForm(form, jid.JID{}, ""); err == nil { // what cannot be read is found by nothing
			d.Terms = terms(st, contact)
		}
		return d, nil
	}, unindexedSQL, number, after, limit)
}

// terms are those by which a message is found; none where it has no text.
func terms(st *stanza.Stanza, contact int64) []search.Term {
	list := search.AppendTerms(nil, message.Text(st))
	if len(list) == 0 {
		return nil
	}
	return append(list, contactTerm(contact))
}

// contactTerm is the term of all messages with a contact, so that a search with one of them reads few others.
func contactTerm(contact int64) search.Term {
	return search.Word(uint64(contact)*0x9E3779B97F4A7C15 + 1).Term()
}

const (
	firstPositionSQL = `SELECT coalesce(min(position), 0) FROM archive_entries WHERE archive = ?`
	numberSQL        = `SELECT number FROM archive_accounts WHERE account = ?`
)

// FirstPosition returns the first position of an archive.
func FirstPosition(ctx context.Context, reads Reader, number int64) (first int64, err error) {
	err = reads.QueryRowContext(ctx, firstPositionSQL, number).Scan(&first)
	return first, err
}

// Number returns the number of an account's archive; sql.ErrNoRows where it has none.
func Number(ctx context.Context, reads Reader, account jid.JID) (number int64, err error) {
	err = reads.QueryRowContext(ctx, numberSQL, account.String()).Scan(&number)
	return number, err
}

// readWords is read for a query by words. What is indexed is found by the index, and the newest messages are read one by one.
func (q *query) readWords(ctx context.Context, n int) ([]archive.Entry, error) {
	state, err := Words.State(ctx, q.reads, q.of.number)
	if err != nil || q.words.Empty() {
		return nil, err
	}
	from, to := q.from, q.to
	newest := func(list []archive.Entry) ([]archive.Entry, error) {
		q.from, q.to = max(from, state.Indexed+1), to
		if q.from > q.to || len(list) >= n || q.full || q.stopped {
			return list, nil
		}
		more, err := q.read(ctx, n-len(list))
		return append(list, more...), err
	}
	indexed := func(list []archive.Entry) ([]archive.Entry, error) {
		if len(list) >= n || q.full || q.stopped {
			return list, nil
		}
		in := wordindex.Search{Terms: q.terms(), From: from, To: min(to, state.Indexed), Backwards: q.backwards}
		err := Words.Find(ctx, q.reads, q.of.number, in, func(positions []int64) (more bool, err error) {
			list, more, err = q.readAt(ctx, positions, n, list)
			return more, err
		})
		return list, err
	}
	first, second := indexed, newest
	if q.backwards {
		first, second = newest, indexed
	}
	list, err := first(nil)
	if err != nil {
		return nil, err
	}
	return second(list)
}

// terms are those that every message has that matches.
func (q *query) terms() []search.Term {
	list := q.words.Terms()
	if !q.with.IsZero() {
		list = append(list, contactTerm(contactHash(q.with)))
	}
	return list
}

// positionsAtOnce is how many positions one statement reads.
const positionsAtOnce = 64

var positionsSQL = ` AND e.position IN (?` + strings.Repeat(", ?", positionsAtOnce-1) + `)`

// readAt appends to list what matches at some positions, which are in the order of the query. more is false when it is n entries, or
// the query has read enough.
func (q *query) readAt(ctx context.Context, positions []int64, n int, list []archive.Entry) (_ []archive.Entry, more bool, err error) {
	for len(positions) > 0 {
		some := positions[:min(len(positions), positionsAtOnce)]
		positions = positions[len(some):]
		args := append(make([]any, 0, positionsAtOnce+8), q.of.number)
		for i := range positionsAtOnce {
			args = append(args, some[min(i, len(some)-1)])
		}
		order := ` ORDER BY e.position`
		if q.backwards {
			order += ` DESC`
		}
		text := `SELECT e.position, m.late, m.id, m.message` + fromSQL + pageMessagesSQL + ` WHERE e.archive = ?` + positionsSQL + whereMessagesSQL + q.where.String() + order
		rows, err := q.reads.QueryContext(ctx, text, append(args, q.args...)...)
		if err != nil {
			return list, false, err
		}
		if list, err = q.matching(rows, list); err != nil || len(list) >= n || q.full {
			return list, false, err
		}
		if q.examined >= maxExamined && len(positions) > 0 {
			q.stopped = true
			return list, false, nil
		}
	}
	return list, true, nil
}

// matching appends the entries of rows that match.
func (q *query) matching(rows *sql.Rows, list []archive.Entry) ([]archive.Entry, error) {
	defer rows.Close()
	for !q.full && rows.Next() {
		var position int64
		e, err := scanEntry(rows, q.account, &position)
		if err != nil {
			return nil, err
		}
		q.examined, q.reached = q.examined+1, e.ID
		if q.matches(e) {
			list = append(list, e)
			q.take(len(e.Stanza.Payload) + len(e.Stanza.Extra))
		}
	}
	return list, rows.Err()
}
