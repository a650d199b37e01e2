package richtext

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// markdownDelimiters are the characters that mark text on both sides.
const markdownDelimiters = "*_~"

// maxLabel is the longest label of a link that is looked for, in bytes.
const maxLabel = 1000

var (
	markdownTarget = regexp.MustCompile(`^\(<?([^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:[ \t]+["']([^"'\n]*)["'])?\)`)
	angleAddress   = regexp.MustCompile(`^<((?:https?://|mailto:)[^\s<>]+)>`)
)

// spanStack reads the delimiters of one line (CommonMark §6.2). Each node moves into another one once at most.
type spanStack struct {
	items []spanItem
	// open has the places of delimiters that may be closed, by their character.
	open [utf8.RuneSelf][]int
}

// spanItem is a node, or a run of delimiters.
type spanItem struct {
	node  Node
	mark  byte // 0: node
	count int
}

// markdownSpans reads one line.
func markdownSpans(line string) Text {
	var st spanStack
	begin := 0 // of the text that is not on the stack yet
	var ticks []tickRun
	brackets := bracketEnds(line)
	for i := 0; i < len(line); {
		c := line[i]
		var n Node
		size := 0
		switch {
		case c == '\\' && i+1 < len(line) && isPunctuation(line[i+1]):
			n, size = Node{Text: line[i+1 : i+2]}, 2
		case c == '`':
			if ticks == nil {
				ticks = tickRuns(line)
			}
			n, size = markdownCode(line, i, ticks)
		case c == '[' || c == '!' && i+1 < len(line) && line[i+1] == '[':
			n, size = markdownLink(line, i, brackets)
		case c == '<':
			if m := angleAddress.FindStringSubmatch(line[i:]); m != nil {
				n, size = Node{Kind: Link, URL: m[1]}, len(m[0])
			}
		case strings.IndexByte(markdownDelimiters, c) >= 0:
			st.text(line[begin:i])
			i = st.delimiters(line, i)
			begin = i
			continue
		}
		if size == 0 {
			if i++; c == '`' {
				for i < len(line) && line[i] == '`' {
					i++
				}
			}
			continue
		}
		st.text(line[begin:i])
		st.items = append(st.items, spanItem{node: n})
		i += size
		begin = i
	}
	st.text(line[begin:])
	return st.nodes(0)
}

func (st *spanStack) text(s string) {
	for _, n := range appendLinked(nil, s) {
		st.items = append(st.items, spanItem{node: n})
	}
}

// delimiters puts the run of delimiters at i on the stack, or closes others with it, and returns the place behind it.
func (st *spanStack) delimiters(line string, i int) int {
	c, end := line[i], i
	for end < len(line) && line[end] == c {
		end++
	}
	before, _ := utf8.DecodeLastRuneInString(line[:i])
	after, _ := utf8.DecodeRuneInString(line[end:])
	left := end < len(line) && !unicode.IsSpace(after) && (!punctuation(after) || i == 0 || unicode.IsSpace(before) || punctuation(before))
	right := i > 0 && !unicode.IsSpace(before) && (!punctuation(before) || end == len(line) || unicode.IsSpace(after) || punctuation(after))
	opens, closes := left, right
	if c == '_' {
		opens, closes = left && (!right || punctuation(before)), right && (!left || punctuation(after))
	}
	count := end - i
	if c == '~' && count != 2 {
		opens, closes = false, false
	}
	for closes && count > 0 && len(st.open[c]) > 0 {
		count -= st.close(c, count)
	}
	if count > 0 {
		st.items = append(st.items, spanItem{mark: c, count: count})
		if opens {
			st.open[c] = append(st.open[c], len(st.items)-1)
		}
	}
	return end
}

// close wraps what is behind the last open run of c, and returns how many delimiters that takes.
func (st *spanStack) close(c byte, count int) int {
	at := st.open[c][len(st.open[c])-1]
	n := min(2, count, st.items[at].count)
	kind := Italic
	switch {
	case c == '~':
		kind = Strike
	case n == 2:
		kind = Bold
	}
	for _, d := range []byte(markdownDelimiters) { // what is open within is text
		for len(st.open[d]) > 0 && st.open[d][len(st.open[d])-1] > at {
			st.open[d] = st.open[d][:len(st.open[d])-1]
		}
	}
	wrapped := spanItem{node: Node{Kind: kind, Children: st.nodes(at + 1)}}
	st.items = st.items[:at+1]
	if st.items[at].count -= n; st.items[at].count == 0 {
		st.items = st.items[:at]
		st.open[c] = st.open[c][:len(st.open[c])-1]
	}
	st.items = append(st.items, wrapped)
	return n
}

// nodes are the items from a place on; delimiters that have closed nothing are text.
func (st *spanStack) nodes(from int) (t Text) {
	var run strings.Builder
	flush := func() {
		if run.Len() > 0 {
			t = append(t, Node{Text: run.String()})
			run.Reset()
		}
	}
	for _, item := range st.items[from:] {
		switch {
		case item.mark != 0:
			run.WriteString(strings.Repeat(string(item.mark), item.count))
		case item.node.Kind == Plain:
			run.WriteString(item.node.Text)
		default:
			flush()
			t = append(t, item.node)
		}
	}
	flush()
	return t
}

func markdownCode(line string, i int, ticks []tickRun) (n Node, size int) {
	end, closed := codeEnd(ticks, i)
	if !closed {
		return n, 0
	}
	width := 0
	for i+width < len(line) && line[i+width] == '`' {
		width++
	}
	inside := line[i+width : end]
	if width > 1 {
		inside = strings.TrimSpace(inside)
	}
	if inside == "" {
		return n, 0
	}
	return Node{Kind: Code, Text: inside}, end + width - i
}

// bracketEnds is the last place at which a label of a link can end.
func bracketEnds(line string) int { return strings.LastIndex(line, "](") }

// markdownLink reads a link, or a picture, which is shown as one.
func markdownLink(line string, i, last int) (n Node, size int) {
	begin := i + 1
	if line[i] == '!' {
		begin++
	}
	if last < begin {
		return n, 0
	}
	end := strings.Index(line[begin:min(len(line), begin+maxLabel)], "](")
	if end < 0 || strings.IndexByte(line[begin:begin+end], '[') >= 0 {
		return n, 0
	}
	end += begin
	m := markdownTarget.FindStringSubmatch(line[end+1:])
	if m == nil {
		return n, 0
	}
	label := markdownSpans(line[begin:end])
	if m[2] != "" { // shown where the pointer rests on the link
		label = append(label, Node{Text: " (" + m[2] + ")"})
	}
	return Node{Kind: Link, URL: m[1], Children: label}, end + 1 + len(m[0]) - i
}

func isPunctuation(c byte) bool {
	return c > ' ' && c < utf8.RuneSelf && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
}

func punctuation(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }
