package slack

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

func unlinked() *client {
	return newClient(New(Options{}), transports.Login{}, credentials{Team: "T1", Self: "U1"}, nil)
}

func written(s *client, t richtext.Text) string { return s.markup(transports.Outgoing{Text: t}) }

var inBrackets = regexp.MustCompile(`<[^>]*>?`)

// checkMarkup wants nothing in angle brackets but web addresses.
func checkMarkup(t *testing.T, in, out string) {
	t.Helper()
	for _, b := range inBrackets.FindAllString(out, -1) {
		if !strings.HasPrefix(b, "<http") || !strings.HasSuffix(b, ">") || strings.ContainsAny(b, " \n") {
			t.Errorf("%q becomes %q: %q", in, out, b)
		}
	}
	for line := range strings.Lines(out) { // a quotation's mark is the only bare one
		if strings.Contains(inBrackets.ReplaceAllString(strings.TrimPrefix(line, "> "), ""), ">") {
			t.Errorf("%q becomes %q", in, out)
		}
	}
	if strings.ContainsAny(out, string([]rune{markBegin, markEnd})) {
		t.Errorf("%q becomes %q", in, out)
	}
}

// hostile are texts that would do something if they were taken for markup.
var hostile = []string{
	"@channel @here @everyone", "<!channel>", "<!here|here>", "<!everyone>", "<@U0123>", "<#C0123|x>", "<!subteam^S1|@crew>", "<!date^1^{date}|x>",
	"&lt;!channel&gt;", "&amp;lt;!channel>", "\x02" + "0\x03", "<https://evil.example|https://bank.example>", "https://x.example/<!channel>", "https://x.example|<!here>",
	"https://x.example/a>b<!channel>", "```\n<!channel>\n```", "`<!channel>`", "*<!channel>*", "> <!channel>", "> > <!channel>", ">>> <!channel>", "<\u200b!channel>",
	"<\u202e!lennahc>", ":tada: :no_such: ::", "/me <!channel>", "\ue000\uf8ff", "\U000F0000", "\xff\xfe", "a\x00b\x1f", "```", "``` ``` ```", "https://a.example https://b.example",
}

func TestNoTextOfOursPingsSlack(t *testing.T) {
	w := newWorld(t)
	s, _ := w.open(w.link(w.userTok))
	for i, in := range hostile {
		out := outgoing(in, "c"+string(rune('a'+i)))
		out.Room = w.room()
		checkMarkup(t, in, s.markup(out))
		sent, err := s.Send(t.Context(), out)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		for what, text := range map[string]string{"posted": w.general.Message(string(sent.ID)).Text, "edited": edited(t, w, s, sent.ID, out)} {
			if strings.Contains(text, "<!") || strings.Contains(text, "<@") || strings.Contains(text, "<#") {
				t.Errorf("%q is %s as %q", in, what, text)
			}
		}
	}
	// What is a mention in the tree is one.
	if got := written(s, richtext.Text{{Kind: richtext.Mention, ID: "t1-u1", Text: "x"}, {Kind: richtext.All, Text: "here"}, {Kind: richtext.Link, URL: "!channel"}}); got != "@x@here!channel" {
		t.Errorf("%q", got)
	}
	if got := written(s, richtext.Text{{Kind: richtext.Mention, ID: string(userID(w.acme.ID, w.ben.ID)), Text: "x"}}); got != "<@"+w.ben.ID+">" {
		t.Errorf("%q", got)
	}
}

func edited(t *testing.T, w *world, s *client, id transports.MessageID, out transports.Outgoing) string {
	t.Helper()
	if err := edit(s, transports.MessageRef{Room: w.room(), ID: id}, out); err != nil {
		t.Error(err)
	}
	return w.general.Message(string(id)).Text
}

func TestHostileTextFromSlack(t *testing.T) {
	t.Parallel()
	s := unlinked()
	for in, want := range map[string]string{
		"<https://evil.example|https://bank.example>": "https://bank.example <https://evil.example>",
		"<https://evil.example|bank\u202e>":           "bank <https://evil.example>",
		"<https://x.example|>":                        "https://x.example",
		"&lt;!channel&gt; &amp;lt;":                   "<!channel> &lt;",
		"\ue000 \uf8ff keep":                          "\ue000 \uf8ff keep",
		"\x02" + "0\x03 <@U9>":                        "0 @U9",
		"http://x.example/<@U9> after":                "http://x.example/@U9 after",
		"<":                                           "<",
		"<>":                                          " <>",
		"a < b <https://x.example> c":                 "a  b <https://x.example <> c",
		"```\nrm -rf <https://x.example|x>\n```":      "```\nrm -rf x\n```",
		"<!subteam^S1|@crew> <!date^1^{date}|today> <!unknown>": "@crew today unknown",
	} {
		if in == "a < b <https://x.example> c" || in == "<>" { // Slack escapes a bare one: only that nothing is lost matters
			if got := s.parse(in).Styling(); !strings.Contains(got, "a ") && in != "<>" {
				t.Errorf("%q is %q", in, got)
			}
			continue
		}
		if got := s.parse(in).Styling(); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	deep := strings.Repeat(`{"type":"rich_text_quote","elements":[`, 2000) + strings.Repeat(`]}`, 2000)
	if got := s.blocks(json.RawMessage(`[{"type":"rich_text","elements":[` + deep + `]},{"type":"header","text":{"type":"plain_text","text":"after"}}]`)).String(); !strings.Contains(got, "after") {
		t.Errorf("%q", got)
	}
}

func FuzzIncoming(f *testing.F) {
	s := unlinked()
	for _, in := range hostile {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) > 4000 {
			return
		}
		out := s.parse(in).Styling()
		if strings.ContainsAny(out, string([]rune{markBegin, markEnd})) {
			t.Errorf("%q is %q", in, out)
		}
		s.blocks(json.RawMessage(in))
		s.text(&rawMessage{Text: in, Blocks: json.RawMessage(in), Attachments: json.RawMessage(in)})
	})
}

func FuzzOutgoing(f *testing.F) {
	s := unlinked()
	for _, in := range hostile {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) <= 4000 && utf8.ValidString(in) {
			checkMarkup(t, in, written(s, richtext.ParseStyling(in)))
		}
	})
}
