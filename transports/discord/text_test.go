package discord

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/state"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

func offline(t testing.TB) *client {
	t.Helper()
	n, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return newClient(n, transports.Login{}, credentials{Bot: "1", App: "2"}, nil)
}

func TestParse(t *testing.T) {
	t.Parallel()
	s := offline(t)
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
		`[a](https://e.org "b")`: "a (b) <https://e.org>",
		"1. a\n1. b\n3. c":       "1. a\n1. b\n3. c",
		"||secret|| @everyone":   "(spoiler) secret @everyone",
		"<t:0:f> </cmd:123456>":  "1970-01-01 00:00 UTC /cmd",
		"**unclosed *mess":       "**unclosed *mess",
		"two\nlines\n\npara":     "two\nlines\n\npara",
	} {
		if got := s.parser(nil, nil).parse(in).Styling(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestMarkup(t *testing.T) {
	t.Parallel()
	s := offline(t)
	for in, want := range map[string]string{
		"plain *bold* _it_ ~gone~ `c`": "plain **bold** *it* ~~gone~~ `c`",
		"a_b * c ~d | <@1> @everyone":  "a\\_b \\* c \\~d \\| \\<@1> @\u200beveryone",
		"> q\n> r\nend":                "> q\n> r\nend",
		"```go\na *b*\n```":            "```go\na *b*\n```",
		"https://x.example/a_b_c ok":   "https://x.example/a_b_c ok",
		"#hash\n- dash":                "\\#hash\n\\- dash",
	} {
		if got := s.markup(transports.Outgoing{Text: richtext.ParseStyling(in)}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := s.markup(transports.Outgoing{Text: richtext.FromPlain("waves"), Me: true}); got != "_waves_" {
		t.Error(got)
	}
}

func TestTextsComeBackFromDiscord(t *testing.T) {
	t.Parallel()
	s := offline(t)
	for _, body := range []string{"plain", "*b* _i_ ~s~", "a_b*c", "x > y & z", "> q\n> w", "```\ncode\n```", "two\nlines", `back\slash`, "@here #x"} {
		out := s.markup(transports.Outgoing{Text: richtext.ParseStyling(body)})
		back := strings.ReplaceAll(s.parser(nil, nil).parse(out).String(), "\u200b", "")
		if d := cmp.Diff(richtext.ParseStyling(body).String(), back); d != "" {
			t.Errorf("%q -> %q: %s", body, out, d)
		}
	}
}

func TestPersonaNames(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"Clyde", "my discord name", "discorddiscord", "", "everyone", "Here", "ann@example.org", "#1: ```x```", "\x00\n", strings.Repeat("é", 200), "  x "} {
		got := authorName(in)
		low := strings.ToLower(got)
		if strings.Contains(low, "clyde") || strings.Contains(low, "discord") || strings.ContainsAny(low, "@#:`\n\x00") || low == "everyone" || low == "here" || len([]rune(got)) > maxAuthorName || got == "" {
			t.Errorf("%q -> %q", in, got)
		}
	}
}

func TestNonceKeepsTheRandomPart(t *testing.T) {
	t.Parallel()
	a, b := nonce("019ab000-0000-7000-8000-0123456789ab", 0), nonce("019ab000-0000-7000-8000-0123456789ac", 0)
	if len(a) != maxNonce || a == b {
		t.Errorf("%q %q", a, b)
	}
}

func FuzzParse(f *testing.F) {
	s := &client{state: state.New("")}
	for _, in := range []string{"**a** `b`", "> x\n```y```", "<@1> [a](https://b)", "***x** y*"} {
		f.Add(in)
	}
	f.Fuzz(func(_ *testing.T, in string) {
		if len(in) <= 4000 {
			_ = s.parser(nil, nil).parse(in).Styling()
		}
	})
}
