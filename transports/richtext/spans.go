package richtext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// spanKind is the kind of a directive of XEP-0393 §6 but for that of code, and its index in spanParser.next.
func spanKind(c byte) (kind Kind, number int, ok bool) {
	switch c {
	case '*':
		return Bold, 0, true
	case '_':
		return Italic, 1, true
	case '~':
		return Strike, 2, true
	}
	return Plain, 0, false
}

// spanParser reads one line. What closes a directive is found by going forward only, once for each directive, so
// that the whole takes time proportional to the line.
type spanParser struct {
	line string
	// next has for each directive a place at which it can close, the first one at or behind a place asked for before.
	next [3]int
	// ticks are the runs of backticks; nil until there is a backtick.
	ticks []tickRun
}

// appendSpans appends one line (XEP-0393 §6) to t.
func appendSpans(t Text, line string) Text {
	if !strings.ContainsAny(line, "*_~`") {
		return appendLinked(t, line)
	}
	p := spanParser{line: line}
	return p.span(t, 0, len(line))
}

// span appends line[from:to], which is the line or what stands between two directives.
func (p *spanParser) span(t Text, from, to int) Text {
	begin := from // of the text that is not in t yet
	for i := from; i < to; {
		c := p.line[i]
		if c != '*' && c != '_' && c != '~' && c != '`' {
			i++
			continue
		}
		n, end := p.directive(i, from, to)
		if end == 0 {
			i = p.skip(i, to)
			continue
		}
		t = append(appendLinked(t, p.line[begin:i]), n)
		begin, i = end, end
	}
	return appendLinked(t, p.line[begin:to])
}

// skip is the place behind i, or behind the backticks there.
func (p *spanParser) skip(i, to int) int {
	if p.line[i] != '`' {
		return i + 1
	}
	for i < to && p.line[i] == '`' {
		i++
	}
	return i
}

// directive reads the span that begins at i within line[from:to]; end is 0 where none does.
func (p *spanParser) directive(i, from, to int) (n Node, end int) {
	if i > from && !spaceBefore(p.line[:i]) { // XEP-0393 §6.2
		return n, 0
	}
	c := p.line[i]
	if c == '`' {
		return p.code(i, to)
	}
	kind, number, _ := spanKind(c)
	if i+1 >= to || p.line[i+1] == c || spaceAfter(p.line[i+1:]) {
		return n, 0
	}
	end = p.closing(c, number, i+2)
	if end >= to {
		return n, 0
	}
	return Node{Kind: kind, Children: p.span(nil, i+1, end)}, end + 1
}

// closing is the first place from i on at which a directive can close, or the length of the line.
func (p *spanParser) closing(c byte, number, i int) int {
	at := max(p.next[number], i)
	for at < len(p.line) {
		k := strings.IndexByte(p.line[at:], c)
		if k < 0 {
			at = len(p.line)
			break
		}
		if at += k; !spaceBefore(p.line[:at]) {
			break
		}
		at++
	}
	p.next[number] = at
	return at
}

// code reads code that begins at i. One backtick is that of XEP-0393 §6.2.4; with more of them, code may hold backticks itself.
func (p *spanParser) code(i, to int) (n Node, end int) {
	if p.ticks == nil {
		p.ticks = tickRuns(p.line)
	}
	at, closed := codeEnd(p.ticks, i)
	width := p.skip(i, to) - i
	if !closed || at+width > to {
		return n, 0
	}
	inside := p.line[i+width : at]
	if width > 1 {
		inside = strings.TrimSpace(inside)
	}
	if inside == "" || width == 1 && (spaceAfter(inside) || spaceBefore(inside)) {
		return n, 0
	}
	return Node{Kind: Code, Text: inside}, at + width
}

func spaceBefore(s string) bool {
	if n := len(s); n > 0 && s[n-1] < utf8.RuneSelf {
		return asciiSpace(s[n-1])
	}
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsSpace(r)
}

func spaceAfter(s string) bool {
	if len(s) > 0 && s[0] < utf8.RuneSelf {
		return asciiSpace(s[0])
	}
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(r)
}

func asciiSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
