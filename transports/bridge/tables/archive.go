package tables

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	roomArchiveSeqSQL  = `SELECT seq FROM bridge_archive WHERE room = ? AND id = ?`
	roomArchiveColumns = `SELECT seq, room, id, message, at, nick, who, lang, extra, payload FROM bridge_archive WHERE `
	roomArchiveCount   = `SELECT count(*) FROM bridge_archive WHERE `
)

// roomConditions is a WHERE clause under construction: fixed texts, values apart.
type roomConditions struct {
	texts []string
	args  []any
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
	part := roomConditions{append([]string(nil), match.texts...), append([]any(nil), match.args...)}
	for _, end := range []struct{ id, op string }{{p.After, ">"}, {p.Before, "<"}} {
		if err := part.bound(ctx, tx, room, end.id, end.op); err != nil {
			return page, err
		}
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
		for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
			rows[i], rows[j] = rows[j], rows[i]
		}
	}
	page.Rows = rows
	if err := tx.QueryRowContext(ctx, roomArchiveCount+match.where(), match.args...).Scan(&page.Count); err != nil {
		return page, fmt.Errorf("count archive: %w", err)
	}
	if len(rows) > 0 {
		before := append(append([]any(nil), match.args...), rows[0].Seq)
		if err := tx.QueryRowContext(ctx, roomArchiveCount+match.where()+" AND seq < ?", before...).Scan(&page.Index); err != nil {
			return page, fmt.Errorf("count archive: %w", err)
		}
	}
	return page, nil
}

func roomArchiveFilter(ctx context.Context, q scan.Querier, room int64, f archive.Filter) (*roomConditions, error) {
	c := &roomConditions{}
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
