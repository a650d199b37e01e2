package richtext

import "strings"

// maxQuote bounds to what depth nested quotations are distinguished.
const maxQuote = 8

// ParseStyling reads a message body with XEP-0393 styling. Addresses of the web become links. It takes time
// that is proportional to the length of the body, and keeps every character that is no directive.
func ParseStyling(body string) Text {
	p := blockParser{lines: strings.Split(body, "\n")}
	return p.parse(maxQuote)
}

// blockParser reads the lines of a body, or of a quotation in it.
type blockParser struct {
	lines []string
	text  Text
	plain bool // the last node belongs to a line of text
	// fences has for each line the next one that closes a block of code; nil until one is opened.
	fences []int
}

func (p *blockParser) parse(depth int) Text {
	if n := nodesOf(p.lines); n > 0 {
		p.text = make(Text, 0, n)
	}
	for i := 0; i < len(p.lines); {
		line := p.lines[i]
		switch {
		case strings.HasPrefix(line, fenceMark): // XEP-0393 §5.1.2
			i = p.fence(i)
		case strings.HasPrefix(line, ">") && depth > 0: // XEP-0393 §5.1.3
			i = p.quote(i, depth)
		case strings.HasPrefix(line, ">"): // deeper than is distinguished
			p.newLine()
			p.text = append(p.text, Node{Text: line})
			i++
		default:
			p.spans(line)
			i++
		}
	}
	return p.text
}

// newLine begins a line of text.
func (p *blockParser) newLine() {
	if p.plain {
		p.text = append(p.text, Node{Kind: Break})
	}
	p.plain = true
}

// spans adds a line of text with spans.
func (p *blockParser) spans(line string) {
	p.newLine()
	p.text = appendSpans(p.text, line)
}

// maxMarks is for how many directives in a text memory is set aside before it is read.
const maxMarks = 2048

// nodesOf is about how many nodes some lines become.
func nodesOf(lines []string) int {
	n, marks := len(lines)-1, 0
	for _, line := range lines {
		if line == "" {
			continue
		}
		n++
		for i := range len(line) {
			switch line[i] {
			case '*', '_', '~', '`':
				marks++
			}
		}
		if marks < maxMarks {
			marks += 2 * strings.Count(line, "://")
		}
	}
	return n + min(marks, maxMarks)
}

// block adds a node that is on lines of its own.
func (p *blockParser) block(n Node) { p.text, p.plain = append(p.text, n), false }

// quote reads a quotation that begins in line i, and returns the line behind it.
func (p *blockParser) quote(i, depth int) int {
	end := i
	for end < len(p.lines) && strings.HasPrefix(p.lines[end], ">") {
		end++
	}
	inner := blockParser{lines: make([]string, 0, end-i)}
	for i < end {
		inner.lines = append(inner.lines, strings.TrimPrefix(p.lines[i][1:], " "))
		i++
	}
	p.block(Node{Kind: Quote, Children: inner.parse(depth - 1)})
	return i
}
