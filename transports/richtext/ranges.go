package richtext

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Range is where a node is in a rendered text, with its directives: from Begin until before End, both counted in characters.
type Range struct {
	Node       Node // without children
	Begin, End int
}

// rangeBegin and rangeEnd stand in a text before and behind the number of a range, and behind the range in the other order. XML
// has neither of them.
const (
	rangeBegin = '\x02'
	rangeEnd   = '\x03'
)

// ranges are those of a text that is being rendered.
type ranges struct{ list []Range }

// around marks a rendered node.
func (p *ranges) around(n Node, s string) string {
	if p == nil || s == "" {
		return s
	}
	n.Children = nil
	number := strconv.Itoa(len(p.list))
	p.list = append(p.list, Range{Node: n, Begin: -1, End: -1})
	return string(rangeBegin) + number + string(rangeEnd) + s + string(rangeEnd) + number + string(rangeBegin)
}

// text is a text of a node without the two characters.
func (p *ranges) text(s string) string {
	if p == nil || !strings.ContainsAny(s, "\x02\x03") {
		return s
	}
	return strings.NewReplacer("\x02", "", "\x03", "").Replace(s)
}

// StylingWithRanges renders the text as Styling does, and returns where in it everything is that has a meaning: spans for each line, code,
// mentions, and blocks from the beginning of their first line until the end of their last one.
func (t Text) StylingWithRanges() (string, []Range) {
	if t.simple() {
		return t.Styling(), nil
	}
	p := &ranges{}
	marked := t.styling(p)
	var b strings.Builder
	at, line := 0, 0 // characters, and where the line begins
	for rest := marked; rest != ""; {
		i := strings.IndexAny(rest, "\x02\x03")
		if i < 0 {
			i = len(rest)
		}
		for _, r := range rest[:i] {
			if at++; r == '\n' {
				line = at
			}
		}
		b.WriteString(rest[:i])
		if rest = rest[i:]; rest == "" {
			break
		}
		end := 1 + strings.IndexAny(rest[1:], "\x02\x03")
		if end == 0 {
			break
		}
		if n, err := strconv.Atoi(rest[1:end]); err == nil && n < len(p.list) {
			one := &p.list[n]
			switch {
			case rest[0] == rangeEnd:
				one.End = at
			case one.Node.Kind.Block() && one.Node.Kind != Heading:
				one.Begin = line
			default:
				one.Begin = at
			}
		}
		rest = rest[end+1:]
	}
	kept := p.list[:0]
	for _, one := range p.list {
		if one.Begin >= 0 && one.End > one.Begin {
			kept = append(kept, one)
		}
	}
	slices.Reverse(kept) // what is within another was rendered first
	slices.SortStableFunc(kept, func(a, b Range) int { return cmp.Or(a.Begin-b.Begin, b.End-a.End) })
	return b.String(), kept
}

// simple reports whether a text has nothing whose place anybody wants to know.
func (t Text) simple() bool {
	for _, n := range t {
		switch n.Kind {
		case Plain, Break, Emoji:
		case Link, Spoiler:
			if !n.Children.simple() {
				return false
			}
		default:
			return false
		}
	}
	return true
}
