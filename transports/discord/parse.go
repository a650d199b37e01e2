package discord

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxDepth bounds how deep marks may be nested.
const maxDepth = 12

// parser reads Discord's Markdown. Names of people and channels come from what the session knows.
type parser struct {
	s        *session
	mentions map[string]string
}

// parse reads a message's content.
func (s *session) parse(content string, mentions []*discordgo.User) richtext.Text {
	p := parser{s: s, mentions: map[string]string{}}
	for _, u := range mentions {
		p.mentions[u.ID] = person(u, "").Name
	}
	return p.blocks(content, maxDepth)
}

var (
	heading  = regexp.MustCompile(`^(#{1,3}) +(\S.*)$`)
	bullet   = regexp.MustCompile(`^ *[-*] +(\S.*)$`)
	numbered = regexp.MustCompile(`^ *(\d{1,9})\. +(\S.*)$`)
)

// blocks reads line by line: fences, quotations, headings, lists, and lines of text.
func (p *parser) blocks(content string, depth int) richtext.Text {
	var t richtext.Text
	plain := false
	block := func(n richtext.Node) { t, plain = append(t, n), false }
	for content != "" {
		line, rest, _ := strings.Cut(content, "\n")
		if before, inside, after, ok := fenced(content, line); ok {
			if before != "" {
				if plain {
					t = append(t, richtext.Node{Kind: richtext.Break})
				}
				t = append(t, p.spans(before, depth)...)
			}
			block(inside)
			content = strings.TrimPrefix(after, "\n")
			continue
		}
		content = rest
		switch {
		case depth > 0 && strings.HasPrefix(line, ">>> "):
			block(richtext.Node{Kind: richtext.Quote, Children: p.blocks(strings.TrimPrefix(line+"\n"+rest, ">>> "), depth-1)})
			content = ""
		case depth > 0 && strings.HasPrefix(line, "> "):
			quoted := []string{line[2:]}
			for strings.HasPrefix(content, "> ") {
				line, content, _ = strings.Cut(content, "\n")
				quoted = append(quoted, line[2:])
			}
			block(richtext.Node{Kind: richtext.Quote, Children: p.blocks(strings.Join(quoted, "\n"), depth-1)})
		case strings.HasPrefix(line, "-# "):
			block(richtext.Node{Kind: richtext.Quote, Children: p.spans(line[3:], depth)})
		case heading.MatchString(line):
			m := heading.FindStringSubmatch(line)
			block(richtext.Node{Kind: richtext.Heading, Level: len(m[1]), Children: p.spans(m[2], depth)})
		case bullet.MatchString(line):
			p.item(&t, 0, bullet.FindStringSubmatch(line)[1], depth)
			plain = false
		case numbered.MatchString(line):
			m := numbered.FindStringSubmatch(line)
			n, _ := strconv.Atoi(m[1]) // at most nine digits
			p.item(&t, max(n, 1), m[2], depth)
			plain = false
		default:
			if plain {
				t = append(t, richtext.Node{Kind: richtext.Break})
			}
			t, plain = append(t, p.spans(line, depth)...), true
		}
	}
	return t
}

// item adds to the list that stands last, or begins one.
func (p *parser) item(t *richtext.Text, number int, text string, depth int) {
	item := richtext.Node{Kind: richtext.Item, Children: p.spans(text, depth)}
	if n := len(*t); n > 0 && (*t)[n-1].Kind == richtext.List && ((*t)[n-1].Level > 0) == (number > 0) {
		(*t)[n-1].Children = append((*t)[n-1].Children, item)
		return
	}
	*t = append(*t, richtext.Node{Kind: richtext.List, Level: number, Children: richtext.Text{item}})
}

// fenced finds a code block that begins on this line.
func fenced(content, line string) (before string, block richtext.Node, after string, ok bool) {
	at := strings.Index(line, "```")
	if at < 0 {
		return "", block, "", false
	}
	inside, after, closed := strings.Cut(content[at+3:], "```")
	if !closed || strings.TrimSpace(inside) == "" {
		return "", block, "", false
	}
	block = richtext.Node{Kind: richtext.Pre, Text: inside}
	if language, body, found := strings.Cut(inside, "\n"); found && !strings.ContainsAny(language, " \t`") {
		block.ID, block.Text = language, body
	}
	block.Text = strings.Trim(block.Text, "\n")
	return content[:at], block, after, true
}

// delimiters are tried in this order: the longer ones first.
var delimiters = []struct {
	mark string
	kind richtext.Kind
}{{"**", richtext.Bold}, {"__", richtext.Under}, {"~~", richtext.Strike}, {"||", richtext.Spoiler}, {"*", richtext.Italic}, {"_", richtext.Italic}}

var webAddress = regexp.MustCompile(`^https?://[^\s<>]+[^\s<>".,;:!?')\]*_~|]`)
var labelled = regexp.MustCompile(`^\[([^\[\]\n]+)\]\(<?(https?://[^\s<>()]+)>?\)`)
var bracketed = regexp.MustCompile(`^<(@!?|@&|#|a?:\w+:|t:|/[^:<>\n]+:|https?://)([^<>\s]+)>`)

// spans reads inline markup of one line.
func (p *parser) spans(line string, depth int) richtext.Text {
	var t richtext.Text
	var run strings.Builder
	add := func(nodes ...richtext.Node) {
		if run.Len() > 0 {
			t = append(t, richtext.Node{Text: run.String()})
			run.Reset()
		}
		t = append(t, nodes...)
	}
	for i := 0; i < len(line); {
		rest := line[i:]
		if rest[0] == '\\' && len(rest) > 1 && strings.IndexByte("\\*_~`|<>[]()#-:@", rest[1]) >= 0 {
			run.WriteByte(rest[1])
			i += 2
			continue
		}
		if n, size := p.special(rest); size > 0 {
			add(n)
			i += size
			continue
		}
		if n, size := p.marked(line, i, depth); size > 0 {
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
func (p *parser) special(rest string) (n richtext.Node, size int) {
	switch rest[0] {
	case '`':
		ticks := "`"
		if strings.HasPrefix(rest, "``") {
			ticks = "``"
		}
		inside, _, ok := strings.Cut(rest[len(ticks):], ticks)
		if !ok || inside == "" {
			return n, 0
		}
		return richtext.Node{Kind: richtext.Code, Text: strings.TrimSpace(inside)}, len(inside) + 2*len(ticks)
	case '[':
		if m := labelled.FindStringSubmatch(rest); m != nil {
			return richtext.Node{Kind: richtext.Link, URL: m[2], Children: richtext.FromPlain(m[1])}, len(m[0])
		}
	case '<':
		if m := bracketed.FindStringSubmatch(rest); m != nil {
			return p.bracket(m[1], m[2]), len(m[0])
		}
	case 'h':
		if m := webAddress.FindString(rest); m != "" {
			return richtext.Node{Kind: richtext.Link, URL: m}, len(m)
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

func (p *parser) bracket(kind, value string) richtext.Node {
	switch {
	case kind == "@" || kind == "@!":
		name := p.mentions[value]
		if info, ok := p.s.state.user(value); ok {
			name = info.Name
		}
		return richtext.Node{Kind: richtext.Mention, ID: value, Text: name}
	case kind == "@&":
		return richtext.Node{Kind: richtext.Group, ID: value, Text: "role"}
	case kind == "#":
		n := richtext.Node{Kind: richtext.Channel, ID: value}
		if c := p.s.state.channel(value); c != nil {
			n.Text = c.Name
		}
		return n
	case kind == "t:":
		seconds, _, _ := strings.Cut(value, ":")
		if unix, err := strconv.ParseInt(seconds, 10, 64); err == nil {
			return richtext.Node{Text: time.Unix(unix, 0).UTC().Format("2006-01-02 15:04 MST")}
		}
		return richtext.Node{Text: "<t:" + value + ">"}
	case strings.HasPrefix(kind, "/"):
		return richtext.Node{Text: strings.TrimSuffix(kind, ":")}
	case strings.HasPrefix(kind, "http"):
		return richtext.Node{Kind: richtext.Link, URL: kind + value}
	}
	return richtext.Node{
		Kind: richtext.Emoji, Text: strings.TrimPrefix(kind, "a"), ID: value, URL: "https://cdn.discordapp.com/emojis/" + value + ".webp",
	}
}

// marked reads text between two marks; size 0 where there are none.
func (p *parser) marked(line string, i, depth int) (n richtext.Node, size int) {
	if depth == 0 {
		return n, 0
	}
	rest := line[i:]
	for _, d := range delimiters {
		if !strings.HasPrefix(rest, d.mark) {
			continue
		}
		if d.mark == "_" && i > 0 && isWord(line[i-1]) {
			return n, 0
		}
		end := closing(rest, d.mark)
		if end < 0 {
			continue
		}
		return richtext.Node{Kind: d.kind, Children: p.spans(rest[len(d.mark):end], depth-1)}, end + len(d.mark)
	}
	return n, 0
}

// closing finds the mark that ends what begins s; -1 where there is none. It looks no further than a
// message is long, once for each mark, so that a text of marks alone stays cheap.
func closing(s, mark string) int {
	from := len(mark)
	if from >= len(s) || s[from] == ' ' {
		return -1
	}
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
