package richtext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/transports/textcheck"
)

func b(c ...Node) Node      { return Node{Kind: Bold, Children: c} }
func i(c ...Node) Node      { return Node{Kind: Italic, Children: c} }
func text(s string) Node    { return Node{Text: s} }
func quote(c ...Node) Node  { return Node{Kind: Quote, Children: c} }
func pre(id, s string) Node { return Node{Kind: Pre, ID: id, Text: s} }

var br = Node{Kind: Break}

func TestParseStyling(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Text{
		"plain":                           {text("plain")},
		"a *b* _c *d*_ ~e~ `f*g*`":        {text("a "), b(text("b")), text(" "), i(text("c "), b(text("d"))), text(" "), {Kind: Strike, Children: Text{text("e")}}, text(" "), {Kind: Code, Text: "f*g*"}},
		"* not* bold *":                   {text("* not* bold *")},
		"two\nlines":                      {text("two"), br, text("lines")},
		"two\n\nparagraphs":               {text("two"), br, br, text("paragraphs")},
		"> q *b*\n> > deep\nafter":        {quote(text("q "), b(text("b")), quote(text("deep"))), text("after")},
		"```go\nx := *y*\n\n```\nend":     {pre("go", "x := *y*\n"), text("end")},
		"```\nopen":                       {pre("", "open")},
		"see https://a.example/x_y_z, ok": {text("see "), {Kind: Link, URL: "https://a.example/x_y_z"}, text(", ok")},
		"":                                nil,
	} {
		if d := cmp.Diff(want, ParseStyling(body)); d != "" {
			t.Errorf("%q: %s", body, d)
		}
	}
}

// A body of quotation marks alone once took the decoder nine seconds.
func TestDeepQuotesStayCheap(t *testing.T) {
	t.Parallel()
	got := ParseStyling(strings.Repeat("> ", 20000))
	for range maxQuote {
		if len(got) != 1 || got[0].Kind != Quote {
			t.Fatalf("%.80v", got)
		}
		got = got[0].Children
	}
	if len(got) != 1 || got[0].Kind != Plain {
		t.Errorf("%.80v", got)
	}
}

func TestStyling(t *testing.T) {
	t.Parallel()
	for want, in := range map[string]Text{
		"a *b* _c_ ~d~ `e`":                                  {text("a "), b(text("b")), text(" "), i(text("c")), text(" "), {Kind: Strike, Children: Text{text("d")}}, text(" "), {Kind: Code, Text: "e"}},
		"x *two* \n*lines*":                                  {text("x "), b(text("two "), br, text("lines"))},
		"> q\n> > deep\nafter":                               {quote(text("q"), quote(text("deep"))), text("after")},
		"before\n```go\ncode\n ```\n```":                     {text("before"), pre("go", "code\n```\n")},
		"- one\n- two\n  more\nend":                          {{Kind: List, Children: Text{{Kind: Item, Children: Text{text("one")}}, {Kind: Item, Children: Text{text("two"), br, text("more")}}}}, text("end")},
		"3. c\n4. d":                                         {{Kind: List, Level: 3, Children: Text{{Kind: Item, Children: Text{text("c")}}, {Kind: Item, Children: Text{text("d")}}}}},
		"hi @Ann in #general, @here 👍":                       {text("hi "), {Kind: Mention, ID: "u1", Text: "Ann"}, text(" in "), {Kind: Channel, ID: "c", Text: "general"}, text(", "), {Kind: All, Text: "here"}, text(" "), {Kind: Emoji, Text: "👍"}},
		"label <https://x.example> https://y.example":        {{Kind: Link, URL: "https://x.example", Children: Text{text("label")}}, text(" "), {Kind: Link, URL: "https://y.example", Children: Text{text("y.example")}}},
		"ann@example.org, a friend <mailto:ann@example.org>": {{Kind: Link, URL: "mailto:ann@example.org", Children: Text{text("ann@example.org")}}, text(", "), {Kind: Link, URL: "mailto:ann@example.org", Children: Text{text("a friend")}}},
		"*Title*\nbody":                                      {{Kind: Heading, Level: 1, Children: Text{text("Title")}}, text("body")},
	} {
		if got := in.Styling(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A block of code is read in every form that people type, and what is no block is text.
func TestCodeInEveryForm(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Text{
		"```ls -l /etc```":            {pre("", "ls -l /etc")},
		"```ls -l /etc":               {pre("", "ls -l /etc")},
		"```ls -l```, then `ls`":      {pre("", "ls -l"), text(", then "), {Kind: Code, Text: "ls"}},
		"```ls\nls -a```":             {pre("ls", "ls -a")},
		"```ls\nls -a``` and more":    {pre("ls", "ls -a"), text("and more")},
		"```hello world\nnext\n```":   {pre("", "hello world\nnext")},
		"```go\n```":                  {pre("", "go")},
		"```go```":                    {pre("", "go")},
		"```":                         {text("```")},
		"```\n```\nx":                 {text("```"), br, text("```"), br, text("x")},
		"```a\n```b\n```c":            {pre("", "a"), text("b"), pre("", "c")},
		"```\na ``` b\n```":           {pre("", "a ``` b")},
		"```a``` b ```c```":           {pre("", "a"), text("b "), {Kind: Code, Text: "c"}},
		"see ```ls -l``` ok":          {text("see "), {Kind: Code, Text: "ls -l"}, text(" ok")},
		"``a`b``":                     {{Kind: Code, Text: "a`b"}},
		"`` and `x`":                  {text("`` and "), {Kind: Code, Text: "x"}},
		"> ```x```\ny":                {quote(pre("", "x")), text("y")},
		"````\nx\n````":               {pre("", "x")},
		"```\n- x\n  - y\n\n```\nend": {pre("", "- x\n  - y\n"), text("end")},
	} {
		if d := cmp.Diff(want, ParseStyling(body)); d != "" {
			t.Errorf("%q: %s", body, d)
		}
	}
}

// XEP-0393 §6: what opens and closes a span.
func TestSpans(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Text{
		"*a *b*":       {b(text("a *b"))},
		"*a _b_":       {text("*a "), i(text("b"))},
		"**a**":        {text("**a**")},
		"****":         {text("****")},
		"*a**b*":       {b(text("a")), text("*b*")},
		"_*a_b*":       {i(text("*a")), text("b*")},
		"*_a*_ b":      {b(text("_a")), text("_ b")},
		"(*a*) a*b*":   {text("(*a*) a*b*")},
		"*`a*`":        {b(text("`a")), text("`")},
		"*a `b c` d*":  {b(text("a "), Node{Kind: Code, Text: "b c"}, text(" d"))},
		"*a\u00a0* b*": {b(text("a\u00a0* b"))},
	} {
		if d := cmp.Diff(want, ParseStyling(body)); d != "" {
			t.Errorf("%q: %s", body, d)
		}
	}
}

// directives are the characters of XEP-0393 that may be missing from a text in which they had a meaning.
const directives = "*_~`>"

// Nothing that was typed is lost, neither in the tree nor where it is written again, whole or in parts.
func checkKept(t *testing.T, body string) {
	t.Helper()
	parsed := ParseStyling(body)
	if lost := textcheck.Lost(body, all(parsed), directives); lost != "" {
		t.Fatalf("%q became %+v: %q is lost", body, parsed, lost)
	}
	styled := parsed.Styling()
	if lost := textcheck.Lost(body, styled, directives); lost != "" {
		t.Fatalf("%q: rendered %q, without %q", body, styled, lost)
	}
	if lost := textcheck.Lost(body, all(ParseStyling(styled)), directives); lost != "" {
		t.Fatalf("%q: rendered %q and read again, without %q", body, styled, lost)
	}
	for _, limit := range []int{1, 7, 40} {
		var joined strings.Builder
		for _, part := range (Cutter{Limit: limit}).Split(parsed) {
			joined.WriteString(part.Styling() + "\n")
		}
		if lost := textcheck.Lost(body, joined.String(), directives); lost != "" {
			t.Fatalf("%q: cut at %d into %q, without %q", body, limit, joined.String(), lost)
		}
	}
}

func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	for _, body := range textcheck.Bodies() {
		checkKept(t, body)
	}
}

func FuzzStyling(f *testing.F) {
	for _, s := range textcheck.Bodies() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) < 2000 && utf8.ValidString(body) && !strings.ContainsRune(body, utf8.RuneError) {
			checkKept(t, body)
		}
	})
}

// Whatever is sent, the time grows with its length only.
func TestTextsStayCheap(t *testing.T) {
	textcheck.Linear(t, 2000, textcheck.Units(), func(body string) {
		parsed := ParseStyling(body)
		_ = parsed.Styling()
		_ = parsed.String()
		_ = (Cutter{Limit: 500}).Split(parsed)
	})
}

// all is every text of the tree.
func all(t Text) string {
	var kept strings.Builder
	t.Walk(func(n *Node) {
		if n.Kind == Pre {
			kept.WriteString(n.ID)
		}
		kept.WriteString(n.Text + n.URL)
	})
	return kept.String()
}

const styledBody = "Shall we *meet* at the _station_ at `eight`? See https://e.org/map and\n> the *train* leaves ~late~\n"

func BenchmarkParseStyling(b *testing.B) {
	textcheck.Bench(b, styledBody, func(body string) { _ = ParseStyling(body) })
}

func BenchmarkStyling(b *testing.B) {
	textcheck.Bench(b, styledBody, func() func(body string) {
		parsed := map[string]Text{}
		return func(body string) {
			t, ok := parsed[body]
			if !ok {
				t = ParseStyling(body)
				parsed[body] = t
			}
			_ = t.Styling()
		}
	}())
}
