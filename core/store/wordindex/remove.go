package wordindex

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Remove takes the terms of one position out of an index, in the transaction that changes the message.
func (x *Index) Remove(tx *sql.Tx, owner, position int64, terms []search.Term) error {
	ctx := context.Background()
	was, err := readState(ctx, tx, x.sql[lockStateSQL], owner)
	if err != nil {
		return err
	}
	if !was.exists {
		if _, err := tx.Exec(x.addOwner, owner); err != nil { // so that what is being indexed now can be told
			return fmt.Errorf("make word index: %w", err)
		}
	}
	if _, err := tx.Exec(x.sql[bumpSQL], owner); err != nil {
		return fmt.Errorf("change word index: %w", err)
	}
	segments, err := x.segments(ctx, tx, owner, position, position)
	for _, s := range segments {
		for _, t := range terms {
			if err := x.removeFrom(tx, owner, s.number, position, t); err != nil {
				return fmt.Errorf("remove message from word index: %w", err)
			}
		}
	}
	return err
}

func (x *Index) removeFrom(tx *sql.Tx, owner, segment, position int64, term search.Term) error {
	chunks, err := x.readChunks(context.Background(), tx, x.sql[chunksOfSQL], owner, segment, int64(term))
	if err != nil {
		return err
	}
	for _, c := range chunks {
		data, changed, err := c.without(term, position)
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		if _, err := tx.Exec(x.sql[setChunkSQL], data, owner, segment, c.term, c.part); err != nil {
			return err
		}
	}
	return nil
}

// without is the data of a chunk without one position of a term.
func (c chunk) without(term search.Term, position int64) (data []byte, changed bool, err error) {
	r, last := reader{c.data, search.Term(c.term)}, search.Term(c.term)
	data = make([]byte, 0, len(c.data)) // not nil: the column has a value
	var list []int64
	for {
		t, next, ok, err := r.next(list[:0])
		if !ok || err != nil {
			return data, changed, err
		}
		list = next
		if t == term {
			if i, has := slices.BinarySearch(list, position); has {
				list, changed = slices.Delete(list, i, i+1), true
			}
		}
		if len(list) > 0 {
			data = appendList(data, uint64(t-last), list)
			last = t
		}
	}
}

// drop deletes a segment in steps.
func (x *Index) drop(ctx context.Context, w Writer, owner, number int64) error {
	err := w.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(x.sql[setSegmentSQL], dead, owner, number)
		return err
	})
	for n := int64(piece); err == nil && n == piece; {
		err = w.Write(ctx, func(tx *sql.Tx) error {
			r, err := tx.Exec(x.sql[deleteChunksSQL], owner, number, piece)
			if err != nil {
				return err
			}
			if n, err = r.RowsAffected(); err != nil || n == piece {
				return err
			}
			_, err = tx.Exec(x.sql[deleteSegmentSQL], owner, number)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("delete segment of word index: %w", err)
	}
	return nil
}

// Clean deletes what a process has left that ended while it merged. It is called before anything else.
func (x *Index) Clean(ctx context.Context, q scan.Querier, w Writer) error {
	type key struct{ owner, number int64 }
	list, err := scan.Rows(ctx, q, func(row scan.Row) (k key, err error) {
		err = row.Scan(&k.owner, &k.number)
		return k, err
	}, x.sql[unfinishedSQL])
	for _, k := range list {
		err = errors.Join(err, x.drop(ctx, w, k.owner, k.number))
	}
	return err
}

// Drop deletes the segments of an owner. Its row goes with the owner.
func (x *Index) Drop(ctx context.Context, q scan.Querier, w Writer, owner int64) error {
	list, err := scan.Rows(ctx, q, func(row scan.Row) (n int64, err error) {
		err = row.Scan(&n)
		return n, err
	}, x.sql[allOfOwnerSQL], owner)
	for _, n := range list {
		err = errors.Join(err, x.drop(ctx, w, owner, n))
	}
	return err
}
