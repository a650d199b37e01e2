package content

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// delimiters are tried in this order: the longer ones first.
var delimiters = [...]struct {
	mark string
	kind richtext.Kind
}{{"**", richtext.Bold}, {"__", richtext.Under}, {"~~", richtext.Strike}, {"||", richtext.Spoiler}, {"*", richtext.Italic}, {"_", richtext.Italic}}

// shrug is the one face that Discord shows as it was typed: its backslash escapes nothing.
const shrug = `¯\_(ツ)_/¯`

// lost has the marks that are known not to be closed any more in this text, so that one of nothing but
// opening marks is not searched again for each of them.
type lost struct {
	marks [len(delimiters)]bool
	ticks [2]bool
	ends  map[int]int // of brackets; nil where they were not looked for
}

// spans reads inline markup.
func (p *Reader) spans(text string, depth int) richtext.Text { return p.appendSpans(nil, text, depth) }

// appendSpans appends inline markup to t.
func (p *Reader) appendSpans(t richtext.Text, text string, depth int) richtext.Text {
	var run plainRun
	var gone lost
	for i := 0; i < len(text); {
		if i = plainEnd(text, i); i == len(text) {
			break
		}
		if text[i] == '\n' {
			t = append(run.appendTo(t, text, i), richtext.Node{Kind: richtext.Break})
			i++
			run.begin = i
			continue
		}
		if kept, size := escaped(text[i:]); size > 0 {
			run.escaped(text, i, kept)
			i += size
			run.begin = i
			continue
		}
		n, size := p.special(text, i, depth, &gone)
		if size == 0 {
			n, size = p.marked(text, i, depth, &gone)
		}
		if size == 0 {
			i++
			continue
		}
		t = append(run.appendTo(t, text, i), n)
		i += size
		run.begin = i
	}
	return run.appendTo(t, text, len(text))
}

// plainRun is plain text that is not in the tree yet: before, and behind that the text that is read, from begin on.
type plainRun struct {
	before strings.Builder
	begin  int
}

// escaped adds the text up to a place, and what is shown of the escape there.
func (r *plainRun) escaped(text string, i int, kept string) {
	r.before.WriteString(text[r.begin:i])
	r.before.WriteString(kept)
}

// appendTo appends the run, which ends at a place of the text, to t.
func (r *plainRun) appendTo(t richtext.Text, text string, i int) richtext.Text {
	s := text[r.begin:i]
	if r.before.Len() > 0 {
		r.before.WriteString(s)
		s = r.before.String()
		r.before.Reset()
	}
	if s == "" {
		return t
	}
	return append(t, richtext.Node{Text: s})
}

// plainEnd is the first place from i on at which something may begin that is no plain text.
func plainEnd(text string, i int) int {
	for i < len(text) && !begins[text[i]] {
		i++
	}
	return i
}

// begins are the bytes with which something begins that is no plain text. 0xC2 is the first one of the face.
var begins = func() (set [256]bool) {
	for _, c := range []byte("\n\\*_~|`[<h@\xc2") {
		set[c] = true
	}
	return set
}()

// escaped reads what is to be shown as it is: the face, or a character behind a backslash, which can be anything but a letter, a
// digit and white space.
func escaped(s string) (kept string, size int) {
	if strings.HasPrefix(s, shrug) {
		return shrug, len(shrug)
	}
	if s[0] != '\\' || len(s) < 2 {
		return "", 0
	}
	r, n := utf8.DecodeRuneInString(s[1:])
	if r < utf8.RuneSelf && (isWord(byte(r)) && r != '_' || unicode.IsSpace(r)) {
		return "", 0
	}
	return s[1 : 1+n], 1 + n
}

// special reads code, links, mentions and emoji; size 0 where there is none.
func (p *Reader) special(text string, i, depth int, gone *lost) (n richtext.Node, size int) {
	rest := text[i:]
	switch rest[0] {
	case '`':
		return inlineCode(rest, gone)
	case '[':
		return p.masked(text, i, depth, gone)
	case '<':
		if kind, value, size := angled(rest); size > 0 {
			return p.bracket(kind, value), size
		}
	case 'h':
		return bareLink(rest)
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

func (p *Reader) bracket(kind, value string) richtext.Node {
	switch {
	case kind == "@" || kind == "@!":
		name := p.state.ShownAs(p.guild, value)
		if name == "" {
			name = p.mentions[value]
		}
		return richtext.Node{Kind: richtext.Mention, ID: value, Text: name}
	case kind == "@&":
		name := p.state.Role(p.guild, value)
		if name == "" {
			name = "role"
		}
		return richtext.Node{Kind: richtext.Group, ID: value, Text: name}
	case kind == "#":
		n := richtext.Node{Kind: richtext.Channel, ID: value, Text: p.channels[value]}
		if c := p.state.Channel(value); c != nil {
			n.Text = c.Name
		}
		return n
	case kind == "id:":
		return richtext.Node{Text: navigation(value)}
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

// clock is how a moment is written where nothing else is asked for.
const clock = "2006-01-02 15:04 MST"

const maxUnix = 253402300799 // the last second of year 9999

func timestamp(value string) string {
	number, style, _ := strings.Cut(value, ":")
	unix, err := strconv.ParseInt(number, 10, 64)
	if err != nil || unix < -maxUnix/4 || unix > maxUnix {
		return "<t:" + value + ">"
	}
	format := formats[style]
	if format == "" {
		format = clock
	}
	return time.Unix(unix, 0).UTC().Format(format)
}

// marked reads text between two marks; size 0 where there are none.
func (p *Reader) marked(line string, i, depth int, gone *lost) (n richtext.Node, size int) {
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
		if len(d.mark) == 1 && len(rest) > 1 && unicode.IsSpace(rune(rest[1])) {
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

// navigation is a page of the guild's (docs: Message Formatting, Guild Navigation Types).
func navigation(value string) string {
	switch kind, _, _ := strings.Cut(value, ":"); kind {
	case "customize":
		return "#Channels & Roles"
	case "browse":
		return "#Browse Channels"
	case "guide", "home":
		return "#Server Guide"
	case "linked-roles":
		return "#Linked Roles"
	}
	return "<id:" + value + ">"
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
