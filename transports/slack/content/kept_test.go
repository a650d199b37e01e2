package content

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// directives are the characters of XEP-0393 and mrkdwn that may be missing from a text in which they had a meaning.
const directives = "*_~`>"

// plain is the text of mrkdwn as Slack shows it.
func plain(s string) string {
	return decoded(strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s))
}

// decoded is a text with the characters of addresses that would end a link.
func decoded(s string) string {
	return strings.NewReplacer("%7C", "|", "%3C", "<", "%3E", ">").Replace(s)
}

// checkSent checks that Slack shows all of a body, and that the parts are as long as they are counted.
func checkSent(t *testing.T, s *Reader, body string) {
	t.Helper()
	parsed := richtext.ParseStyling(body)
	out := written(parsed)
	if lost := textcheck.Lost(body, plain(out), directives); lost != "" {
		t.Fatalf("%q became %q: %q is lost", body, out, lost)
	}
	if back := decoded(s.Parse(out).Styling()); textcheck.Lost(Emojis(body), back, directives) != "" {
		t.Fatalf("%q became %q and comes back as %q: %q is lost", body, out, back, textcheck.Lost(Emojis(body), back, directives))
	}
	var joined strings.Builder
	for _, part := range (richtext.Cutter{Limit: 50, Length: Length}).Split(parsed) {
		text := written(part)
		if n := utf8.RuneCountInString(text); n > 50 {
			t.Fatalf("%q: a part of %d characters: %q", body, n, text)
		}
		joined.WriteString(plain(text) + "\n")
	}
	if lost := textcheck.Lost(body, joined.String(), directives); lost != "" {
		t.Fatalf("%q became %q: %q is lost", body, joined.String(), lost)
	}
}

func TestNothingThatIsSentIsLost(t *testing.T) {
	t.Parallel()
	for _, body := range textcheck.Bodies() {
		checkSent(t, reader(), body)
	}
}

func FuzzSent(f *testing.F) {
	s := reader()
	textcheck.Fuzz(f, "\ufffd\x02\x03", func(t *testing.T, text string) { checkSent(t, s, text) }) // XML has no control characters
}

// checkReceived checks that XMPP shows all that a person has typed in Slack, as mrkdwn and as rich text.
func checkReceived(t *testing.T, s *Reader, typed string) {
	t.Helper()
	if got := s.Parse(escaper.Replace(typed)).Styling(); textcheck.Lost(Emojis(typed), got, directives) != "" {
		t.Fatalf("mrkdwn %q is shown as %q: %q is lost", typed, got, textcheck.Lost(Emojis(typed), got, directives))
	}
	text, err := json.Marshal(typed)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{
		`{"type":"rich_text_section","elements":[{"type":"text","text":%s}]}`,
		`{"type":"rich_text_section","elements":[{"type":"text","text":%s,"style":{"bold":true,"italic":true,"strike":true}},{"type":"text","text":"."}]}`,
		`{"type":"rich_text_section","elements":[{"type":"text","text":%s,"style":{"code":true}}]}`,
		`{"type":"rich_text_preformatted","elements":[{"type":"text","text":%s}]}`,
		`{"type":"rich_text_quote","elements":[{"type":"text","text":%s}]}`,
		`{"type":"rich_text_list","style":"ordered","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":%s}]}]}`,
	} {
		block := fmt.Sprintf(form, text)
		got := s.blocks(json.RawMessage(`[{"type":"rich_text","elements":[` + block + `]}]`)).Styling()
		if lost := textcheck.Lost(typed, got, ""); lost != "" {
			t.Fatalf("%s is shown as %q: %q is lost", block, got, lost)
		}
	}
}

func TestNothingThatIsReceivedIsLost(t *testing.T) {
	t.Parallel()
	for _, typed := range textcheck.Bodies() {
		checkReceived(t, reader(), typed)
	}
}

func FuzzReceived(f *testing.F) {
	s := reader()
	textcheck.Fuzz(f, "\ufffd\x02\x03", func(t *testing.T, text string) { checkReceived(t, s, text) })
}

func TestMrkdwn(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"a *b* _c_ ~d~ `e`":                      "a *b* _c_ ~d~ `e`",
		"*a\nb*":                                 "*a\nb*",
		"> q\n> > r\nafter":                      "> q\n> &gt; r\nafter",
		"```go\nx < 1\n```":                      "```\ngo\nx &lt; 1\n```",
		"```ls -l /etc```":                       "```\nls -l /etc\n```",
		"```\n> > a\n&gt; b\n```":                "```\n&gt; &gt; a\n&amp;gt; b\n```",
		"``a`b``":                                "`aˋb`",
		"<!here> & <@U1> https://e.org/?a=1&b=2": "&lt;!here&gt; &amp; &lt;@U1&gt; <https://e.org/?a=1&amp;b=2>",
	} {
		if got := written(richtext.ParseStyling(body)); got != want {
			t.Errorf("%q is written %q, want %q", body, got, want)
		}
	}
	answer := transports.Outgoing{Text: richtext.FromPlain("yes"), ReplyTo: "1.1", Answered: &transports.Answered{Author: "Cat", Text: "shall\nwe <b>?"}}
	if got, want := Markup("T1", answer), "> *Cat*: shall\n> we &lt;b&gt;?\nyes"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	answer.Me = true
	if got, want := Markup("T1", answer), "> *Cat*: shall\n> we &lt;b&gt;?\n_yes_"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if answer.Thread = "1.1"; Markup("T1", answer) != "_yes_" {
		t.Errorf("%q in the thread", Markup("T1", answer))
	}
}

// Slack counts the characters of a message with what is escaped in it.
func TestLengthIsCountedEscaped(t *testing.T) {
	t.Parallel()
	const limit = 4000
	parts := richtext.Cutter{Limit: limit, Length: Length}.Split(richtext.FromPlain(strings.Repeat("&", 3900)))
	sent := 0
	for _, part := range parts {
		text := written(part)
		if len(text) > limit {
			t.Errorf("a part of %d characters", len(text))
		}
		sent += strings.Count(text, "&amp;")
	}
	if sent != 3900 || len(parts) != 5 {
		t.Errorf("%d characters in %d parts", sent, len(parts))
	}
}

func TestTextsStayCheap(t *testing.T) {
	s := reader()
	textcheck.Linear(t, 2000, textcheck.Units(), func(text string) {
		_ = s.Parse(text).Styling()
		_ = s.Parse(escaper.Replace(text)).Styling()
		for _, part := range (richtext.Cutter{Limit: 500, Length: Length}).Split(richtext.ParseStyling(text)) {
			_ = written(part)
		}
	})
}

// What is read grows at most tenfold, and what is written is valid text.
func TestTextsStaySmall(t *testing.T) {
	t.Parallel()
	s := reader()
	for _, unit := range append(textcheck.Units(), "*_~`", ":tada:", "\x02", "\u202e", "a*b_", "&lt;", "~~") {
		text := strings.Repeat(unit, 40000/len(unit))
		if n := len(s.Parse(text).Styling()); n > 10*len(text) {
			t.Errorf("%q of %d bytes grows to %d", unit, len(text), n)
		}
		if out := written(richtext.ParseStyling(strings.Repeat(unit, 4000/len(unit)))); !utf8.ValidString(out) {
			t.Errorf("%q is written as what is not UTF-8", unit)
		}
	}
}

// Blocks of many elements are read in linear time.
func TestBlocksStayCheap(t *testing.T) {
	s := reader()
	textcheck.Linear(t, 4000, []string{
		`{"type":"rich_text_section","elements":[{"type":"text","text":"a\\n"}]},{"type":"rich_text_quote","elements":[{"type":"user","user_id":"U1"}]},`,
		`{"type":"rich_text_section","elements":[{"type":"text","text":"\\n\\n"}]},`,
		`{"type":"rich_text_list","indent":3,"elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a"}]}]},`,
		`{"type":"user","user_id":"U1"},{"type":"link","url":"https://e.org","text":"x"},`,
		`{"type":"text","text":"a","style":{"bold":true}},`,
	}, func(elements string) {
		_ = s.blocks(json.RawMessage(`[{"type":"rich_text","elements":[` + strings.TrimSuffix(elements, ",") + `]}]`)).Styling()
	})
}
