package demo

import (
	"bytes"
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

// TestScreenRemovesControls prints what a hostile message might contain.
func TestScreenRemovesControls(t *testing.T) {
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

// TestScreenKeepsLongValues prints a value that is to be copied, and a named one.
func TestScreenKeepsLongValues(t *testing.T) {
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

func TestWrap(t *testing.T) {
	t.Parallel()
	got := wrap("one two three\nfour incredibly", 8)
	if want := []string{"one two", "three", "four", "incredibly"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("wrap gave %q, want %q", got, want)
	}
}
