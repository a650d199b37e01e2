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
	for i := 0; i < len(p.lines); {
		line := p.lines[i]
		switch {
		case strings.HasPrefix(line, fenceMark): // XEP-0393 §5.1.2
			i = p.fence(i)
		case strings.HasPrefix(line, ">") && depth > 0: // XEP-0393 §5.1.3
			i = p.quote(i, depth)
		case strings.HasPrefix(line, ">"): // deeper than is distinguished
			p.line(Text{{Text: line}})
			i++
		default:
			p.line(parseSpans(line))
			i++
		}
	}
	return p.text
}

// line adds a line of text.
func (p *blockParser) line(t Text) {
	if p.plain {
		p.text = append(p.text, Node{Kind: Break})
	}
	p.text, p.plain = append(p.text, t...), true
}

// block adds a node that is on lines of its own.
func (p *blockParser) block(n Node) { p.text, p.plain = append(p.text, n), false }

// quote reads a quotation that begins in line i, and returns the line behind it.
func (p *blockParser) quote(i, depth int) int {
	inner := blockParser{}
	for i < len(p.lines) && strings.HasPrefix(p.lines[i], ">") {
		inner.lines = append(inner.lines, strings.TrimPrefix(p.lines[i][1:], " "))
		i++
	}
	p.block(Node{Kind: Quote, Children: inner.parse(depth - 1)})
	return i
}
