package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// results are the figures of one measure by server; none where it failed.
type results struct {
	measure
	of map[*server]figures
}

// compare measures all servers in turn, and prints the table.
func (b *bench) compare(ctx context.Context, w io.Writer) error {
	list := b.chosen()
	if len(list) == 0 {
		return fmt.Errorf("-only %s: nothing has such a name", b.only)
	}
	var rows []results
	var notes []string
	for i, m := range list {
		rounds := map[*server][]figures{}
		failed := map[*server]bool{}
		all := b.rounds
		if m.once {
			all = 1
		}
		for round := range all {
			for _, s := range b.servers {
				if failed[s] || m.needs != "" && !slices.Contains(s.mechanisms, m.needs) || m.search && !s.kind.indexes || m.webSocket && !s.kind.webSocket {
					continue
				}
				b.progress("%d of %d: %s: %s, round %d of %d", i+1, len(list), m.what, s.title, round+1, all)
				f, err := m.run(ctx, b, s)
				if ctx.Err() != nil {
					return errors.New("stopped")
				}
				if err != nil {
					failed[s] = true
					notes = append(notes, fmt.Sprintf("%s, %s: %v", m.what, s.title, err))
					b.progress("%s: %v", s.title, err)
					if err := s.restart(ctx); err != nil {
						return err
					}
					continue
				}
				rounds[s] = append(rounds[s], f)
			}
		}
		r := results{m, map[*server]figures{}}
		for s, list := range rounds {
			if !failed[s] && len(list) > 0 {
				r.of[s] = median(list)
			}
		}
		rows = append(rows, r)
	}
	b.table(w, rows, notes)
	return b.refused(rows)
}

// refused is an error where our own server could not do what was asked.
func (b *bench) refused(rows []results) error {
	for _, s := range b.servers {
		for _, r := range rows {
			if s.kind == dragoman && r.of[s] == nil {
				return fmt.Errorf("%s could not be measured with %s", r.what, s.title)
			}
		}
	}
	return nil
}
