package main

import (
	"context"
	"strings"
)

// measure is one row of the comparison.
type measure struct {
	what string
	unit string // what the CPU or the memory is divided by
	// cost names the figure that matters, and how it is written.
	cost, format string
	run          func(ctx context.Context, b *bench, s *server) (figures, error)
	// needs is a mechanism that not all servers have.
	needs string
	once  bool // one round is enough, and long
}

// of makes a measurement of one call of xmppbench.
func of(what, unit string, args func(b *bench, s *server) []string) measure {
	return measure{what: what, unit: unit, cost: "cpu", format: "%.1f µs", run: func(ctx context.Context, b *bench, s *server) (figures, error) {
		return b.load(ctx, s, args(b, s)...)
	}}
}

// settle is how long memory is given to come to rest, before the sessions come and after.
const settle = "10s"

// idle is the memory of sessions in a process that has done nothing else.
func idle(what string, more ...string) measure {
	return measure{what: what, unit: "session", cost: "memory", format: "%.1f KB", once: true, run: func(ctx context.Context, b *bench, s *server) (figures, error) {
		if err := s.restart(ctx); err != nil {
			return nil, err
		}
		return b.load(ctx, s, append([]string{"idle", "--settle", settle, "--sessions", number(b.idle), "--users", number(accounts)}, more...)...)
	}}
}

func (m measure) with(mechanism string) measure {
	m.needs = mechanism
	return m
}

// measures are all rows, in the order of the table.
func measures(o options) []measure {
	length := o.length.String()
	chat := func(more ...string) func(*bench, *server) []string {
		return func(*bench, *server) []string {
			return append([]string{"chat", "--for", length, "--users", number(o.users)}, more...)
		}
	}
	login := func(mechanism string, more ...string) func(*bench, *server) []string {
		return func(*bench, *server) []string {
			return append([]string{"login", "--for", length, "--mechanism", mechanism}, more...)
		}
	}
	return []measure{
		of("chat to full addresses", "message", chat("--archive", "never")),
		of("chat to bare addresses", "message", chat("--archive", "never", "--bare")),
		of("chat with TLS", "message", chat("--archive", "never", "--tls")),
		of("chat with the archive on", "message", chat("--archive", "always", "--window", "2")),
		of("login SCRAM-SHA-1", "login", login("SCRAM-SHA-1")),
		of("login SCRAM-SHA-256", "login", login("SCRAM-SHA-256")).with("SCRAM-SHA-256"),
		of("login SCRAM-SHA-1, TLS", "login", login("SCRAM-SHA-1", "--tls")),
		of("login PLAIN, TLS", "login", login("PLAIN", "--tls")),
		of("presence, 50 contacts each", "delivery", func(*bench, *server) []string { return []string{"presence", "--users", "50", "--changes", "50"} }),
		of("room with 20 people, 10 sessions each", "delivery", func(_ *bench, s *server) []string {
			return append([]string{"room", "--for", length, "--users", "200", "--each", "10"}, s.room...)
		}),
		idle("idle session"),
		idle("idle session, TLS", "--tls"),
		{what: "start to first login", unit: "start", cost: "start", format: "%.0f ms", run: func(ctx context.Context, _ *bench, s *server) (figures, error) {
			return s.firstLogin(ctx)
		}},
	}
}

// named reports whether -only wants what has that name.
func (b *bench) named(what string) bool {
	for word := range strings.SplitSeq(b.only, ",") {
		if strings.Contains(what, strings.TrimSpace(word)) {
			return true
		}
	}
	return false
}

// chosen are the measures that -only names.
func (b *bench) chosen() []measure {
	var list []measure
	for _, m := range measures(b.options) {
		if b.named(m.what) {
			list = append(list, m)
		}
	}
	return list
}
