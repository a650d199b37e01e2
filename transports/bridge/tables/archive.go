package tables

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	roomArchiveSeqSQL  = `SELECT seq FROM bridge_archive WHERE room = ? AND id = ?`
	roomArchiveColumns = `SELECT seq, room, id, message, at, nick, who, lang, extra, payload FROM bridge_archive WHERE `
	roomArchiveCount   = `SELECT count(*) FROM (SELECT 1 FROM bridge_archive WHERE `
	roomArchiveCounted = ` LIMIT ?) AS counted`
)

// maxCounted is how many matches are counted for a page; a client that asks for the count alone gets up to archive.MaxCount.
const maxCounted = 1000

// roomConditions is a WHERE clause under construction: fixed texts, values apart.
type roomConditions struct {
	texts    []string
	args     []any
	from, to int64 // numbers, both inclusive, that are among the conditions
}

func (c *roomConditions) add(text string, args ...any) {
	c.texts = append(c.texts, text)
	c.args = append(c.args, args...)
}

func (c *roomConditions) where() string { return strings.Join(c.texts, " AND ") }

// ReadArchive reads a page of a room's archive. Filter.With is room/nick; an id that cannot be of this archive is archive.ErrNoEntry.
func (s *Store) ReadArchive(ctx context.Context, room int64, f archive.Filter, p archive.Page) (page ArchivePage, err error) {
	tx, err := s.engine.Reader().BeginTx(ctx, nil) // one snapshot
	if err != nil {
		return page, fmt.Errorf("read archive: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	match, err := roomArchiveFilter(ctx, tx, room, f)
	if err != nil {
		return page, err
	}
	part := roomConditions{append([]string(nil), match.texts...), append([]any(nil), match.args...), match.from, match.to}
	for _, end := range []struct{ id, op string }{{p.After, ">"}, {p.Before, "<"}} {
		if err := part.bound(ctx, tx, room, end.id, end.op); err != nil {
			return page, err
		}
	}
	if f.Words != nil {
		w := wordSearch{reads: tx, match: &part, words: f.Words, backwards: p.Backwards}
		if page, err = w.page(ctx, room, p.Max); p.Backwards {
			slices.Reverse(page.Rows)
		}
		page.Count, page.Index = paging.Unknown, paging.Unknown
		return page, err
	}
	order := " ORDER BY seq LIMIT ?"
	if p.Backwards {
		order = " ORDER BY seq DESC LIMIT ?"
	}
	rows, err := scan.Rows(ctx, tx, readRoomArchive, roomArchiveColumns+part.where()+order, append(append([]any(nil), part.args...), p.Max+1)...)
	if err != nil {
		return page, fmt.Errorf("read archive: %w", err)
	}
	page.Complete = len(rows) <= p.Max
	if !page.Complete {
		rows = rows[:p.Max]
	}
	if p.Backwards {
		slices.Reverse(rows)
	}
	page.Rows = rows
	return page, page.count(ctx, tx, match, p.Max)
}

// count counts the matches, if they are not many: for that all of them have to be read.
func (page *ArchivePage) count(ctx context.Context, q scan.Querier, match *roomConditions, asked int) error {
	limit := maxCounted
	if asked == 0 {
		limit = archive.MaxCount
	}
	page.Index = paging.Unknown
	if err := q.QueryRowContext(ctx, roomArchiveCount+match.where()+roomArchiveCounted, append(append([]any(nil), match.args...), limit+1)...).Scan(&page.Count); err != nil {
		return fmt.Errorf("count archive: %w", err)
	}
	if page.Count > limit {
		page.Count = paging.Unknown
		return nil
	}
	if len(page.Rows) > 0 {
		before := append(append([]any(nil), match.args...), page.Rows[0].Seq, limit)
		if err := q.QueryRowContext(ctx, roomArchiveCount+match.where()+" AND seq < ?"+roomArchiveCounted, before...).Scan(&page.Index); err != nil {
			return fmt.Errorf("count archive: %w", err)
		}
	}
	return nil
}

func roomArchiveFilter(ctx context.Context, q scan.Querier, room int64, f archive.Filter) (*roomConditions, error) {
	c := &roomConditions{from: -HistoryOffset, to: 1<<63 - 1}
	c.add("room = ?", room)
	if !f.Start.IsZero() {
		c.add("at >= ?", micros(f.Start))
	}
	if !f.End.IsZero() {
		c.add("at <= ?", micros(f.End))
	}
	if !f.With.IsZero() {
		c.add("nick = ?", f.With.Resource())
	}
	for _, end := range []struct{ id, op string }{{f.AfterID, ">"}, {f.BeforeID, "<"}} {
		if err := c.bound(ctx, q, room, end.id, end.op); err != nil {
			return nil, err
		}
	}
	if len(f.IDs) > 0 {
		marks := make([]string, len(f.IDs))
		args := make([]any, len(f.IDs))
		for i, id := range f.IDs {
			if _, err := roomArchiveSeq(ctx, q, room, id); err != nil {
				return nil, err
			}
			marks[i], args[i] = "?", id
		}
		c.add("id IN ("+strings.Join(marks, ",")+")", args...)
	}
	return c, nil
}

func (c *roomConditions) bound(ctx context.Context, q scan.Querier, room int64, id, op string) error {
	if id == "" {
		return nil
	}
	seq, err := roomArchiveSeq(ctx, q, room, id)
	switch {
	case err == nil:
		c.add("seq "+op+" ?", seq)
		if op == ">" {
			c.from = max(c.from, seq+1)
		} else {
			c.to = min(c.to, seq-1)
		}
	case errors.Is(err, archive.ErrNoEntry):
		return c.missing(id, op)
	}
	return err
}

// missing makes a bound of an id whose entry is not there: it was deleted, is too old, or was lost in a crash. An id
// that this server makes tells its time; a client may then get an entry twice, but misses none. One of a message of the
// network (convert.Hash) has no time: entries are written before it is shown, so that it was older than what is there.
func (c *roomConditions) missing(id, op string) error {
	known, ok := archive.ParseID(id)
	switch {
	case ok && known.Possible(time.Now().Add(clockSlack).UnixMicro()):
		slack := clockSlack.Microseconds() // an entry is written a little before or after its id is made
		if op == ">" {
			slack = -slack
		}
		c.add("at "+op+" ?", known.Micros()+slack)
	case !networkID.MatchString(id):
		return archive.ErrNoEntry
	case op == "<":
		c.add("1 = 0")
	}
	return nil
}

// clockSlack is how far the time of an entry may be from that in its id.
const clockSlack = time.Minute

var networkID = regexp.MustCompile(`^[a-z2-7]{24}$`)

func roomArchiveSeq(ctx context.Context, q scan.Querier, room int64, id string) (seq int64, err error) {
	ok, err := found(q.QueryRowContext(ctx, roomArchiveSeqSQL, room, id).Scan(&seq))
	if err == nil && !ok {
		err = archive.ErrNoEntry
	}
	return seq, err
}

func readRoomArchive(row scan.Row) (a Archived, err error) {
	var at int64
	err = row.Scan(&a.Seq, &a.Room, &a.ID, &a.Message, &at, &a.Nick, &a.Occupant, &a.Lang, &a.Extra, &a.Payload)
	a.At = moment(at)
	return a, err
}
