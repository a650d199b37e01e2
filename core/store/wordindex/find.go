package wordindex

import (
	"context"
	"database/sql"
	"slices"

	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Search is what is looked for: the positions that have all of some terms. They are in a range, both ends inclusive, that is read from
// one end or the other.
type Search struct {
	Terms     []search.Term
	From, To  int64
	Backwards bool
}

// Find calls found with the positions that are looked for, in order, some at a time, until it returns false or there are no more.
func (x *Index) Find(ctx context.Context, q scan.Querier, owner int64, in Search, found func([]int64) (bool, error)) error {
	if len(in.Terms) == 0 {
		return nil
	}
	segments, err := x.segments(ctx, q, owner, in.From, in.To)
	if err != nil {
		return err
	}
	if in.Backwards {
		slices.Reverse(segments)
	}
	for _, s := range segments {
		list, err := x.common(ctx, q, owner, s.number, in.Terms)
		if err != nil {
			return err
		}
		from, _ := slices.BinarySearch(list, in.From)
		to, has := slices.BinarySearch(list, in.To)
		if has {
			to++
		}
		if list = list[from:max(from, to)]; len(list) == 0 {
			continue
		}
		if in.Backwards {
			slices.Reverse(list)
		}
		if more, err := found(list); !more || err != nil {
			return err
		}
	}
	return nil
}

// common are the positions of a segment that have all of the terms.
func (x *Index) common(ctx context.Context, q scan.Querier, owner, segment int64, terms []search.Term) (list []int64, err error) {
	for i, t := range terms {
		has, err := x.list(ctx, q, owner, segment, t)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			list = has
		} else {
			list = intersect(list, has)
		}
		if len(list) == 0 {
			return nil, nil
		}
	}
	return list, nil
}

// list is the positions of a term in a segment.
func (x *Index) list(ctx context.Context, q scan.Querier, owner, segment int64, term search.Term) (list []int64, err error) {
	rows, err := q.QueryContext(ctx, x.sql[listsSQL], owner, segment, int64(term))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var first int64
		var data sql.RawBytes
		if err := rows.Scan(&first, &data); err != nil {
			return nil, err
		}
		r := reader{data, search.Term(first)}
		for n := len(list); ; list = list[:n] {
			t, more, ok, err := r.next(list)
			if err != nil {
				return nil, err
			}
			if !ok || t > term {
				break
			}
			if t == term {
				list = more
				break
			}
		}
	}
	return list, rows.Err()
}

// intersect keeps in a what is also in b; both are in order.
func intersect(a, b []int64) []int64 {
	kept, j := a[:0], 0
	for _, p := range a {
		for j < len(b) && b[j] < p {
			j++
		}
		if j < len(b) && b[j] == p {
			kept = append(kept, p)
		}
	}
	return kept
}
