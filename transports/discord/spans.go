package discord

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// delimiters are tried in this order: the longer ones first.
var delimiters = [...]struct {
	mark string
	kind richtext.Kind
}{{"**", richtext.Bold}, {"__", richtext.Under}, {"~~", richtext.Strike}, {"||", richtext.Spoiler}, {"*", richtext.Italic}, {"_", richtext.Italic}}

var (
	webAddress = regexp.MustCompile(`^https?://[^\s<>]*[^\s<>".,;:!?')\]*_~|]`)
	labelled   = regexp.MustCompile(`^\[([^\[\]\n]+)\]\(<?(https?://[^\s<>()]+)>?(?: "([^"\n]*)")?\)`)
	bracketed  = regexp.MustCompile(`^<(@&|@!?|#|a?:\w+:|t:|/[^:<>\n]+:|https?://|mailto:)([^<>\s]+)>`)
)

// maxLabel is the longest label of a link, in characters. As a repetition in the pattern it would cost each start of the
// program 2 ms.
const maxLabel = 1000

// lost has the marks that are known not to be closed any more on this line, so that a line of nothing but
// opening marks is not searched again for each of them.
type lost struct {
	marks   [len(delimiters)]bool
	ticks   [2]bool
	bracket int // bytes of the line from the last place on where a link's label can end; 0 where that is not known
}

// spans reads inline markup of one line.
func (p *parser) spans(line string, depth int) richtext.Text {
	var t richtext.Text
	var run strings.Builder
	var gone lost
	add := func(nodes ...richtext.Node) {
		if run.Len() > 0 {
			t = append(t, richtext.Node{Text: run.String()})
			run.Reset()
		}
		t = append(t, nodes...)
	}
	for i := 0; i < len(line); {
		rest := line[i:]
		if rest[0] == '\\' && len(rest) > 1 && strings.IndexByte("\\*_~`|<>[]()#-:@+.!", rest[1]) >= 0 {
			run.WriteByte(rest[1])
			i += 2
			continue
		}
		if n, size := p.special(rest, &gone); size > 0 {
			add(n)
			i += size
			continue
		}
		if n, size := p.marked(line, i, depth, &gone); size > 0 {
			add(n)
			i += size
			continue
		}
		run.WriteByte(rest[0])
		i++
	}
	add()
	return t
}

// special reads code, links, mentions and emoji; size 0 where there is none.
func (p *parser) special(rest string, gone *lost) (n richtext.Node, size int) {
	switch rest[0] {
	case '`':
		return inlineCode(rest, gone)
	case '[':
		if gone.bracket == 0 {
			gone.bracket = len(rest) - strings.LastIndex(rest, "](")
		}
		if len(rest) <= gone.bracket {
			return n, 0
		}
		if m := labelled.FindStringSubmatch(rest); m != nil && utf8.RuneCountInString(m[1]) <= maxLabel {
			label := m[1]
			if m[3] != "" { // shown where the pointer rests on the link
				label += " (" + m[3] + ")"
			}
			return richtext.Node{Kind: richtext.Link, URL: m[2], Children: richtext.FromPlain(label)}, len(m[0])
		}
	case '<':
		if m := bracketed.FindStringSubmatch(rest); m != nil {
			return p.bracket(m[1], m[2]), len(m[0])
		}
	case 'h':
		if strings.HasPrefix(rest, "http") {
			if m := webAddress.FindString(rest); m != "" {
				return richtext.Node{Kind: richtext.Link, URL: m}, len(m)
			}
		}
	case '@':
		for _, all := range []string{"everyone", "here"} {
			if strings.HasPrefix(rest[1:], all) {
				return richtext.Node{Kind: richtext.All, Text: all}, len(all) + 1
			}
		}
	}
	return n, 0
}

func inlineCode(rest string, gone *lost) (n richtext.Node, size int) {
	for i, ticks := range []string{"``", "`"} {
		if gone.ticks[i] || !strings.HasPrefix(rest, ticks) {
			continue
		}
		inside, _, ok := strings.Cut(rest[len(ticks):], ticks)
		if !ok {
			gone.ticks[i] = true
			continue
		}
		if inside != "" {
			return richtext.Node{Kind: richtext.Code, Text: strings.TrimSpace(inside)}, len(inside) + 2*len(ticks)
		}
	}
	return n, 0
}

func (p *parser) bracket(kind, value string) richtext.Node {
	switch {
	case kind == "@" || kind == "@!":
		name := p.s.state.ShownAs(p.guild, value)
		if name == "" {
			name = p.mentions[value]
		}
		return richtext.Node{Kind: richtext.Mention, ID: value, Text: name}
	case kind == "@&":
		name := p.s.state.Role(p.guild, value)
		if name == "" {
			name = "role"
		}
		return richtext.Node{Kind: richtext.Group, ID: value, Text: name}
	case kind == "#":
		n := richtext.Node{Kind: richtext.Channel, ID: value}
		if c := p.s.state.Channel(value); c != nil {
			n.Text = c.Name
		}
		return n
	case kind == "t:":
		return richtext.Node{Text: timestamp(value)}
	case strings.HasPrefix(kind, "/"):
		return richtext.Node{Text: strings.TrimSuffix(kind, ":")}
	case kind == "mailto:" || strings.HasPrefix(kind, "http"):
		return richtext.Node{Kind: richtext.Link, URL: kind + value}
	}
	return richtext.Node{
		Kind: richtext.Emoji, Text: strings.TrimPrefix(kind, "a"), ID: value, URL: "https://cdn.discordapp.com/emojis/" + value + ".webp",
	}
}

// formats are those of timestamps (docs: Message Formatting, Timestamp Styles), in UTC: whoever reads
// it here may be anywhere.
var formats = map[string]string{
	"t": "15:04 MST", "T": "15:04:05 MST", "d": "2006-01-02", "D": "2 January 2006", "F": "Monday, 2 January 2006 15:04 MST",
}

const maxUnix = 253402300799 // the last second of year 9999

func timestamp(value string) string {
	number, style, _ := strings.Cut(value, ":")
	unix, err := strconv.ParseInt(number, 10, 64)
	if err != nil || unix < -maxUnix/4 || unix > maxUnix {
		return "<t:" + value + ">"
	}
	format := formats[style]
	if format == "" {
		format = "2006-01-02 15:04 MST"
	}
	return time.Unix(unix, 0).UTC().Format(format)
}

// marked reads text between two marks; size 0 where there are none.
func (p *parser) marked(line string, i, depth int, gone *lost) (n richtext.Node, size int) {
	if depth == 0 {
		return n, 0
	}
	rest := line[i:]
	for k, d := range delimiters {
		if gone.marks[k] || !strings.HasPrefix(rest, d.mark) {
			continue
		}
		if d.mark == "_" && i > 0 && isWord(line[i-1]) {
			return n, 0
		}
		if len(rest) > len(d.mark) && rest[len(d.mark)] == ' ' && d.mark != "||" {
			continue
		}
		end := closing(rest, d.mark)
		if end < 0 {
			gone.marks[k] = true
			continue
		}
		return richtext.Node{Kind: d.kind, Children: p.spans(rest[len(d.mark):end], depth-1)}, end + len(d.mark)
	}
	return n, 0
}

// closing finds the mark that ends what begins s; -1 where there is none, which then holds for all later
// places of the line too.
func closing(s, mark string) int {
	from := len(mark)
	for at := from; at < len(s); at++ {
		if s[at] == '\\' {
			at++
			continue
		}
		if !strings.HasPrefix(s[at:], mark) || at == from {
			continue
		}
		end := at + len(mark)
		if len(mark) == 1 && (strings.HasPrefix(s[end:], mark) || s[at-1] == mark[0]) { // part of a longer mark
			if strings.HasPrefix(s[end:], mark) {
				at++
			}
			continue
		}
		if mark == "_" && end < len(s) && isWord(s[end]) || s[at-1] == ' ' && len(mark) == 1 {
			continue
		}
		for len(mark) == 2 && strings.HasPrefix(s[end:], mark[:1]) { // ***: the inner mark closes first
			at++
			end++
		}
		return at
	}
	return -1
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
