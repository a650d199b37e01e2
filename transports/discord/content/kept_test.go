package content

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// directives are the characters of XEP-0393 and Markdown that may be missing from a text in which they had a meaning.
const directives = "*_~`>|"

// decoded is a text with the characters of addresses that would be markup.
func decoded(s string) string {
	return strings.NewReplacer("%5D(", "](", "%40", "@", "%3C", "<", "%3E", ">").Replace(s)
}

func asMarkdown(t richtext.Text) string { return Markup(transports.Outgoing{Text: t}) }

// checkSent checks that Discord shows all of a body, and that the parts are as long as they are counted.
func checkSent(t *testing.T, body string) {
	t.Helper()
	parsed := richtext.ParseStyling(body)
	out := asMarkdown(parsed)
	if back := decoded(reader().Parse(out).Styling()); textcheck.Lost(body, back, directives) != "" {
		t.Fatalf("%q became %q and comes back as %q: %q is lost", body, out, back, textcheck.Lost(body, back, directives))
	}
	var joined strings.Builder
	for _, part := range (richtext.Cutter{Limit: 50, Length: Length}).Split(parsed) {
		text := asMarkdown(part)
		if n := utf8.RuneCountInString(text); n > 50 {
			t.Fatalf("%q: a part of %d characters: %q", body, n, text)
		}
		joined.WriteString(decoded(reader().Parse(text).Styling()) + "\n")
	}
	if lost := textcheck.Lost(body, joined.String(), directives); lost != "" {
		t.Fatalf("%q became %q: %q is lost", body, joined.String(), lost)
	}
}

func TestNothingThatIsSentIsLost(t *testing.T) {
	t.Parallel()
	for _, body := range textcheck.Bodies() {
		checkSent(t, body)
	}
}

func FuzzSent(f *testing.F) {
	textcheck.Fuzz(f, string(utf8.RuneError), func(t *testing.T, text string) { checkSent(t, text) })
}

// readAs are the characters of Markdown that may be missing from a text in which they had a meaning.
const readAs = directives + `\#-+[]()`

// checkReceived checks that XMPP shows all that a person has typed in Discord. Names and times are shown in other words.
func checkReceived(t *testing.T, typed string) {
	t.Helper()
	if strings.Contains(typed, "<") {
		return
	}
	if got := reader().Parse(typed).Styling(); textcheck.Lost(typed, got, readAs) != "" {
		t.Fatalf("%q is shown as %q: %q is lost", typed, got, textcheck.Lost(typed, got, readAs))
	}
}

func TestNothingThatIsReceivedIsLost(t *testing.T) {
	t.Parallel()
	more := []string{
		"1. a\n1. b\n3. c", "0. a\n007. b", "- a\n  - b\n    1. c\n- d", "[a](<https://e.org/x_y>) b", "# a\n## b\n-# c\n#d", ">>> a\n> b\nc",
		"```a```b```c```", "x ```\na``` y", "```not a language\nb```", "`` a`b ``", "` `", "||a||b||", "***a** b*", "**a*b**", "__a_b__", "\\*a\\*", `\\`, "<",
	}
	for _, typed := range append(more, textcheck.Bodies()...) {
		checkReceived(t, typed)
	}
}

func FuzzReceived(f *testing.F) {
	textcheck.Fuzz(f, string(utf8.RuneError), func(t *testing.T, text string) { checkReceived(t, text) })
}

func TestTextsStayCheap(t *testing.T) {
	textcheck.Linear(t, 1000, textcheck.Units(), func(text string) {
		_ = reader().Parse(text).Styling()
		for _, part := range (richtext.Cutter{Limit: 500, Length: Length}).Split(richtext.ParseStyling(text)) {
			_ = asMarkdown(part)
		}
	})
}
