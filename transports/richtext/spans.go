package richtext

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// spanKinds are the directives of XEP-0393 §6 but for that of code.
var spanKinds = map[byte]Kind{'*': Bold, '_': Italic, '~': Strike}

// spanParser reads one line. What closes a directive is found by going forward only, once for each directive, so
// that the whole takes time proportional to the line.
type spanParser struct {
	line string
	// next has for each directive a place at which it can close, the first one at or behind a place asked for before.
	next [utf8.RuneSelf]int
	// ticks are the ends of code by the place of its begin; nil until there is a backtick.
	ticks map[int]int
}

// parseSpans reads one line (XEP-0393 §6).
func parseSpans(line string) Text {
	if !strings.ContainsAny(line, "*_~`") {
		return linkify(line)
	}
	p := spanParser{line: line}
	return p.span(0, len(line))
}

// span reads line[from:to], which is the line or what stands between two directives.
func (p *spanParser) span(from, to int) Text {
	var t Text
	begin := from // of the text that is not in t yet
	for i := from; i < to; {
		n, end := p.directive(i, from, to)
		if end == 0 {
			i = p.skip(i, to)
			continue
		}
		t = append(append(t, linkify(p.line[begin:i])...), n)
		begin, i = end, end
	}
	return append(t, linkify(p.line[begin:to])...)
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
	c := p.line[i]
	kind, styled := spanKinds[c]
	if !styled && c != '`' || i > from && !spaceBefore(p.line[:i]) { // XEP-0393 §6.2
		return n, 0
	}
	if c == '`' {
		return p.code(i, to)
	}
	if i+1 >= to || p.line[i+1] == c || spaceAfter(p.line[i+1:]) {
		return n, 0
	}
	end = p.closing(c, i+2)
	if end >= to {
		return n, 0
	}
	return Node{Kind: kind, Children: p.span(i+1, end)}, end + 1
}

// closing is the first place from i on at which a directive can close, or the length of the line.
func (p *spanParser) closing(c byte, i int) int {
	at := max(p.next[c], i)
	for at < len(p.line) && !(p.line[at] == c && !spaceBefore(p.line[:at])) {
		at++
	}
	p.next[c] = at
	return at
}

// code reads code that begins at i. One backtick is that of XEP-0393 §6.2.4; with more of them, code may hold backticks itself.
func (p *spanParser) code(i, to int) (n Node, end int) {
	if p.ticks == nil {
		p.ticks = codeEnds(p.line)
	}
	at, closed := p.ticks[i]
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

// codeEnds pairs each run of backticks with the next one of the same length.
func codeEnds(line string) map[int]int {
	ends, last := map[int]int{}, map[int]int{} // by length: the run that is not paired
	for i := 0; i < len(line); {
		if line[i] != '`' {
			i++
			continue
		}
		begin := i
		for i < len(line) && line[i] == '`' {
			i++
		}
		if before, ok := last[i-begin]; ok {
			ends[before] = begin
		}
		last[i-begin] = begin
	}
	return ends
}

func spaceBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsSpace(r)
}

func spaceAfter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(r)
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>".,;:!?'()\]]`)

func linkify(s string) Text {
	if s == "" {
		return nil
	}
	if !strings.Contains(s, "://") {
		return Text{{Text: s}}
	}
	var t Text
	last := 0
	for _, at := range webAddress.FindAllStringIndex(s, -1) {
		if at[0] > last {
			t = append(t, Node{Text: s[last:at[0]]})
		}
		t = append(t, Node{Kind: Link, URL: s[at[0]:at[1]]})
		last = at[1]
	}
	if last < len(s) {
		t = append(t, Node{Text: s[last:]})
	}
	return t
}
