package wordindex

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Sizes of segments.
const (
	smallest = 1024 // documents of level 0
	fanOut   = 8    // segments of one level that are merged
	maxLevel = 2
)

// Writer runs functions in transactions, as store.Partition does.
type Writer interface {
	Write(ctx context.Context, fn func(tx *sql.Tx) error) error
}

func (s segment) level() int {
	level := 0
	for docs := s.docs; docs >= smallest*fanOut && level < maxLevel; docs /= fanOut {
		level++
	}
	return level
}

// mergeable is the oldest run of segments that should be one.
func mergeable(list []segment) []segment {
	for level := range maxLevel {
		n, first, last := 0, 0, 0
		for i, s := range list {
			if s.level() == level {
				if n == 0 {
					first = i
				}
				n, last = n+1, i
			}
			if n == fanOut {
				return list[first : last+1]
			}
		}
	}
	return nil
}

// piece is how many chunks are written or deleted in one transaction: it must not hold up others for long.
const piece = 512

// Merge merges segments of an owner, and deletes those that have no messages any more: oldest is its first position. It does
// nothing where there is nothing to merge. One goroutine at a time calls it for an owner.
func (x *Index) Merge(ctx context.Context, q scan.Querier, w Writer, owner, oldest int64) error {
	for {
		was, err := x.State(ctx, q, owner)
		if err != nil {
			return err
		}
		list, err := x.segments(ctx, q, owner, minPosition, maxPosition)
		if err != nil {
			return err
		}
		for len(list) > 0 && list[0].last < oldest {
			if err := x.drop(ctx, w, owner, list[0].number); err != nil {
				return err
			}
			list = list[1:]
		}
		run := mergeable(list)
		if run == nil {
			return nil
		}
		chunks, err := x.mergedChunks(ctx, q, owner, run)
		if err == nil {
			err = x.replace(ctx, w, owner, replacement{was, run, chunks, minPosition})
		}
		if err != nil {
			return fmt.Errorf("merge word index: %w", err)
		}
	}
}

const (
	minPosition = -1 << 63
	maxPosition = 1<<63 - 1
)

// Trim deletes the segments whose messages are all before a position, and writes those anew of whose time a quarter at least is before
// it: what is deleted from an archive does not stay in the index until the last message of a segment goes. Like Merge it is called by
// one goroutine at a time.
func (x *Index) Trim(ctx context.Context, q scan.Querier, w Writer, owner, oldest int64) error {
	was, err := x.State(ctx, q, owner)
	if err != nil {
		return err
	}
	list, err := x.segments(ctx, q, owner, minPosition, oldest)
	if err != nil {
		return err
	}
	for _, s := range list {
		switch {
		case s.last < oldest:
			err = x.drop(ctx, w, owner, s.number)
		case oldest-s.first >= (s.last-s.first)/4:
			err = x.trim(ctx, q, w, owner, trimming{was, s, oldest})
		}
		if err != nil {
			return fmt.Errorf("trim word index: %w", err)
		}
	}
	return nil
}

// trimming is a segment that is written anew without what is before a position.
type trimming struct {
	was State
	segment
	oldest int64
}

func (x *Index) trim(ctx context.Context, q scan.Querier, w Writer, owner int64, t trimming) error {
	list, err := x.readChunks(ctx, q, x.sql[chunksSQL], owner, t.number)
	if err != nil {
		return err
	}
	c := cursor{chunks: list}
	var b builder
	var positions []int64
	for err = c.step(); err == nil && !c.ended; {
		term := c.term
		positions = positions[:0]
		for ; err == nil && !c.ended && c.term == term; err = c.step() {
			positions = append(positions, c.list...)
		}
		if from, _ := slices.BinarySearch(positions, t.oldest); from < len(positions) {
			b.add(term, positions[from:])
		}
	}
	if err != nil {
		return err
	}
	return x.replace(ctx, w, owner, replacement{t.was, []segment{t.segment}, b.chunks, t.oldest})
}

// replacement is segments, and the chunks of the one that replaces them.
type replacement struct {
	was    State // before they were read
	run    []segment
	chunks []chunk
	oldest int64 // what is before it is in no chunk
}

// replace writes the merged segment in steps, and then deletes the others.
func (x *Index) replace(ctx context.Context, w Writer, owner int64, r replacement) error {
	merged := r.run[0]
	for _, s := range r.run[1:] {
		merged.docs += s.docs
		merged.first, merged.last = min(merged.first, s.first), max(merged.last, s.last)
	}
	merged.first = max(merged.first, r.oldest)
	err := w.Write(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRow(x.sql[takeNumberSQL], owner).Scan(&merged.number); err != nil {
			return err
		}
		return x.addSegment(tx, owner, merged, building)
	})
	for rest := r.chunks; err == nil && len(rest) > 0; {
		some := rest[:min(piece, len(rest))]
		rest = rest[len(some):]
		err = w.Write(ctx, func(tx *sql.Tx) error { return x.addChunks(tx, owner, merged.number, some) })
	}
	if err != nil {
		return err
	}
	var old []int64 // segments that are replaced, or the merged one if it is not taken
	err = w.Write(ctx, func(tx *sql.Tx) error {
		old = []int64{merged.number} // this function may run again after a rollback
		now, err := readState(context.Background(), tx, x.sql[lockStateSQL], owner)
		if err != nil || !now.exists || now.Changed != r.was.Changed {
			return err // something was removed meanwhile, which the merged segment may still have
		}
		done, err := tx.Exec(x.sql[finishSegmentSQL], owner, merged.number)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); n == 0 || err != nil {
			return err // somebody has cleaned up meanwhile
		}
		replaced := make([]int64, 0, len(r.run))
		for _, s := range r.run {
			replaced = append(replaced, s.number)
			if _, err := tx.Exec(x.sql[setSegmentSQL], dead, owner, s.number); err != nil {
				return err
			}
		}
		old = replaced
		return nil
	})
	for i := 0; i < len(old) && err == nil; i++ {
		err = x.drop(ctx, w, owner, old[i])
	}
	return err
}

// mergedChunks are the chunks of several segments, which are in the order of their positions, as those of one.
func (x *Index) mergedChunks(ctx context.Context, q scan.Querier, owner int64, run []segment) ([]chunk, error) {
	cursors := make([]*cursor, len(run))
	for i, s := range run {
		list, err := x.readChunks(ctx, q, x.sql[chunksSQL], owner, s.number)
		if err != nil {
			return nil, err
		}
		cursors[i] = &cursor{chunks: list}
		if err := cursors[i].step(); err != nil {
			return nil, err
		}
	}
	var b builder
	var positions []int64
	for {
		term, more := search.Term(0), false
		for _, c := range cursors {
			if !c.ended && (!more || c.term < term) {
				term, more = c.term, true
			}
		}
		if !more {
			return b.chunks, nil
		}
		positions = positions[:0]
		for _, c := range cursors {
			for !c.ended && c.term == term {
				positions = append(positions, c.list...)
				if err := c.step(); err != nil {
					return nil, err
				}
			}
		}
		b.add(term, positions)
	}
}

// cursor reads the lists of a segment's chunks.
type cursor struct {
	chunks []chunk
	reader reader
	term   search.Term
	list   []int64
	ended  bool
}

func (c *cursor) step() error {
	for {
		term, list, ok, err := c.reader.next(c.list[:0])
		if err != nil {
			return err
		}
		if ok {
			c.term, c.list = term, list
			return nil
		}
		if len(c.chunks) == 0 {
			c.ended = true
			return nil
		}
		c.reader = reader{c.chunks[0].data, search.Term(c.chunks[0].term)}
		c.chunks = c.chunks[1:]
	}
}

func (x *Index) readChunks(ctx context.Context, q scan.Querier, text string, args ...any) ([]chunk, error) {
	return scan.Rows(ctx, q, func(row scan.Row) (c chunk, err error) {
		err = row.Scan(&c.term, &c.part, &c.data)
		return c, err
	}, text, args...)
}
