package discord

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// hostile are texts that would do something if they were taken for markup.
var hostile = []string{
	"@everyone @here", "<@1> <@!1> <@&1> <#1> <:x:1> </x:1> <t:0:R>", "[bank.example](https://evil.example)", "[x](<https://evil.example>)",
	"![x](https://evil.example)", "https://x.example/@everyone", "https://x.example/)[y](https://evil.example", "```\n@everyone ```\n<@1>", "`@everyone` ``<@1>``",
	"||spoiler||", "# heading\n-# small\n> quote\n>>> rest\n- list\n1. list", "**b** __u__ ~~s~~", "\\", "\\\\@everyone", "\\<@1>", "@\u200beveryone", "@\u202eeveryone",
	"e\u0301\u200d\ufe0f", "\u202e@everyone", "discord.gg/x", "\U000F0000", "a\x00b", "```", "https://x.example/<@1>", "<https://x.example>", "\u2068@here", "@every\u00adone",
}

var mention = regexp.MustCompile(`(^|[^\\])<(@[!&]?|#|a?:\w+:|/[^:]+:|t:)\d+`)

// checkMarkup wants no mention and no label before an address in what is rendered of plain text.
func checkMarkup(t *testing.T, in, out string) {
	t.Helper()
	bare := withoutCode(out)
	if mention.MatchString(bare) || strings.Contains(bare, "@everyone") || strings.Contains(bare, "@here") {
		t.Errorf("%q becomes %q", in, out)
	}
	if regexp.MustCompile(`[^\\]\]\(`).MatchString(bare) {
		t.Errorf("a label before an address: %q becomes %q", in, out)
	}
	if strings.Count(out, "```")%2 != 0 {
		t.Errorf("half a code block: %q becomes %q", in, out)
	}
}

// withoutCode is a text without its code, in which nothing has a meaning, and without what is escaped.
func withoutCode(s string) string {
	s = strings.ReplaceAll(s, "\\\\", " ")
	s = regexp.MustCompile("\\\\`").ReplaceAllString(s, "")
	s = regexp.MustCompile("(?s)```.*?```").ReplaceAllString(s, " ")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(s, " ")
}

func TestNoTextOfOursPingsDiscord(t *testing.T) {
	w := newWorld(t)
	role := w.AddRole(w.guild, "crew", 0)
	s, _ := w.open(w.link())
	texts := append(slices.Clone(hostile), "<@"+string(w.ann)+">", "<@&"+string(role)+">", "```\n<@"+string(w.ann)+"> @everyone\n```", "`<@"+string(w.ann)+">`")
	for i, in := range texts {
		for _, author := range []*transports.Author{nil, {Name: "@everyone <@" + string(w.ann) + ">"}} {
			out := say(w.general, in, "c"+string(rune('a'+i)))
			out.Author = author
			sent, err := s.Send(t.Context(), out)
			if err != nil {
				t.Errorf("%q: %v", in, err)
				continue
			}
			silent(t, w, sent.ID, in)
			if err := edit(s, transports.MessageRef{Room: transports.RoomID(w.general), ID: sent.ID}, out); err != nil {
				t.Errorf("edit %q: %v", in, err)
			}
			silent(t, w, sent.ID, in)
		}
	}
	// A tree may name people; everybody and roles it may not.
	out := say(w.general, "", "tree")
	out.Text = richtext.Text{{Kind: richtext.Mention, ID: string(w.ann), Text: "Ann"}, {Kind: richtext.All, Text: "everyone"}, {Kind: richtext.Group, ID: string(role), Text: "crew"}, {Kind: richtext.Link, URL: "javascript:x", Children: richtext.FromPlain("y")}}
	sent, err := s.Send(t.Context(), out)
	w.must(err)
	if m := w.message(sent.ID); !slices.Equal(m.Mentions, []fake.ID{w.ann}) || m.Everyone || strings.Contains(m.Text, "](") {
		t.Errorf("%+v", m)
	}
	// A text so long that escapes do not fit is not sent without them.
	out = say(w.general, "", "long")
	out.Text = richtext.FromPlain(strings.Repeat("*", 1500) + " @everyone <@" + string(w.ann) + "> [x](https://evil.example)")
	sent, err = s.Send(t.Context(), out)
	w.must(err)
	for _, id := range append([]transports.MessageID{sent.ID}, sent.More...) {
		silent(t, w, id, "long")
		checkMarkup(t, "long", w.message(id).Text)
	}
}

func silent(t *testing.T, w *world, id transports.MessageID, in string) {
	t.Helper()
	if m := w.message(id); m.Everyone || len(m.Mentions) > 0 {
		t.Errorf("%q alerts %v, everybody %v: %q", in, m.Mentions, m.Everyone, m.Text)
	}
}

func TestHostileTextFromDiscord(t *testing.T) {
	t.Parallel()
	s := offline(t)
	for in, want := range map[string]string{
		"[https://bank.example](https://evil.example)": "https://bank.example <https://evil.example>",
		"[bank\u202e](https://evil.example)":           "bank <https://evil.example>",
		"[x](javascript:alert)":                        "[x](javascript:alert)",
		"```\nx\n``` ```\n/me y\n```":                  "```\nx\n```\n \n```\n/me y\n```",
		"<@notanumber> <@&>":                           "@notanumber @&",
		"<t:99999999999999999999:F>":                   "<t:99999999999999999999:F>",
	} {
		if got := content.NewReader(s.state, nil, nil).Parse(in).Styling(); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func FuzzMarkup(f *testing.F) {
	n, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	s := newClient(n, transports.Login{}, credentials{Bot: "1", App: "2"}, nil)
	for _, in := range hostile {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) > 4000 || !utf8.ValidString(in) {
			return
		}
		m := transports.Outgoing{Text: richtext.ParseStyling(in)}
		checkMarkup(t, in, content.Markup(m))
		for _, piece := range s.contents(m, "") {
			if utf8.RuneCountInString(piece) > maxText {
				t.Errorf("a piece of %d characters", utf8.RuneCountInString(piece))
			}
		}
	})
}
