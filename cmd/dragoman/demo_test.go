package main

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"
)

func TestScreenCutsLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		columns int
		want    string
		used    int
	}{
		{"short", 10, "short", 5},
		{"exactly", 7, "exactly", 7},
		{"too long", 7, "too lo…", 7},
		{"日本語", 6, "日本語", 6},
		{"日本語", 5, "日本…", 5},
		{"日本語", 4, "日…", 3},
		{"", 3, "", 0},
		{"ab", 1, "…", 1},
		{"e\u0301e\u0301", 2, "e\u0301e\u0301", 2},
	} {
		if got, used := fit(c.text, c.columns); got != c.want || used != c.used {
			t.Errorf("fit(%q, %d) = %q, %d, want %q, %d", c.text, c.columns, got, used, c.want, c.used)
		}
	}
}

// TestScreenIsNotSteered prints what a hostile message might hold.
func TestScreenIsNotSteered(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := newScreen(&b)
	s.line(span{"\x1b]0;title\x07\x1b[2Jred\u202egnp\r\nsecond\u0085line\xff", plain, 0})
	if got, want := b.String(), "]0;title[2Jredgnp  secondline\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	b.Reset()
	s.line(span{"name", bold, 3}, span{strings.Repeat("x", 500), red, 0})
	if got := strings.TrimSuffix(b.String(), "\n"); columnsIn(got) != plainWidth || !strings.HasPrefix(got, "na…xxx") {
		t.Errorf("printed %d columns: %q", columnsIn(got), got)
	}
	b.Reset()
	s.blank()
	s.blank()
	if b.String() != "\n" {
		t.Errorf("printed %q, want one empty line", b.String())
	}
}

// TestScreenCopies prints what is to be copied.
func TestScreenCopies(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := newScreen(&b)
	token := strings.Repeat("x", 500)
	s.whole(span{text: "  "}, span{text: token})
	if got := b.String(); got != "  "+token+"\n" {
		t.Errorf("printed %q", got)
	}
	b.Reset()
	s.entry("  Name", "one two "+strings.Repeat("long ", 20), bold)
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[1], strings.Repeat(" ", nameColumns)+"long") {
		t.Errorf("printed %q", lines)
	}
}

// TestTrafficFits prints a step of a message on screens of several widths.
func TestTrafficFits(t *testing.T) {
	t.Parallel()
	for columns, lines := range map[int]int{120: 1, 80: 2, 60: 3} {
		var b bytes.Buffer
		tracer := newTracer(newScreen(&b))
		tracer.out.columns = columns
		tracer.show(trafficLine{town: "Discord", way: wayOut, step: "3 acknowledged", room: "#tournaments", text: "the network's id of the message is kept beside the stanza's"})
		got := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(got) != lines {
			t.Errorf("%d columns: %d lines, want %d: %q", columns, len(got), lines, got)
		}
		for _, l := range got {
			if columnsIn(l) > columns || !strings.Contains(l, " ") {
				t.Errorf("%d columns: %q", columns, l)
			}
		}
	}
}

func TestScreenColours(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := newScreen(&b)
	s.line(span{"x", red, 0})
	s.colour = true
	s.line(span{"x", red, 3}, span{text: "y"}, span{"", green, 0})
	if got, want := b.String(), "x\n\x1b[31mx  \x1b[0my\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestScreenLogs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := newScreen(&b)
	log := s.logger().With("jid", "ann@localhost")
	log.Warn("while it starts")
	s.running()
	log.Info("not worth a line")
	log.Warn("odd", slog.Int("times", 3))
	if got := b.String(); !strings.HasSuffix(got, "log      odd jid=ann@localhost times=3\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("printed %q", got)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	got := wrap("one two three\nfour incredibly", 8)
	if want := []string{"one two", "three", "four", "incredibly"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("wrap gave %q, want %q", got, want)
	}
}

func TestPeopleSpeak(t *testing.T) {
	t.Parallel()
	for _, p := range append(append([]*person(nil), slackPeople...), discordPeople...) {
		for i := range 2 * len(p.answers) {
			text := p.answer(i, "Robin Adler", "How <b>tremendously</b> kind, "+strings.Repeat("x", 1000))
			if !strings.Contains(text, "tremendously") || strings.ContainsAny(text, "{}") || strings.Contains(text, "Adler") {
				t.Errorf("%s says %q", p.name, text)
			}
			if wrong := mistyped(text); wrong == text || len(wrong) < len(text) {
				t.Errorf("mistyped(%q) = %q", text, wrong)
			}
		}
	}
	for said, want := range map[string]string{"": "that", "…!?": "that", "a bc d": "bc", "no naïve ones": "naïve"} {
		if got := weightiest(said); got != want {
			t.Errorf("weightiest(%q) = %q, want %q", said, got, want)
		}
	}
	if got := mistyped("aa aa"); got != "aa aa." {
		t.Errorf("mistyped gave %q", got)
	}
}

// TestTownsAreInOrder checks the tables: everybody and every place that is named is there.
func TestTownsAreInOrder(t *testing.T) {
	t.Parallel()
	tracer := newTracer(newScreen(&bytes.Buffer{}))
	slack, err := newSlackTown(tracer)
	if err != nil {
		t.Fatal(err)
	}
	defer slack.close()
	discord, err := newDiscordTown(tracer)
	if err != nil {
		t.Fatal(err)
	}
	defer discord.close()
	for _, w := range []town{slack, discord} {
		scenes := newCast(w, true).scenes
		for _, scene := range scenes {
			for _, l := range scene {
				if _, err := w.say(w.people()[l.who], w.places()[l.where], l.text); err != nil {
					t.Errorf("%s: %v", w.name(), err)
				}
			}
		}
		for _, p := range w.people() {
			n, err := w.say(p, w.direct(p), greetings[0])
			if err != nil {
				t.Errorf("%s: %v", w.name(), err)
			}
			if name, ok := w.roomName(roomOf(w, n.place)); !ok || name != p.name {
				t.Errorf("%s: the conversation with %s is called %q", w.name(), p.name, name)
			}
		}
		for _, p := range w.places() {
			if name, ok := w.roomName(w.roomAddress(p)); !ok || name != p.name {
				t.Errorf("%s: %s is called %q", w.name(), p.name, name)
			}
		}
		if name, ok := w.roomName("nothing of ours"); ok {
			t.Errorf("%s knows a room %q", w.name(), name)
		}
		mine, others := w.tokens(false), w.tokens(true)
		if mine[len(mine)-1] == others[len(others)-1] {
			t.Errorf("%s has the same tokens for two accounts", w.name())
		}
	}
	if c := slack.server.Complaints(); len(c) > 0 {
		t.Errorf("the stand-in for Slack complains: %v", c)
	}
}

func roomOf(w town, p place) string {
	if s, ok := w.(*slackTown); ok {
		return s.bridgeID(p.id)
	}
	return p.id
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		p := newPassword()
		if len(p) != 14 || p[4] != '-' || p[9] != '-' || seen[p] {
			t.Fatalf("password %q", p)
		}
		seen[p] = true
	}
}

func TestShortPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/channels/1573439052617613316/messages":                                     "/channels/…/messages",
		"/webhooks/157/secret-secret-secret/messages/1573439052617613319":            "/webhooks/…/messages/…",
		"/channels/1/messages/2/reactions/%F0%9F%91%8D/@me":                          "/channels/…/messages/…/reactions/…/@me",
		"/webhooks/1573439052617613316/aVeryLongSecretTokenThatNobodyShouldEverSee1": "/webhooks/…",
	} {
		if got := shortPath(strings.Split(strings.Trim(path, "/"), "/")); got != want {
			t.Errorf("shortPath(%s) = %s, want %s", path, got, want)
		}
	}
}

// TestUsualPorts finds another port where the usual one is taken, but not instead of one that was asked for.
func TestUsualPorts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	h := &demoHouse{}
	got, err := h.address("--listen", "", taken)
	if err != nil || got == taken || !h.moved {
		t.Errorf("address is %q, moved %v: %v", got, h.moved, err)
	}
	if got, err := h.address("--listen", taken, "127.0.0.1:0"); err == nil {
		t.Errorf("address is %q, want an error", got)
	}
	h = &demoHouse{}
	if got, err := h.address("--listen", "", "127.0.0.1:0"); err != nil || h.moved {
		t.Errorf("address is %q, moved %v: %v", got, h.moved, err)
	}
}
