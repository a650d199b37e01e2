package main

import (
	"context"
	"fmt"
	"strings"
)

// measure is one row of the comparison.
type measure struct {
	what string
	unit string // what the CPU or the memory is divided by
	// cost is the key of the figure that the table shows, format its format.
	cost, format string
	run          func(ctx context.Context, b *bench, s *server) (figures, error)
	// needs is the SASL mechanism that a server must offer to be measured; "" for any.
	needs  string
	once   bool // measured in one round only, since a round takes long
	search bool // only servers that index messages by words can do it

	webSocket bool // only servers whose WebSocket is configured here
}

// byLoad returns a measure that runs xmppbench once, with args, and compares the CPU time per unit.
func byLoad(what, unit string, args func(b *bench, s *server) []string) measure {
	return measure{what: what, unit: unit, cost: "cpu", format: "%.1f µs", run: func(ctx context.Context, b *bench, s *server) (figures, error) {
		return b.load(ctx, s, args(b, s)...)
	}}
}

// indexing is how long a server that indexes archived messages takes to have done so after a load.
const indexing = "25s"

// settle is how long xmppbench waits before it reads the memory: before the sessions log in, and after. Dragoman needs up to 12 s to let silent
// sessions rest.
const settle = "20s"

// idle returns a measure of the memory of idle sessions. The server is restarted first, so that nothing else is in
// its memory.
func idle(what string, more ...string) measure {
	return measure{what: what, unit: "session", cost: "memory", format: "%.1f KB", once: true, run: func(ctx context.Context, b *bench, s *server) (figures, error) {
		if err := s.restart(ctx); err != nil {
			return nil, err
		}
		return b.load(ctx, s, append([]string{"idle", "--settle", settle, "--sessions", number(b.idle), "--users", number(accounts)}, more...)...)
	}}
}

// resumption returns a measure of sessions that are cut off at once and resumed.
func resumption(o options, what string, more ...string) measure {
	return byLoad("resumption of "+thousands(float64(o.resumed))+" cut sessions"+what, "session", func(*bench, *server) []string {
		return append([]string{"resume", "--sessions", number(o.resumed)}, more...)
	})
}

// overWebSocket is byLoad over WebSocket, at the address of each server.
func overWebSocket(what, unit string, args func(b *bench, s *server) []string) measure {
	m := byLoad(what, unit, func(b *bench, s *server) []string { return append(args(b, s), "--websocket", s.webAddr()) })
	m.webSocket = true
	return m
}

func (m measure) with(mechanism string) measure {
	m.needs = mechanism
	return m
}

// measures returns all rows, in the order of the table.
func measures(o options) []measure {
	length, messages := o.length.String(), thousands(float64(o.messages))
	chat := func(more ...string) func(*bench, *server) []string {
		return func(*bench, *server) []string {
			return append([]string{"chat", "--for", length, "--users", number(o.users)}, more...)
		}
	}
	// What Dragoman has archived is indexed by words when the load is over: that is not charged to the next load.
	archived := func(more ...string) func(*bench, *server) []string {
		return func(b *bench, s *server) []string {
			args := append(chat("--archive", "always", "--window", "2")(b, s), more...)
			if s.kind.indexes {
				args = append(args, "--wait", indexing)
			}
			return args
		}
	}
	login := func(mechanism string, more ...string) func(*bench, *server) []string {
		return func(*bench, *server) []string {
			return append([]string{"login", "--for", length, "--mechanism", mechanism}, more...)
		}
	}
	remote := func(more ...string) func(*bench, *server) []string {
		return func(b *bench, s *server) []string {
			return append([]string{"remote", "--for", length, "--users", number(o.users), "--listen", fmt.Sprintf("127.0.0.1:%d", b.remote), "--server", s.linkAddr()}, more...)
		}
	}
	return []measure{
		byLoad("chat to full addresses", "message", chat("--archive", "never")),
		byLoad("chat to bare addresses", "message", chat("--archive", "never", "--bare")),
		byLoad("chat with TLS", "message", chat("--archive", "never", "--tls")),
		byLoad("chat, window 10", "message", chat("--archive", "never", "--window", "10")),
		overWebSocket("chat, window 10, WebSocket", "message", chat("--archive", "never", "--window", "10")),
		byLoad("chat with the archive on", "message", archived()),
		byLoad("chat with the archive on, XEP-0198", "message", archived("--manage")),
		byLoad("to 10 remote domains, TLS", "message", remote("--out")),
		byLoad("from 10 remote domains, TLS", "message", remote()),
		byLoad("from 100 remote domains, TLS", "message", remote("--domains", number(remoteDomains))),
		resumption(o, ""),
		resumption(o, ", TLS", "--tls"),
		byLoad("login SCRAM-SHA-1", "login", login("SCRAM-SHA-1")),
		byLoad("login SCRAM-SHA-256", "login", login("SCRAM-SHA-256")).with("SCRAM-SHA-256"),
		byLoad("login SCRAM-SHA-1, TLS", "login", login("SCRAM-SHA-1", "--tls")),
		byLoad("login PLAIN, TLS", "login", login("PLAIN", "--tls")),
		byLoad("login with a token, TLS", "login", login("HT-SHA-256-NONE", "--tls")).with("HT-SHA-256-NONE"),
		byLoad("presence, 50 contacts each", "delivery", func(*bench, *server) []string { return []string{"presence", "--users", "50", "--changes", "50"} }),
		byLoad("PEP, 50 contacts each", "notification", func(*bench, *server) []string { return []string{"publish", "--users", "50", "--items", "50"} }),
		byLoad("PEP, one of 51 contacts publishes", "notification", func(*bench, *server) []string {
			return []string{"publish", "--users", "51", "--items", "200", "--star"}
		}),
		byLoad("PEP, one of 51 contacts publishes, 10 items under way", "notification", func(*bench, *server) []string {
			return []string{"publish", "--users", "51", "--items", "600", "--window", "10", "--star"}
		}),
		byLoad("room with 20 people, 10 sessions each", "delivery", func(_ *bench, s *server) []string {
			return append([]string{"room", "--for", length, "--users", "200", "--each", "10"}, s.room...)
		}),
		byLoad("room of the server with 200 people", "delivery", nativeRooms(length)),
		byLoad("room of the server with 200 people, archive on", "delivery", nativeRooms(length, "--archive")),
		byLoad("room of the server with 1000 people, 8 of them write", "delivery", func(_ *bench, s *server) []string {
			return append([]string{"room", "--for", length, "--users", "1000", "--speakers", "8", "--window", "1", "--quiet"}, s.native...)
		}),
		ofArchive("page of 50, the newest of "+messages, "newest"),
		ofArchive("page of 50, from the end less 50", "end"),
		ofArchive("page of 50, from the middle", "middle"),
		ofArchive("page of 50, newest with a contact", "contact"),
		ofSearch("search for a word in 100 messages of "+messages, "rare"),
		ofSearch("search for a word in 1 % of "+messages, "common"),
		ofArchive("page of 0, count alone", "count"),
		idle("idle session"),
		idle("idle session, TLS", "--tls"),
		{what: "start to first login", unit: "start", cost: "start", format: "%.0f ms", run: func(ctx context.Context, _ *bench, s *server) (figures, error) {
			return s.firstLogin(ctx)
		}},
	}
}

// nativeRooms measures a room that the server itself has.
func nativeRooms(length string, more ...string) func(*bench, *server) []string {
	return func(_ *bench, s *server) []string {
		return append(append([]string{"room", "--for", length, "--users", "200"}, s.native...), more...)
	}
}

// selects reports whether -only, a list of words, selects the measure with that title.
func (b *bench) selects(what string) bool {
	for word := range strings.SplitSeq(b.only, ",") {
		if strings.Contains(what, strings.TrimSpace(word)) {
			return true
		}
	}
	return false
}

// chosen returns the measures that -only selects.
func (b *bench) chosen() []measure {
	var list []measure
	for _, m := range measures(b.options) {
		if b.selects(m.what) {
			list = append(list, m)
		}
	}
	return list
}
