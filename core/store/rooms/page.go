package rooms

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Limits of one query.
const (
	pieceSize   = 256    // messages that one statement reads, where not all of them match
	maxExamined = 10_000 // messages that are read for one page
	maxCounted  = 1000   // matches that are counted for a page
)

// query is the reading of one page.
type query struct {
	scan.Querier
	number   int64
	where    strings.Builder // conditions on the index of positions
	args     []any
	nick     string
	find     *wanted // nil: every text matches
	from, to int64   // bounds of the positions, inclusive
	p        archive.Page
	examined int
	last     string // the id of the last message that was examined
}

// wanted is what the text of a message must have.
type wanted struct {
	words *search.Query
	terms []search.Term // that each message has that matches
}

// Messages implements conference.Archives.
func (t *Tables) Messages(ctx context.Context, number int64, f archive.Filter, p archive.Page) (page conference.Page, err error) {
	tx, err := t.store.Reader().BeginTx(ctx, nil) // one state of the database
	if err != nil {
		return page, fmt.Errorf("read archive of a room: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	q := &query{Querier: tx, number: number, nick: f.With.Resource(), to: 1<<63 - 1, p: p}
	if f.Words != nil {
		q.find = &wanted{f.Words, f.Words.Terms()}
		if q.nick != "" {
			q.find.terms = append(slices.Clone(q.find.terms), nickTerm(q.nick))
		}
	}
	if err := q.narrow(ctx, f); err != nil {
		return page, err
	}
	count, args := q.where.String(), slices.Clone(q.args)
	if err := q.bounds(ctx, p.After, p.Before); err != nil {
		return page, err
	}
	if err := q.read(ctx, &page); err != nil {
		return page, fmt.Errorf("read archive of a room: %w", err)
	}
	page.Count, page.Index = paging.Unknown, paging.Unknown
	if q.selective() {
		return page, nil
	}
	return page, q.count(ctx, &page, count, args)
}

// selective reports whether messages have to be read to know whether they match.
func (q *query) selective() bool { return q.nick != "" || q.find != nil }

func (q *query) and(condition string, args ...any) {
	q.where.WriteString(" AND " + condition)
	q.args = append(q.args, args...)
}

// narrow adds the conditions of a filter.
func (q *query) narrow(ctx context.Context, f archive.Filter) error {
	if !f.Start.IsZero() {
		q.from = max(q.from, f.Start.UnixMicro())
		q.and("position >= ?", f.Start.UnixMicro())
	}
	if !f.End.IsZero() {
		q.to = min(q.to, f.End.UnixMicro())
		q.and("position <= ?", f.End.UnixMicro())
	}
	if err := q.bounds(ctx, f.AfterID, f.BeforeID); err != nil {
		return err
	}
	if len(f.IDs) == 0 {
		return nil
	}
	positions := make([]any, len(f.IDs))
	for i, id := range f.IDs {
		position, err := q.position(ctx, id)
		if err != nil {
			return err
		}
		positions[i] = position
	}
	q.and("position IN (?"+strings.Repeat(", ?", len(positions)-1)+")", positions...)
	return nil
}

// bounds adds the conditions of two ids, both exclusive.
func (q *query) bounds(ctx context.Context, after, before string) error {
	for i, end := range []struct{ id, condition string }{{after, "position > ?"}, {before, "position < ?"}} {
		if end.id == "" {
			continue
		}
		position, err := q.position(ctx, end.id)
		if id, ok := archive.ParseID(end.id); errors.Is(err, archive.ErrNoEntry) && ok && id.Possible(time.Now().Add(clockSlack).UnixMicro()) {
			position, err = id.Micros(), nil // it was deleted, or lost in a crash: its time is its position
		}
		if err != nil {
			return err
		}
		if i == 0 {
			q.from = max(q.from, position+1)
		} else {
			q.to = min(q.to, position-1)
		}
		q.and(end.condition, position)
	}
	return nil
}

// clockSlack is how far the clock may have been set back since an id was made.
const clockSlack = time.Minute

const positionSQL = `SELECT position FROM room_messages WHERE archive = ? AND id = ?`

// position returns the position of an id.
func (q *query) position(ctx context.Context, id string) (position int64, err error) {
	err = q.QueryRowContext(ctx, positionSQL, q.number, id).Scan(&position)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, archive.ErrNoEntry
	}
	return position, err
}

// read reads the messages of the page.
func (q *query) read(ctx context.Context, page *conference.Page) (err error) {
	switch {
	case q.find != nil && q.find.words.Empty(): // it matches nothing
		page.Complete = true
	case q.find != nil:
		err = q.readWords(ctx, page)
	default:
		page.Complete, err = q.scan(ctx, page, "")
	}
	if q.p.Backwards {
		slices.Reverse(page.Messages)
	}
	return err
}

// scan reads one piece after the other, where another condition is true. It returns false if the page is full, or enough was examined.
func (q *query) scan(ctx context.Context, page *conference.Page, condition string, more ...any) (all bool, err error) {
	order, direction := oldestSQL, " AND position > ?"
	if q.p.Backwards {
		order, direction = newestSQL, " AND position < ?"
	}
	size := q.p.Max + 1
	if q.selective() {
		size = pieceSize
	}
	text, args := messagesSQL+q.where.String()+condition, slices.Concat([]any{q.number}, q.args, more)
	for last := (*int64)(nil); ; {
		t, a := text, args
		if last != nil {
			t, a = text+direction, append(slices.Clone(args), *last)
		}
		rows, err := scan.Rows(ctx, q, scanMessage, t+order, append(slices.Clone(a), size)...)
		switch {
		case err != nil:
			return false, err
		case q.take(page, rows):
			return false, nil
		case len(rows) < size:
			return true, nil
		case q.examined >= maxExamined:
			page.Reached = q.last
			return false, nil
		}
		last = &rows[len(rows)-1].Position
	}
}

// take adds the rows that match to the page. It returns true if there are more than fit.
func (q *query) take(page *conference.Page, rows []conference.Message) bool {
	for i := range rows {
		q.examined, q.last = q.examined+1, rows[i].ID
		if !q.matches(&rows[i]) {
			continue
		}
		if len(page.Messages) == q.p.Max {
			return true
		}
		page.Messages = append(page.Messages, rows[i])
	}
	return false
}

func (q *query) matches(m *conference.Message) bool {
	if q.nick != "" && m.Nick != q.nick {
		return false
	}
	return q.find == nil || q.find.words.Match(text(m))
}

const (
	countMessagesSQL = `SELECT count(*) FROM (SELECT 1 FROM room_messages WHERE archive = ?`
	countedSQL       = ` LIMIT ?) AS counted`
)

// count counts what matches a filter, if that is not too much.
func (q *query) count(ctx context.Context, page *conference.Page, where string, args []any) error {
	limit := maxCounted
	if q.p.Max == 0 {
		limit = archive.MaxCount
	}
	all := append([]any{q.number}, args...)
	if err := q.QueryRowContext(ctx, countMessagesSQL+where+countedSQL, append(slices.Clone(all), limit+1)...).Scan(&page.Count); err != nil {
		return fmt.Errorf("count archive of a room: %w", err)
	}
	if page.Count > limit {
		page.Count = paging.Unknown
		return nil
	}
	if len(page.Messages) == 0 {
		return nil
	}
	before := append(slices.Clone(all), page.Messages[0].Position, limit)
	if err := q.QueryRowContext(ctx, countMessagesSQL+where+" AND position < ?"+countedSQL, before...).Scan(&page.Index); err != nil {
		return fmt.Errorf("count archive of a room: %w", err)
	}
	return nil
}
