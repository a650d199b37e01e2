package search

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query, text string
		want        bool
	}{
		{"hello", "Hello, world", true},
		{"HELLO world", "world: hello!", true},
		{"hello moon", "hello world", false},
		{`"hello world"`, "oh, hello - World.", true},
		{`"world hello"`, "hello world", false},
		{`"hello world" oh`, "oh, hello world", true},
		{"hell", "hello", false},
		{"cafe", "Café", true},
		{"café", "cafe\u0301 au lait", true},
		{"strasse", "Straße", true},
		{"STRASSE", "straße", true},
		{"Ελλάς", "ΕΛΛΆΣ", true},
		{"istanbul", "İstanbul", true},
		{"lodz", "Łódź", true},
		{"ｆｕｌｌ", "full width", true},
		{"ﬁsh", "fish", true},
		{"東京", "私は東京都に住む", true},
		{"京東", "東京", false},
		{"東", "東京", true},
		{"東京", "東 京", false},
		{`"東 京"`, "東、京", true},
		{"привет", "ПРИВЕТ мир", true},
		{"5", "4 5 6", true},
		{"example.org", "see https://example.org/x", true},
		{"", "anything", false},
		{"!?", "anything!?", false},
		{strings.Repeat("a", 70), strings.Repeat("A", 70), true},
	} {
		q, err := Parse(c.query)
		if err != nil {
			t.Errorf("%q: %v", c.query, err)
			continue
		}
		if got := q.Match(c.text); got != c.want {
			t.Errorf("%q in %q: %v", c.query, c.text, got)
		}
		terms := AppendTerms(nil, c.text)
		for _, term := range q.Terms() {
			if c.want && !slices.Contains(terms, term) {
				t.Errorf("%q matches %q, but the text has not all of its terms", c.query, c.text)
			}
		}
	}
}

func TestQueryIsBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("a ", MaxWords+1), strings.Repeat("a", MaxBytes+1), "\xff"} {
		if _, err := Parse(text); !errors.Is(err, ErrTooLong) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if n := len(AppendTerms(nil, strings.Repeat("東", 3*maxTerms))); n > maxTerms+1 {
		t.Errorf("%d terms", n)
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, text, want string }{
		{"b", "a b c", "a b c"},
		{"word", strings.Repeat("filler ", 10) + "word " + strings.Repeat("more ", 10), "…filler word more more more mor…"},
		{"x", "not there\nat all", "not there at all"},
		{"x", "x " + strings.Repeat("y", 50), "x yyyyyyyyyyyyyyyyyyyyyyyyyyyy…"},
		{"é", "日本語 é", "日本語 é"},
	} {
		q, err := Parse(c.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Excerpt(c.text, 30); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.query, c.text, got, c.want)
		}
	}
}

// Whatever is searched for in a text that has it is found, and an excerpt is text.
func FuzzSearch(f *testing.F) {
	f.Add("Hello, wörld 東京 ß", `"hello`, 10)
	f.Fuzz(func(t *testing.T, text, query string, size int) {
		q, err := Parse(query)
		if err != nil || !utf8.ValidString(text) {
			return
		}
		terms := AppendTerms(nil, text)
		if q.Match(text) && len(text) < maxTerms/2 {
			for _, term := range q.Terms() {
				if !slices.Contains(terms, term) {
					t.Fatalf("%q matches %q by a term that the text has not", query, text)
				}
			}
		}
		if x := q.Excerpt(text, max(1, size%100)); !utf8.ValidString(x) || utf8.RuneCountInString(x) > 101 {
			t.Fatalf("%q", x)
		}
	})
}

func BenchmarkAppendTerms(b *testing.B) {
	text := "Have you seen the report that Anna sent around on Tuesday? It is in the shared folder."
	var terms []Term
	b.ReportAllocs()
	for b.Loop() {
		terms = AppendTerms(terms[:0], text)
	}
}
