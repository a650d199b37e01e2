package discord

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/state"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxDepth bounds how deep marks may be nested, maxParsed how long a text is that is taken apart:
// a message has 4,000 characters at most, an embed's description 4,096.
const (
	maxDepth  = 12
	maxParsed = 16384 // bytes
)

// parser reads Discord's Markdown. Names of people, roles and channels come from what the session knows.
type parser struct {
	s        *client
	guild    string
	mentions map[string]string
}

func (s *client) parser(c *objects.Channel, mentions []objects.User) *parser {
	p := &parser{s: s}
	if c != nil {
		p.guild = c.GuildID
	}
	for _, u := range mentions {
		if p.mentions == nil {
			p.mentions = map[string]string{}
		}
		p.mentions[u.ID] = state.Person(&u, "").Name
	}
	return p
}

// parse reads a text of several lines.
func (p *parser) parse(content string) richtext.Text {
	if len(content) > maxParsed {
		return richtext.FromPlain(content)
	}
	return p.blocks(content, maxDepth)
}

// line reads a text of one line.
func (p *parser) line(content string) richtext.Text {
	if len(content) > maxParsed {
		return richtext.FromPlain(content)
	}
	return p.spans(strings.ReplaceAll(content, "\n", " "), maxDepth)
}

var (
	heading  = regexp.MustCompile(`^(#{1,3}) +(\S.*)$`)
	bullet   = regexp.MustCompile(`^( *)[-*] +(\S.*)$`)
	numbered = regexp.MustCompile(`^( *)([1-9]\d{0,8})\. +(\S.*)$`)
)

// blocks reads line by line: fences, quotations, headings, lists, and lines of text.
func (p *parser) blocks(content string, depth int) richtext.Text {
	var t richtext.Text
	plain := false
	block := func(n richtext.Node) { t, plain = append(t, n), false }
	inline := func(line string) {
		if plain {
			t = append(t, richtext.Node{Kind: richtext.Break})
		}
		t, plain = append(t, p.spans(line, depth)...), true
	}
	last := len(content) - strings.LastIndex(content, "```") // bytes from the last fence on
	for content != "" {
		line, rest, _ := strings.Cut(content, "\n")
		if at := strings.Index(line, "```"); at >= 0 && len(content)-at > last && !quoted(line) {
			fence, after, ok := fenced(content[at:])
			if ok {
				if at > 0 {
					inline(line[:at])
				}
				block(fence)
				content = strings.TrimPrefix(after, "\n")
				continue
			}
		}
		content = rest
		switch {
		case depth > 0 && strings.HasPrefix(line, ">>> "):
			block(richtext.Node{Kind: richtext.Quote, Children: p.blocks(strings.TrimSuffix(line[4:]+"\n"+rest, "\n"), depth-1)})
			content = ""
		case depth > 0 && strings.HasPrefix(line, "> "):
			lines := []string{line[2:]}
			for strings.HasPrefix(content, "> ") && !strings.HasPrefix(content, ">>> ") {
				line, content, _ = strings.Cut(content, "\n")
				lines = append(lines, line[2:])
			}
			block(richtext.Node{Kind: richtext.Quote, Children: p.blocks(strings.Join(lines, "\n"), depth-1)})
		case strings.HasPrefix(line, "-# "):
			inline(line[3:])
		case heading.MatchString(line):
			m := heading.FindStringSubmatch(line)
			block(richtext.Node{Kind: richtext.Heading, Level: len(m[1]), Children: p.spans(m[2], depth)})
		case bullet.MatchString(line):
			m := bullet.FindStringSubmatch(line)
			item(&t, 0, len(m[1]), p.spans(m[2], depth))
			plain = false
		case numbered.MatchString(line):
			m := numbered.FindStringSubmatch(line)
			n, _ := strconv.Atoi(m[2]) // at most nine digits
			item(&t, n, len(m[1]), p.spans(m[3], depth))
			plain = false
		default:
			inline(line)
		}
	}
	return t
}

func quoted(line string) bool {
	return strings.HasPrefix(line, "> ") || strings.HasPrefix(line, ">>> ")
}

// item adds to the last list, or begins one. An item that is further right than the
// first one of its list goes into a list within the item before.
func item(t *richtext.Text, number, indent int, text richtext.Text) {
	indent = min(indent, 2*maxDepth)
	node := richtext.Node{Kind: richtext.Item, Children: text}
	if n := len(*t); n > 0 && (*t)[n-1].Kind == richtext.List {
		list := &(*t)[n-1]
		if indent >= 2 {
			last := &list.Children[len(list.Children)-1]
			item(&last.Children, number, indent-2, text)
			return
		}
		if number == 0 && list.Level == 0 || list.Level > 0 && number == list.Level+len(list.Children) { // numbers stay as they were typed
			list.Children = append(list.Children, node)
			return
		}
	}
	*t = append(*t, richtext.Node{Kind: richtext.List, Level: number, Children: richtext.Text{node}})
}

// fenced reads a code block at the beginning of a text.
func fenced(s string) (block richtext.Node, after string, ok bool) {
	inside, after, closed := strings.Cut(s[3:], "```")
	if !closed || strings.TrimSpace(inside) == "" {
		return block, "", false
	}
	block = richtext.Node{Kind: richtext.Pre, Text: inside}
	if language, body, found := strings.Cut(inside, "\n"); found && !strings.ContainsAny(language, " \t`") && body != "" {
		block.ID, block.Text = language, body
	}
	block.Text = strings.Trim(block.Text, "\n")
	return block, after, true
}
