package richtext

import (
	"regexp"
	"strconv"
	"strings"
)

// ParseMarkdown reads Markdown as CommonMark describes it, without HTML and without blocks of code that are only indented. Every
// line stays one. It takes time that is proportional to the length of the text.
func ParseMarkdown(s string) Text {
	p := markdownParser{lines: strings.Split(s, "\n")}
	return p.parse(maxQuote)
}

// maxRule is how long a line is that is looked at as a rule or as the line below the head of a table, in bytes.
const maxRule = 400

// Rule is the line that stands for a horizontal one.
const Rule = "———"

var (
	markdownHeading = regexp.MustCompile(`^ {0,3}(#{1,6})[ \t]+`)
	markdownItem    = regexp.MustCompile(`^( *)(?:[-*+]|([1-9][0-9]{0,8})[.)])[ \t]+`)
	markdownRule    = regexp.MustCompile(`^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$`)
	markdownColumns = regexp.MustCompile(`^ *\|?(?: *:?-+:? *\|)+ *(?::?-+:?)? *$`) // below the head of a table
)

// markdownParser reads the lines of a text, or of a quotation in it.
type markdownParser struct {
	lines []string
	text  Text
	plain bool // the last node belongs to a line of text
	// unclosed has the marks of blocks of code that no later line closes.
	unclosed map[string]bool
}

func (p *markdownParser) parse(depth int) Text {
	for i := 0; i < len(p.lines); {
		line := strings.TrimSuffix(p.lines[i], "\r")
		switch mark := markdownFence(line); {
		case mark != "" && !p.unclosed[mark]:
			i = p.fence(i, mark)
		case depth > 0 && strings.HasPrefix(line, ">"):
			i = p.quote(i, depth)
		default:
			p.oneLine(line)
			i++
		}
	}
	return p.text
}

func (p *markdownParser) oneLine(line string) {
	if m := markdownHeading.FindStringSubmatch(line); m != nil && strings.TrimSpace(line[len(m[0]):]) != "" {
		p.block(Node{Kind: Heading, Level: len(m[1]), Children: markdownSpans(strings.TrimSpace(line[len(m[0]):]))})
		return
	}
	short := len(line) <= maxRule
	if short && markdownRule.MatchString(line) {
		p.line(Text{{Text: Rule}})
		return
	}
	if short && markdownColumns.MatchString(line) {
		return
	}
	if m := markdownItem.FindStringSubmatch(line); m != nil {
		number, _ := strconv.Atoi(m[2]) // nine digits at most; none are 0
		AppendItem(&p.text, number, len(m[1]), markdownSpans(line[len(m[0]):]))
		p.plain = false
		return
	}
	p.line(markdownSpans(line))
}

func (p *markdownParser) line(t Text) {
	if p.plain {
		p.text = append(p.text, Node{Kind: Break})
	}
	p.text, p.plain = append(p.text, t...), true
}

func (p *markdownParser) block(n Node) { p.text, p.plain = append(p.text, n), false }

// markdownFence is the mark with which a line opens a block of code; "" where it does not.
func markdownFence(line string) string {
	for _, c := range []string{"`", "~"} {
		rest := strings.TrimLeft(line, c)
		if n := len(line) - len(rest); n >= 3 && !strings.Contains(rest, "`") {
			return line[:n]
		}
	}
	return ""
}

// fence reads a block of code that begins in line i, and returns the line behind it. Where no line closes it, it is text.
func (p *markdownParser) fence(i int, mark string) int {
	for end := i + 1; end < len(p.lines); end++ {
		line := strings.TrimRight(p.lines[end], " \t\r")
		if len(line) < len(mark) || strings.Trim(line, mark[:1]) != "" {
			continue
		}
		n := Node{Kind: Pre, ID: strings.TrimSpace(strings.TrimPrefix(p.lines[i], mark)), Text: strings.Join(p.lines[i+1:end], "\n")}
		if n.ID != "" && !IsLanguage(n.ID) {
			n.ID, n.Text = "", n.ID+"\n"+n.Text
		}
		p.block(n)
		return end + 1
	}
	if p.unclosed == nil {
		p.unclosed = map[string]bool{}
	}
	p.unclosed[mark] = true
	return i
}

// quote reads a quotation that begins in line i, and returns the line behind it.
func (p *markdownParser) quote(i, depth int) int {
	inner := markdownParser{}
	for i < len(p.lines) && strings.HasPrefix(p.lines[i], ">") {
		inner.lines = append(inner.lines, strings.TrimPrefix(p.lines[i][1:], " "))
		i++
	}
	p.block(Node{Kind: Quote, Children: inner.parse(depth - 1)})
	return i
}

// maxIndent is how many blanks before an item of a list count.
const maxIndent = 24

// AppendItem appends an item to the list at the end of a text, or begins a list. The number is 0 where the list has none. An item that
// is further right than the first one of its list goes into a list within the item before.
func AppendItem(t *Text, number, indent int, content Text) {
	indent = min(indent, maxIndent)
	node := Node{Kind: Item, Children: content}
	if n := len(*t); n > 0 && (*t)[n-1].Kind == List {
		list := &(*t)[n-1]
		if indent >= 2 {
			AppendItem(&list.Children[len(list.Children)-1].Children, number, indent-2, content)
			return
		}
		if number == 0 && list.Level == 0 || list.Level > 0 && number == list.Level+len(list.Children) { // numbers stay as they were typed
			list.Children = append(list.Children, node)
			return
		}
	}
	*t = append(*t, Node{Kind: List, Level: number, Children: Text{node}})
}
