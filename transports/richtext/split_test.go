package richtext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 100)
	for name, c := range map[string]struct {
		in    Text
		limit int
	}{
		"words":            {FromPlain(long), 80},
		"lines":            {FromPlain(strings.Repeat("a line of text\n", 40)), 100},
		"no break at all":  {FromPlain(strings.Repeat("x", 500)), 90},
		"code":             {ParseStyling("```go\n" + strings.Repeat("x := 1\n", 60) + "```"), 100},
		"one line of code": {Text{{Kind: Pre, ID: "go", Text: strings.Repeat("x", 400)}}, 90},
		"quotation":        {ParseStyling("> " + strings.Repeat("quoted ", 100)), 90},
		"many quotations":  {ParseStyling(strings.Repeat("> line of a quotation\n", 60)), 90},
		"deep quotation":   {ParseStyling("> > > " + long), 120},
		"bold":             {ParseStyling("*" + strings.TrimSpace(long) + "*"), 90},
		"list":             {Text{{Kind: List, Level: 3, Children: Text{{Kind: Item, Children: FromPlain(long)}, {Kind: Item, Children: FromPlain(long)}}}}, 120},
		"emoji":            {FromPlain(strings.Repeat("👩‍👩‍👧‍👦🇩🇪e\u0301👍🏽", 60)), 77},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parts := Cutter{Limit: c.limit}.Split(c.in)
			var joined strings.Builder
			for _, p := range parts {
				body := p.Styling()
				if n := utf8.RuneCountInString(body); n > c.limit || n == 0 {
					t.Errorf("a part of %d characters: %q", n, body)
				}
				if strings.Count(body, "```")%2 != 0 {
					t.Errorf("half a code block: %q", body)
				}
				for _, half := range []string{"\u200d", "\u0301", "\U0001F3FD", "\U0001F1EA"} {
					if strings.HasPrefix(body, half) {
						t.Errorf("half a character: %q", body)
					}
				}
				joined.WriteString(p.String())
			}
			bare := strings.NewReplacer(" ", "", "\n", "")
			if got, want := bare.Replace(joined.String()), bare.Replace(c.in.String()); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if len(parts) < 2 {
				t.Errorf("%d parts", len(parts))
			}
		})
	}
}

func TestSplitKeepsWhatIsWhole(t *testing.T) {
	t.Parallel()
	link := Node{Kind: Link, URL: "https://x.example/" + strings.Repeat("y", 100)}
	parts := Cutter{Limit: 50}.Split(Text{{Text: "see "}, link, {Text: " there"}})
	if joined := parts[1].String() + parts[2].String() + parts[3].String(); len(parts) != 4 || joined != link.URL+" there" {
		t.Errorf("%+v", parts)
	}
	if parts := (Cutter{Limit: 130}).Split(Text{{Text: "see all of this "}, link, {Text: " there"}}); len(parts) != 2 || parts[1][0].URL != link.URL {
		t.Errorf("%+v", parts)
	}
	if parts := (Cutter{Limit: 10, Parts: 3}).Split(FromPlain(strings.Repeat("word ", 50))); len(parts) != 3 {
		t.Errorf("%d parts", len(parts))
	}
	if parts := (Cutter{}).Split(FromPlain("x")); len(parts) != 1 {
		t.Errorf("%d parts", len(parts))
	}
	numbered := Cutter{Limit: 12}.Split(Text{{Kind: List, Level: 1, Children: Text{{Kind: Item, Children: FromPlain("first")}, {Kind: Item, Children: FromPlain("second")}}}})
	if len(numbered) != 2 || numbered[1].Styling() != "2. second" {
		t.Errorf("%+v", numbered)
	}
}

// Whatever is cut, nothing but white space is lost, and it comes to an end.
func FuzzSplit(f *testing.F) {
	for _, in := range []string{"*a b* `c`", "> q\n> > r", "```\nx\ny\n```", "https://x.example/y", "🇩🇪🇫🇷 e\u0301"} {
		f.Add(in, 7)
	}
	f.Fuzz(func(t *testing.T, in string, limit int) {
		if len(in) > 2000 || !utf8.ValidString(in) {
			return
		}
		whole := ParseStyling(in)
		var joined strings.Builder
		for _, p := range (Cutter{Limit: 1 + max(limit, -limit)%200}).Split(whole) {
			joined.WriteString(p.String())
		}
		bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got, want := bare(joined.String()), bare(whole.String()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// A text is the first part, the white space behind it, and the rest.
func TestFirstPart(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"the quick brown fox jumps", "the quick\n\nbrown fox jumps", "the  quick    brown  fox", "xxxxxxxxxxxxxxxxxxxxxxxxx", "*the quick brown fox* _jumps over_"} {
		whole := ParseStyling(in)
		head, gap, rest := (Cutter{Limit: 12}).First(whole)
		if got, want := head.String()+gap.String()+rest.String(), whole.String(); got != want || utf8.RuneCountInString(head.Styling()) > 12 || len(rest) == 0 {
			t.Errorf("%q, %q and %q of %q", head.String(), gap.String(), rest.String(), in)
		}
		if d := cmp.Diff(ParseStyling(in), whole); d != "" {
			t.Errorf("%q has changed: %s", in, d)
		}
	}
}

// A text within the limit is not cut, however long it is.
func TestShortTextsStayWhole(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{100, 2000, 4000} {
		for n := 1; n <= limit+1; n++ {
			want := 1
			if n > limit {
				want = 2
			}
			if parts := (Cutter{Limit: limit}).Split(FromPlain(strings.Repeat("a", n))); len(parts) != want {
				t.Fatalf("%d characters at %d: %d parts, want %d", n, limit, len(parts), want)
			}
		}
	}
}
