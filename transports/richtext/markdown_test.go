package richtext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// Markdown as XMPP shows it.
func TestParseMarkdown(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"**Welcome!** *it* _it_ ~~gone~~ `c*d*`":       "*Welcome!* _it_ _it_ ~gone~ `c*d*`",
		"***both*** **a *b* c** __bold__ snake_case_x": "_*both*_ *a _b_ c* *bold* snake_case_x",
		`\*not\* C:\dir \_x\_`:                         `*not* C:\dir _x_`,
		"# Title\ntext\n## Second #2":                  "*Title*\ntext\n*Second #2*",
		"- a\n  - b\n    1. c\n- d\n1. x\n2. y":        "- a\n  - b\n    1. c\n- d\n1. x\n2. y",
		"> q\n> > r\nend":                              "> q\n> > r\nend",
		"```go\nx := 1\n```\n~~~\ny\n~~~":              "```go\nx := 1\n```\n```\ny\n```",
		"```\nopen":                                    "```\nopen",
		"[the **site**](https://e.org/a_(b) \"t\") ![alt](https://e.org/i.png) <https://e.org>": "the *site* (t) <https://e.org/a_(b)> alt <https://e.org/i.png> https://e.org",
		"[a][b] [x] (y) [ ](":             "[a][b] [x] (y) [ ](",
		"| a | b |\n|---|:-:|\n| 1 | 2 |": "| a | b |\n| 1 | 2 |",
		"a\n\n---\nb":                     "a\n\n———\nb",
		"2 * 3 * 4, a**b, **open *mess":   "2 * 3 * 4, a**b, **open *mess",
	} {
		if got := ParseMarkdown(in).Styling(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// markdownMarks are the characters that have a meaning in Markdown.
const markdownMarks = "*_~`>#-+|\\[]()<!\"'.):"

func TestMarkdownKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	for _, body := range textcheck.Bodies() {
		checkMarkdown(t, body)
	}
}

func checkMarkdown(t *testing.T, body string) {
	t.Helper()
	digits := markdownMarks + "0123456789—" // of lists, which count again
	if lost := textcheck.Lost(body, labelsFirst(ParseMarkdown(body)), digits); lost != "" {
		t.Fatalf("%q became %+v: %q is lost", body, ParseMarkdown(body), lost)
	}
}

// labelsFirst is every text of the tree, with the address of a link behind its label, as Markdown has it.
func labelsFirst(t Text) string {
	var b strings.Builder
	for _, n := range t {
		b.WriteString(n.ID + n.Text + labelsFirst(n.Children) + n.URL)
	}
	return b.String()
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range textcheck.Bodies() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) < 2000 && utf8.ValidString(body) && !strings.ContainsRune(body, utf8.RuneError) {
			checkMarkdown(t, body)
		}
	})
}

func TestMarkdownStaysCheap(t *testing.T) {
	textcheck.Linear(t, 2000, textcheck.Units(), func(body string) { _ = ParseMarkdown(body) })
}
