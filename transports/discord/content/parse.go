package content

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

// Reader reads Discord's Markdown. Names of people, roles and channels come from what the session knows, and from the message.
type Reader struct {
	state    *state.State
	guild    string
	mentions map[string]string // names by ids of people
	channels map[string]string
}

// NewReader returns a reader of the texts of a message, which may be nil, in a channel.
func NewReader(st *state.State, c *objects.Channel, m *objects.Message) *Reader {
	p := &Reader{state: st}
	if c != nil {
		p.guild = c.GuildID
	}
	if m == nil || len(m.Mentions)+len(m.Channels) == 0 {
		return p
	}
	p.mentions, p.channels = map[string]string{}, map[string]string{}
	for _, u := range m.Mentions {
		p.mentions[u.ID] = state.Person(&u, "").Name
	}
	for _, c := range m.Channels {
		p.channels[c.ID] = c.Name
	}
	return p
}

// Parse reads a text of several lines.
func (p *Reader) Parse(content string) richtext.Text {
	if len(content) > maxParsed {
		return richtext.FromPlain(content)
	}
	return p.blocks(content, maxDepth)
}

// line reads a text of one line.
func (p *Reader) line(content string) richtext.Text {
	if len(content) > maxParsed {
		return richtext.FromPlain(content)
	}
	return p.spans(strings.ReplaceAll(content, "\n", " "), maxDepth)
}

var (
	heading = regexp.MustCompile(`^(#{1,3}) +(\S.*)$`)
	listed  = regexp.MustCompile(`^( *)(?:[-*]|([1-9]\d{0,8})\.) +(\S.*)$`)
)

// blocks reads line by line: fences, quotations, headings, lists, and paragraphs, in which markup may go over several lines.
func (p *Reader) blocks(content string, depth int) richtext.Text {
	t := make(richtext.Text, 0, nodesOf(content))
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			t = p.appendSpans(t, strings.Join(paragraph, "\n"), depth)
			paragraph = paragraph[:0]
		}
	}
	last := len(content) - strings.LastIndex(content, "```") // bytes from the last fence on
	for content != "" {
		line, rest, _ := strings.Cut(content, "\n")
		if at := strings.Index(line, "```"); at >= 0 && len(content)-at > last && !quoted(line) {
			if fence, after, ok := fenced(content[at:]); ok {
				if at > 0 {
					paragraph = append(paragraph, line[:at])
				}
				flush()
				t = append(t, fence)
				content = strings.TrimPrefix(after, "\n")
				continue
			}
		}
		content = rest
		if depth > 0 && quoted(line) {
			flush()
			var quote richtext.Node
			quote, content = p.quote(line, rest, depth)
			t = append(t, quote)
			continue
		}
		if strings.HasPrefix(line, "-# ") {
			line = line[3:]
		} else if b := p.lineBlock(line); b != nil {
			flush()
			b(&t, depth)
			continue
		}
		paragraph = append(paragraph, line)
	}
	if flush(); len(t) == 0 {
		return nil
	}
	return t
}

// maxNodes is for how many nodes memory is set aside before a text is read.
const maxNodes = 1024

// nodesOf is about how many nodes a text becomes.
func nodesOf(content string) int {
	n := 1
	for i := range len(content) {
		switch content[i] {
		case '\n':
			n += 2
		case '*', '_', '~', '`', '|', '<':
			n++
		}
	}
	return min(n, maxNodes)
}

// quote reads a quotation that begins with a line, and returns what is behind it.
func (p *Reader) quote(line, rest string, depth int) (n richtext.Node, behind string) {
	if strings.HasPrefix(line, ">>> ") {
		return richtext.Node{Kind: richtext.Quote, Children: p.blocks(strings.TrimSuffix(line[4:]+"\n"+rest, "\n"), depth-1)}, ""
	}
	lines := []string{line[2:]}
	for strings.HasPrefix(rest, "> ") {
		line, rest, _ = strings.Cut(rest, "\n")
		lines = append(lines, line[2:])
	}
	return richtext.Node{Kind: richtext.Quote, Children: p.blocks(strings.Join(lines, "\n"), depth-1)}, rest
}

// lineBlock reads a heading or an item of a list; nil where a line is neither.
func (p *Reader) lineBlock(line string) func(t *richtext.Text, depth int) {
	first := strings.TrimLeft(line, " ")
	if first == "" || line[0] != '#' && first[0] != '-' && first[0] != '*' && (first[0] < '1' || first[0] > '9') {
		return nil
	}
	if m := heading.FindStringSubmatch(line); m != nil {
		return func(t *richtext.Text, depth int) {
			*t = append(*t, richtext.Node{Kind: richtext.Heading, Level: len(m[1]), Children: p.spans(m[2], depth)})
		}
	}
	if m := listed.FindStringSubmatch(line); m != nil {
		return func(t *richtext.Text, depth int) {
			n, _ := strconv.Atoi(m[2]) // nine digits at most, or none
			richtext.AppendItem(t, n, len(m[1]), p.spans(m[3], depth))
		}
	}
	return nil
}

func quoted(line string) bool {
	return strings.HasPrefix(line, "> ") || strings.HasPrefix(line, ">>> ")
}

// ansiColor is a control sequence that colours what follows (docs: none; Discord shows those of blocks of the language "ansi").
var ansiColor = regexp.MustCompile("\x1b\\[[0-9;]*m")

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
	block.Text = ansiColor.ReplaceAllString(strings.Trim(block.Text, "\n"), "")
	if block.ID == "ansi" {
		block.ID = ""
	}
	return block, after, true
}
