package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// growth is one row: the same measurement at several sizes.
type growth struct {
	what         string
	cost, format string
	sizes        []int
	of           string // what there are as many of
	run          func(ctx context.Context, b *bench, s *server, size int) (figures, error)
}

var (
	sessionSizes = []int{100, 1000, 10000}
	rosterSizes  = []int{10, 1000}
)

// rosterUsers have a roster of each size.
const rosterUsers = 20

func rosterOwner(size int) string { return fmt.Sprintf("roster%d-", size) }

func growths(o options) []growth {
	length := o.length.String()
	call := func(args func(size int) []string) func(context.Context, *bench, *server, int) (figures, error) {
		return func(ctx context.Context, b *bench, s *server, size int) (figures, error) {
			return b.load(ctx, s, args(size)...)
		}
	}
	beside := func(size, busy int) string { return number(max(0, size-busy)) }
	idle := func(more ...string) func(context.Context, *bench, *server, int) (figures, error) {
		return func(ctx context.Context, b *bench, s *server, size int) (figures, error) {
			if err := s.restart(ctx); err != nil {
				return nil, err
			}
			return b.load(ctx, s, append([]string{"idle", "--settle", settle, "--sessions", number(size), "--users", number(accounts)}, more...)...)
		}
	}
	return []growth{
		{"chat, CPU of a message", "cpu", "%.2f µs", sessionSizes, "sessions online", call(func(n int) []string {
			return []string{"chat", "--archive", "never", "--for", length, "--users", "100", "--beside", beside(n, 100)}
		})},
		{"chat to bare addresses, CPU of a message", "cpu", "%.2f µs", sessionSizes, "sessions online", call(func(n int) []string {
			return []string{"chat", "--archive", "never", "--bare", "--for", length, "--users", "100", "--beside", beside(n, 100)}
		})},
		{"SCRAM-SHA-1, CPU of a login", "cpu", "%.0f µs", sessionSizes, "sessions online", call(func(n int) []string {
			return []string{"login", "--for", length, "--users", "100", "--beside", number(n)}
		})},
		{"memory of an idle session", "memory", "%.1f KB", sessionSizes, "sessions online", idle()},
		{"memory of an idle session, TLS", "memory", "%.1f KB", sessionSizes, "sessions online", idle("--tls")},
		{"chat, CPU of a message", "cpu", "%.2f µs", rosterSizes, "contacts in each roster", call(func(n int) []string {
			return []string{"chat", "--archive", "never", "--for", length, "--user", rosterOwner(n), "--users", number(rosterUsers)}
		})},
		{"login, roster and presence, CPU", "cpu", "%.0f µs", rosterSizes, "contacts in each roster", call(func(n int) []string {
			return []string{"login", "--roster", "--for", length, "--user", rosterOwner(n), "--users", number(rosterUsers)}
		})},
		{"presence, CPU of a delivery", "cpu", "%.2f µs", []int{10, 900}, "contacts online", call(func(n int) []string {
			return []string{"presence", "--star", "--users", number(n + 1), "--changes", number(20000 / n)}
		})},
	}
}

// grow measures at all sizes, the servers in turn, and prints the table.
func (b *bench) grow(ctx context.Context, w io.Writer) error {
	for _, s := range b.servers {
		for _, size := range rosterSizes {
			b.progress("%s: giving %d accounts %d contacts each", s.title, rosterUsers, size)
			s.stop()
			if err := s.populate(ctx, b, rosterOwner(size), rosterUsers); err != nil {
				return err
			}
			if err := s.start(ctx); err != nil {
				return err
			}
			if _, err := b.load(ctx, s, "roster", "--user", rosterOwner(size), "--users", number(rosterUsers), "--contacts", number(size)); err != nil {
				return fmt.Errorf("%s: %w", s.title, err)
			}
		}
	}
	fmt.Fprintln(w, b.heading())
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| what | server | at | last to first |")
	fmt.Fprintln(w, "| --- | --- | --- | ---: |")
	for _, g := range growths(b.options) {
		if !b.selects(g.what) {
			continue
		}
		for _, s := range b.servers {
			line, err := b.row(ctx, g, s)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", s.title, g.what, err)
			}
			fmt.Fprintln(w, line)
		}
	}
	return nil
}

// row measures one server; all sizes are measured in each round.
func (b *bench) row(ctx context.Context, g growth, s *server) (string, error) {
	all := make([][]figures, len(g.sizes))
	for round := range b.rounds {
		for i, size := range g.sizes {
			b.progress("%s: %s, %d %s, round %d of %d", s.title, g.what, size, g.of, round+1, b.rounds)
			f, err := g.run(ctx, b, s, size)
			if ctx.Err() != nil {
				return "", errors.New("stopped")
			}
			if err != nil {
				return "", err
			}
			all[i] = append(all[i], f)
		}
	}
	var at []string
	for i, size := range g.sizes {
		at = append(at, fmt.Sprintf("%s: "+g.format, thousands(float64(size)), median(all[i])[g.cost]))
	}
	first, last := median(all[0])[g.cost], median(all[len(all)-1])[g.cost]
	return fmt.Sprintf("| %s, by %s | %s | %s | %.2f |", g.what, g.of, s.title, strings.Join(at, "; "), last/first), nil
}
