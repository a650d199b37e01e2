package richtext

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// matrixTo reads links as one network writes mentions.
func matrixTo(href string) (Node, bool) {
	id, ok := strings.CutPrefix(href, "https://matrix.to/#/")
	return Node{Kind: Mention, ID: id}, ok
}

func TestParseHTML(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                           "plain",
		"<p>one</p>\n<p>two</p>":          "one\ntwo",
		"<b>bold</b> <em>it</em>":         "*bold* _it_",
		"a<br>b":                          "a\nb",
		"<ul><li>x</li><li>y</li></ul>":   "- x\n- y",
		"<ol start=\"3\"><li>x</li></ol>": "3. x",
		"<pre><code class=\"language-go\">a &lt; b\n</code></pre>":            "```go\na < b\n```",
		"see <a href=\"https://x.example\">here</a>":                          "see here <https://x.example>",
		"<a href=\"https://matrix.to/#/@ann:x.example\">@Ann</a>, hi":         "@Ann, hi",
		"<mx-reply><blockquote>old</blockquote></mx-reply>new":                "new",
		"<script>alert(1)</script>safe<style>x</style>":                       "safe",
		"<img data-mx-emoticon src=\"mxc://x/y\" alt=\":blob:\">!":            ":blob:!",
		"<unknown>kept</unknown>":                                             "kept",
		"&lt;b&gt;":                                                           "<b>",
		strings.Repeat("<div>", 500) + "deep" + strings.Repeat("</div>", 500): "deep",
	} {
		if got := ParseHTML(in, matrixTo).Styling(); got != want {
			t.Errorf("%.60q is %q, want %q", in, got, want)
		}
	}
}

// What is written as HTML is read as the same text.
func TestHTMLRoundTrip(t *testing.T) {
	t.Parallel()
	href := func(n Node) string { return "https://matrix.to/#/" + n.ID }
	for _, in := range []Text{
		{{Kind: Bold, Children: Text{{Text: "a"}, {Kind: Italic, Children: Text{{Text: "b & <c>"}}}}}},
		{{Text: "x"}, {Kind: Break}, {Text: "y"}},
		{{Kind: Mention, ID: "@ann:x.example", Text: "Ann"}, {Text: ": hi"}},
		{{Kind: Pre, ID: "go", Text: "if a < b {\n\treturn\n}"}},
		{{Kind: Quote, Children: Text{{Text: "q"}}}, {Text: "a"}},
		{{Kind: List, Level: 3, Children: Text{{Kind: Item, Children: Text{{Text: "one"}}}, {Kind: Item, Children: Text{{Kind: Code, Text: "two"}}}}}},
		{{Kind: Heading, Level: 2, Children: Text{{Text: "H"}}}, {Kind: Spoiler, Children: Text{{Text: "s"}}}},
		{{Kind: Emoji, Text: ":blob:", URL: "https://x.example/blob.png"}, {Kind: Strike, Children: Text{{Kind: Under, Children: Text{{Text: "z"}}}}}},
		{{Kind: Link, URL: "https://x.example/?a=1&b=2"}, {Text: " and "}, {Kind: Link, URL: "https://x.example", Children: Text{{Text: "here"}}}},
	} {
		if d := cmp.Diff(in, ParseHTML(in.HTML(href), matrixTo)); d != "" {
			t.Errorf("%s\n%s", in.HTML(href), d)
		}
	}
}

func TestHTMLLinksAreSafe(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//x.example", "\x00", ""} {
		if got := (Text{{Kind: Link, URL: address, Children: Text{{Text: "x"}}}}).HTML(nil); strings.Contains(got, "href") {
			t.Errorf("%q becomes %s", address, got)
		}
	}
	if got := (Text{{Kind: Mention, ID: "u", Text: "U"}}).HTML(nil); got != "@U" {
		t.Error(got)
	}
}

func FuzzHTML(f *testing.F) {
	f.Add("<p>a <b>b</b></p><ul><li>c</ul>")
	f.Add("<a href='javascript:x'>y</a><pre>z")
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) > 4000 {
			return
		}
		out := ParseHTML(in, matrixTo).HTML(nil)
		if strings.Contains(out, "<script") || strings.Contains(strings.ToLower(out), "href=\"javascript") {
			t.Errorf("%q becomes %q", in, out)
		}
	})
}
