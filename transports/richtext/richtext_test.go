package richtext

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
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
		"a *b* _c_ ~d~ `e`":                           {text("a "), b(text("b")), text(" "), i(text("c")), text(" "), {Kind: Strike, Children: Text{text("d")}}, text(" "), {Kind: Code, Text: "e"}},
		"x *two* \n*lines*":                           {text("x "), b(text("two "), br, text("lines"))},
		"> q\n> > deep\nafter":                        {quote(text("q"), quote(text("deep"))), text("after")},
		"before\n```go\ncode\n ```\n```":              {text("before"), pre("go", "code\n```\n")},
		"- one\n- two\n  more\nend":                   {{Kind: List, Children: Text{{Kind: Item, Children: Text{text("one")}}, {Kind: Item, Children: Text{text("two"), br, text("more")}}}}, text("end")},
		"3. c\n4. d":                                  {{Kind: List, Level: 3, Children: Text{{Kind: Item, Children: Text{text("c")}}, {Kind: Item, Children: Text{text("d")}}}}},
		"hi @Ann in #general, @here 👍":                {text("hi "), {Kind: Mention, ID: "u1", Text: "Ann"}, text(" in "), {Kind: Channel, ID: "c", Text: "general"}, text(", "), {Kind: All, Text: "here"}, text(" "), {Kind: Emoji, Text: "👍"}},
		"label <https://x.example> https://y.example": {{Kind: Link, URL: "https://x.example", Children: Text{text("label")}}, text(" "), {Kind: Link, URL: "https://y.example", Children: Text{text("y.example")}}},
		"*Title*\nbody":                               {{Kind: Heading, Level: 1, Children: Text{text("Title")}}, text("body")},
	} {
		if got := in.Styling(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzStyling(f *testing.F) {
	for _, s := range []string{"a *b* _c_", "> q\n> ```\n> x\n> ```", "```\nx\n```", "*_~`", "- a\n- b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if !utf8.ValidString(body) {
			return
		}
		parsed := ParseStyling(body)
		if got, want := words(all(parsed)), words(body); got != want {
			t.Fatalf("%q became %q", body, got)
		}
		if got, want := words(all(ParseStyling(parsed.Styling()))), words(all(parsed)); got != want {
			t.Fatalf("%q: rendered %q, was %q", body, got, want)
		}
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

// words is what no markup may change.
func words(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}
