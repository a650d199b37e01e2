package content

import (
	"regexp"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// What the functions below read, as regular expressions and a list of replacements.
var (
	linePattern   = regexp.MustCompile(`^( *)(>|#|-#|[-+] |\d+([.)]) )`)
	linkPattern   = regexp.MustCompile(`^https?://[^\s<>]*[^\s<>".,;:!?')\]*_~|]`)
	angledPattern = regexp.MustCompile(`^<(@&|@!?|#|a?:\w+:|t:|id:|/[^:<>\n]+:|https?://|mailto:)([^<>\s]+)>`)
	replacements  = strings.NewReplacer(
		`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, "<", `\<`, "@everyone", "@"+"\u200b"+"everyone", "@here", "@"+"\u200b"+"here", "](", `]\(`, "://", `\://`,
	)
)

func escapedByPattern(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lead := ""
		if at := linePattern.FindStringSubmatchIndex(line); at != nil {
			mark := at[4] // of the mark itself, or the dot behind a number
			if at[6] >= 0 {
				mark = at[6]
			}
			lead, line = line[:mark]+`\`, line[mark:]
		}
		lines[i] = lead + replacements.Replace(line)
	}
	return strings.Join(lines, "\n")
}

// Plain text is escaped as the list of replacements says.
func TestEscape(t *testing.T) {
	t.Parallel()
	textcheck.Mixed([]string{
		`\`, "*", "_", "~", "`", "|", "<", ">", "@", "everyone", "here", "](", "]", "(", "://", ":", "/", "\n", " ", "a", "é", "#", "-", "+", "1", "12", ".", ")", "- ", "-#", "1. ",
	}, func(s string) {
		if got, want := escape(s), escapedByPattern(s); got != want {
			t.Fatalf("%q is escaped as %q, want %q", s, got, want)
		}
	})
}

// What is in angle brackets, and an address without them, is found where the regular expressions find it.
func TestAngledAndLinks(t *testing.T) {
	t.Parallel()
	textcheck.Mixed([]string{
		"<", ">", "@", "&", "!", "#", ":", "a", "b_1", "é", "t:", "id:", "/", "https://", "http://", "mailto:", "1", "200", " ", "\t", "\n", "\v", ".", ")", "*", "\"", "|", "\xff",
	}, func(s string) {
		s = "<" + s
		kind, value, size := angled(s)
		m := angledPattern.FindStringSubmatch(s)
		if m == nil {
			m = []string{"", "", ""}
		}
		if kind != m[1] || value != m[2] || size != len(m[0]) {
			t.Fatalf("%q: %q %q %d, want %q", s, kind, value, size, m)
		}
		link := "http" + s[1:]
		if n, size := bareLink(link); n.URL != linkPattern.FindString(link) || size != len(n.URL) {
			t.Fatalf("%q: %q", link, n.URL)
		}
	})
}
