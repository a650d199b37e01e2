package content

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/state"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

func reader() *Reader { return NewReader(state.New(""), nil, nil) }

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                              "plain",
		"a **b** *c* _d_ ~~e~~ __f__ `g*h*`": "a *b* _c_ _d_ ~e~ _f_ `g*h*`",
		"***both***":                         "*_both_*",
		"snake_case_name 2*3*4":              "snake_case_name 2_3_4",
		`\*not\* \_this\_`:                   "*not* _this_",
		"> quoted\n> more\nafter":            "> quoted\n> more\nafter",
		">>> all\nthe rest":                  "> all\n> the rest",
		"```go\nx := 1\n```after":            "```go\nx := 1\n```\nafter",
		"before ```code```":                  "before \n```\ncode\n```",
		"# Title\ntext":                      "*Title*\ntext",
		"- one\n- two\nend":                  "- one\n- two\nend",
		"2. two\n3. three":                   "2. two\n3. three",
		"hi <@80351110224678912>, see <#103735883630395392> <:blob:41771983429993937>": "hi @80351110224678912, see #103735883630395392 :blob:",
		"[label](https://x.example/a) <https://y.example> https://z.example/q_r_s.":    "label <https://x.example/a> https://y.example https://z.example/q_r_s.",
		`[a](https://e.org "b")`:           "a (b) <https://e.org>",
		"1. a\n1. b\n3. c":                 "1. a\n1. b\n3. c",
		"||secret|| @everyone":             "(spoiler) secret @everyone",
		"<t:0:f> </cmd:123456>":            "1970-01-01 00:00 UTC /cmd",
		"**unclosed *mess":                 "**unclosed *mess",
		"two\nlines\n\npara":               "two\nlines\n\npara",
		`¯\_(ツ)_/¯ and \/ \_x\_ \a C:\dir`: `¯\_(ツ)_/¯ and / _x_ \a C:\dir`,
		"**over\ntwo** ||lines\nof || x":   "*over*\n*two* (spoiler) lines\nof  x",
		"** a ** * b *":                    " *a*  * b *",
		"[**bold** [x]](https://e.org/a_(b)) [x](<https://e.org/c> 'd')": "*bold* [x] <https://e.org/a_(b)> x (d) <https://e.org/c>",
		"[a](ftp://x) [b] (c) [[d](https://e.org":                        "[a](ftp://x) [b] (c) [[d](https://e.org",
		"<id:browse> <id:linked-roles:1> <id:new>":                       "#Browse Channels #Linked Roles <id:new>",
		"```ansi\n\x1b[2;31mred\x1b[0m\n```":                             "```\nred\n```",
		"- a\n  - b\n    - c\n- d":                                       "- a\n  - b\n    - c\n- d",
		"# a\n## b\n-# small *x*":                                        "*a*\n*b*\nsmall _x_",
		"`` a`b `` `c\nd`":                                               "a`b c\nd",
	} {
		if got := reader().Parse(in).Styling(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestMarkup(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain *bold* _it_ ~gone~ `c`": "plain **bold** *it* ~~gone~~ `c`",
		"a_b * c ~d | <@1> @everyone":  "a\\_b \\* c \\~d \\| \\<@1> @\u200beveryone",
		"> q\n> r\nend":                "> q\n> r\nend",
		"```go\na *b*\n```":            "```go\na *b*\n```",
		"https://x.example/a_b_c ok":   "https://x.example/a_b_c ok",
		"#hash\n- dash":                "\\#hash\n\\- dash",
	} {
		if got := Markup(transports.Outgoing{Text: richtext.ParseStyling(in)}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := Markup(transports.Outgoing{Text: richtext.FromPlain("waves"), Me: true}); got != "_waves_" {
		t.Error(got)
	}
}

func TestTextsComeBackFromDiscord(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"plain", "*b* _i_ ~s~", "a_b*c", "x > y & z", "> q\n> w", "```\ncode\n```", "two\nlines", `back\slash`, "@here #x"} {
		out := Markup(transports.Outgoing{Text: richtext.ParseStyling(body)})
		back := strings.ReplaceAll(reader().Parse(out).String(), "\u200b", "")
		if d := cmp.Diff(richtext.ParseStyling(body).String(), back); d != "" {
			t.Errorf("%q -> %q: %s", body, out, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, in := range []string{"**a** `b`", "> x\n```y```", "<@1> [a](https://b)", "***x** y*"} {
		f.Add(in)
	}
	f.Fuzz(func(_ *testing.T, in string) {
		if len(in) <= 4000 {
			_ = reader().Parse(in).Styling()
		}
	})
}
