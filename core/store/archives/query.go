package archives

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Reader is a transaction or the pool of readers.
type Reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Snapshots is the pool of readers.
type Snapshots interface {
	Reader
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

// Query gives a page of an archive, see archive.Store. The count is given only where nothing else is asked for:
// counting reads all that matches, up to archive.MaxCount. A page that takes several statements sees one state of the archive and its index.
func Query(ctx context.Context, reads Snapshots, account jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	if f.Words == nil && f.With.IsZero() {
		return readPage(ctx, reads, account, f, p)
	}
	tx, err := reads.BeginTx(ctx, nil)
	if err != nil {
		return archive.Result{}, err
	}
	defer func() { _ = tx.Rollback() }()
	return readPage(ctx, tx, account, f, p)
}

func readPage(ctx context.Context, reads Reader, account jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	a, err := readAccount(ctx, reads, account)
	if err != nil {
		return archive.Result{}, err
	}
	if a == nil {
		return searchNothing(f, p)
	}
	q := query{reads: reads, account: account, of: a, with: f.With, words: f.Words, backwards: p.Backwards, to: maxPosition, bytes: p.Bytes}
	if err := q.narrow(ctx, f, p); err != nil {
		return archive.Result{}, err
	}
	r := archive.Result{Count: paging.Unknown, Index: paging.Unknown}
	if p.Max == 0 && q.words != nil {
		return r, nil // nobody has counted that
	}
	if p.Max == 0 {
		r.Count, err = q.count(ctx)
		r.Complete = r.Count == 0
		return r, err
	}
	read := q.read
	if q.words != nil {
		read = q.readWords
	}
	entries, err := read(ctx, p.Max+1)
	r.Complete = len(entries) <= p.Max && !q.full
	if q.stopped {
		r.Complete, r.Reached = false, q.reached
	}
	r.Entries = entries[:min(len(entries), p.Max)]
	if p.Backwards {
		slices.Reverse(r.Entries)
	}
	return r, err
}

// searchNothing answers for an account for which nothing has been archived yet.
func searchNothing(f archive.Filter, p archive.Page) (archive.Result, error) {
	for _, id := range []string{f.AfterID, f.BeforeID, p.After, p.Before} {
		if known, ok := archive.ParseID(id); id != "" && (!ok || !possible(known, 0)) {
			return archive.Result{}, archive.ErrNoEntry
		}
	}
	if len(f.IDs) > 0 {
		return archive.Result{}, archive.ErrNoEntry
	}
	r := archive.Result{Complete: true, Count: paging.Unknown, Index: paging.Unknown}
	if p.Max == 0 {
		r.Count = 0
	}
	return r, nil
}

const maxPosition = 1<<63 - 1

// query is one query of an archive: a range of positions, both ends inclusive, and conditions.
// Whatever comes from outside is an argument.
type query struct {
	reads     Reader
	account   jid.JID
	of        *accountState
	with      jid.JID
	words     *search.Query // nil where the text does not matter
	from, to  int64
	backwards bool
	bytes     int  // what is left of archive.Page.Bytes; 0 is no limit
	full      bool // it is used up
	effort

	where strings.Builder
	args  []any
}

// effort is what a query has read.
type effort struct {
	examined int    // entries
	reached  string // id of the last of them
	stopped  bool   // they are as many as one query reads
}

func (q *query) and(condition string, args ...any) {
	q.where.WriteString(` AND `)
	q.where.WriteString(condition)
	q.args = append(q.args, args...)
}

// narrow reads the filter and the bounds of the page.
func (q *query) narrow(ctx context.Context, f archive.Filter, p archive.Page) error {
	q.between(f.Start, f.End)
	for _, b := range []struct {
		id     string
		before bool
	}{{f.AfterID, false}, {p.After, false}, {f.BeforeID, true}, {p.Before, true}} {
		if b.id == "" {
			continue
		}
		from, to, err := findPosition(ctx, q.reads, q.of, b.id)
		switch {
		case err != nil:
			return err
		case b.before:
			q.to = min(q.to, to)
		default:
			q.from = max(q.from, from)
		}
	}
	if len(f.IDs) == 0 {
		return nil
	}
	var positions []any
	for _, id := range f.IDs {
		position, err := findEntry(ctx, q.reads, q.of, id)
		if err != nil {
			return err
		}
		positions = append(positions, position)
	}
	q.and(`e.position IN `+"(?"+strings.Repeat(", ?", len(positions)-1)+")", positions...)
	return nil
}

// between keeps to entries of a span of time. An entry's position is its time or, after the clock was set back, up to
// the account's drift behind it.
func (q *query) between(start, end time.Time) {
	if !start.IsZero() {
		q.from = start.UnixMicro()
		if q.of.drift > 0 {
			q.and(`e.position - m.late >= ?`, start.UnixMicro())
		}
	}
	if !end.IsZero() {
		q.to = end.UnixMicro() + q.of.drift
		if q.of.drift > 0 {
			q.and(`e.position - m.late <= ?`, end.UnixMicro())
		}
	}
}

// read reads up to n entries that match, in the direction of the query.
func (q *query) read(ctx context.Context, n int) ([]archive.Entry, error) {
	var list []archive.Entry
	for {
		want := n - len(list)
		if q.with.IsFull() || q.words != nil {
			want = max(want, readPiece)
		}
		piece, more, err := q.piece(ctx, want)
		if err != nil {
			return nil, err
		}
		list = append(list, piece...)
		switch {
		case len(list) >= n, q.full:
			return list[:min(n, len(list))], nil
		case !more:
			return list, nil
		case q.examined >= maxExamined:
			q.stopped = true
			return list, nil
		}
	}
}

// maxExamined is how many entries a page reads at most: a client goes on where it ends (archive.Result.Reached).
const maxExamined = 10_000

// readPiece is how many entries are read at once where most of them may not match.
const readPiece = 200

// piece reads up to n entries, of which those are left out that only look as if they were with the contact, and
// moves the range behind them. more is false where there are no more.
func (q *query) piece(ctx context.Context, n int) (list []archive.Entry, more bool, err error) {
	if q.with.IsZero() {
		list, read, err := q.rows(ctx, n)
		return list, read == n, err
	}
	rest := [2]int64{q.from, q.to}
	found, err := q.toMinutes(ctx, n)
	if err != nil || found == 0 {
		return nil, false, err
	}
	list, read, err := q.rows(ctx, n)
	switch {
	case err != nil:
		return nil, false, err
	case q.backwards && read < n:
		q.from, q.to = rest[0], q.from-1
	case q.backwards:
		q.from = rest[0]
	case read < n:
		q.from, q.to = q.to+1, rest[1]
	default:
		q.to = rest[1]
	}
	return list, (read == n || found == n) && q.from <= q.to, nil
}

// toMinutes narrows the range to the first n minutes that have entries with the contact, so that the database reads no more than
// those whatever it estimates, and returns how many there are.
func (q *query) toMinutes(ctx context.Context, n int) (found int, err error) {
	text := minutesForwards
	if q.backwards {
		text = minutesBackwards
	}
	var first, last int64
	err = q.reads.QueryRowContext(ctx, text, q.of.number, contactHash(q.with), q.from/minute, q.to/minute, n).Scan(&found, &first, &last)
	if err == nil && found > 0 {
		q.from, q.to = max(q.from, first*minute), min(q.to, last*minute+minute-1)
	}
	return found, err
}

// rows reads up to n entries of the range.
func (q *query) rows(ctx context.Context, n int) (list []archive.Entry, read int, err error) {
	text, args := q.page(n)
	rows, err := q.reads.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for ; !q.full && rows.Next(); read++ {
		var position int64
		e, err := scanEntry(rows, q.account, &position)
		if err != nil {
			return nil, 0, err
		}
		if q.backwards {
			q.to = position - 1
		} else {
			q.from = position + 1
		}
		q.examined, q.reached = q.examined+1, e.ID
		if q.matches(e) {
			list = append(list, e)
			q.take(len(e.Stanza.Payload) + len(e.Stanza.Extra))
		}
	}
	return list, read, rows.Err()
}

// take counts the bytes of an entry of the page.
func (q *query) take(size int) {
	if q.bytes > 0 {
		q.bytes -= size
		q.full = q.bytes <= 0
		q.bytes = max(q.bytes, 1)
	}
}

func scanEntry(rows scan.Row, account jid.JID, position *int64) (e archive.Entry, err error) {
	var late int64
	var id, message sql.RawBytes
	if err := rows.Scan(position, &late, &id, &message); err != nil {
		return e, err
	}
	e.ID, e.At = idText(id), timeOf(*position-late)
	e.Stanza, err = parseForm(message, account, e.ID)
	return e, err
}

// matches compares the text, and the address of the other side, of which the index has a hash alone.
func (q *query) matches(e archive.Entry) bool {
	return q.isWith(e) && (q.words == nil || q.words.Match(message.Text(e.Stanza)))
}

func (q *query) isWith(e archive.Entry) bool {
	if q.with.IsZero() {
		return true
	}
	peer := peerOf(q.account, e.Stanza)
	return peer == q.with || !q.with.IsFull() && peer.Bare() == q.with
}

// count counts what matches; paging.Unknown where that is more than archive.MaxCount, or too much would have to be read for it.
func (q *query) count(ctx context.Context) (n int, err error) {
	if !q.with.IsFull() {
		messages := ""
		if q.of.drift > 0 {
			messages = fromMessagesSQL
		}
		text, args := q.statement(`1`, messages, ` LIMIT ?`, archive.MaxCount+1)
		err = q.reads.QueryRowContext(ctx, `SELECT count(*) FROM (`+text+`) AS counted`, args...).Scan(&n)
		if n > archive.MaxCount {
			n = paging.Unknown
		}
		return n, err
	}
	for {
		piece, more, err := q.piece(ctx, readPiece)
		switch n += len(piece); {
		case err != nil || !more:
			return n, err
		case q.examined >= maxExamined:
			return paging.Unknown, nil
		}
	}
}

const endsSQL = `SELECT e.position, m.late, m.id FROM archive_entries e JOIN archive_messages m ON m.number = e.message
WHERE e.archive = ?1 AND e.position IN ((SELECT min(position) FROM archive_entries WHERE archive = ?1),
(SELECT max(position) FROM archive_entries WHERE archive = ?1)) ORDER BY e.position`

// Ends gives the first and the last entry of an archive, see archive.Store.
func Ends(ctx context.Context, reads Reader, account jid.JID) (first, last archive.Mark, err error) {
	a, err := readAccount(ctx, reads, account)
	if a == nil || err != nil {
		return first, last, err
	}
	rows, err := reads.QueryContext(ctx, endsSQL, a.number)
	if err != nil {
		return first, last, err
	}
	defer rows.Close()
	for rows.Next() {
		var position, late int64
		var id []byte
		if err := rows.Scan(&position, &late, &id); err != nil {
			return first, last, err
		}
		last = archive.Mark{ID: idText(id), At: timeOf(position - late)}
		if first.ID == "" {
			first = last
		}
	}
	return first, last, rows.Err()
}
