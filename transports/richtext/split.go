package richtext

import (
	"slices"
	"unicode/utf8"
)

// Cutter cuts texts that are longer than a network takes.
type Cutter struct {
	Limit int // characters of one part; 0: no limit
	Parts int // at most so many; the last one then has all the rest. 0: no limit
	// Length is how many characters a text takes, markup included; nil counts those of Styling. It is called
	// with texts of at most Limit characters without their markup.
	Length func(Text) int
}

// Split cuts a text into parts: at the end of a block or line where it can, else of a word, else of a
// character. Every part is a whole tree: what is cut is opened again. A node that is longer than a part, such as a
// link, is cut as the text that it shows.
func (c Cutter) Split(t Text) []Text {
	if c.Limit <= 0 {
		return []Text{t}
	}
	var parts []Text
	for rest := t.clone(); len(rest) > 0; {
		if c.Parts > 0 && len(parts) == c.Parts-1 {
			return append(parts, rest)
		}
		var head Text
		if head, _, rest = c.first(rest); len(head) > 0 {
			parts = append(parts, head)
		}
	}
	if len(parts) == 0 {
		return []Text{t}
	}
	return parts
}

// First cuts off the first part. gap is the white space between it and the rest: the three together are the text.
func (c Cutter) First(t Text) (head, gap, rest Text) {
	if c.Limit <= 0 {
		return t, nil, nil
	}
	return c.first(t.clone())
}

// first is First, and changes t.
func (c Cutter) first(t Text) (head, gap, rest Text) {
	for {
		at := c.fit(t)
		switch {
		case at == entire:
			return t, nil, nil
		case at == 0:
			if opened, ok := open(t); ok && len(opened) > 0 {
				t = opened
				continue
			}
			at = 1 // a character that takes more than the limit
		}
		head, rest = cut(t, at)
		head, end := trimEnd(head)
		begin, rest := trimBegin(rest)
		return head, slices.Concat(end, begin), rest
	}
}

// entire is the place behind a text.
const entire = -1

// fit is how many units of a text make a good first part: all of it, or 0 where not even one fits.
func (c Cutter) fit(t Text) int {
	at, whole := c.longest(t)
	if whole && c.length(t) <= c.Limit {
		return entire
	}
	for at > 0 {
		good := goodCut(t, at)
		if good == at || c.measure(t, good) <= c.Limit {
			return good
		}
		at = good // marks took more where less was between them
	}
	return 0
}

// firstTry is how many units are measured first.
const firstTry = 64

// longest is about how many units of a text fit, by few measurements of parts that are not much longer; whole is true
// where these are all.
func (c Cutter) longest(t Text) (fits int, whole bool) {
	most, all := units(t, c.Limit)
	length, excess := 0, most+1 // length is that of fits; excess units do not fit, and have the length excessive
	excessive := 0
	n := min(firstTry, most)
	for step := 0; fits < most; step++ {
		if l := c.measure(t, n); l <= c.Limit {
			fits, length = n, l
		} else {
			excess, excessive = n, l
		}
		if excess-fits <= 1 || fits > 0 && excessive > 0 && excess-fits <= c.Limit/64 { // near enough to what did not fit
			break
		}
		switch {
		case excessive == 0:
			n = min(most, 8*n, max(n*c.Limit/max(length, 1), n+1))
		case step%2 == 0:
			n = fits + (excess-fits)/2
		default:
			n = fits + (excess-fits)*(c.Limit-length)/max(excessive-length, 1)
		}
		n = min(max(n, fits+1), excess-1)
	}
	return fits, all && fits == most
}

// measure is the length of the first units of a text.
func (c Cutter) measure(t Text, n int) int {
	head, _ := cut(firstUnits(t, n), n)
	head, _ = trimEnd(head)
	return c.length(head)
}

func (c Cutter) length(t Text) int {
	if c.Length != nil {
		return c.Length(t)
	}
	return utf8.RuneCountInString(t.Styling())
}

// open turns the first node of a text into one that can be cut further; ok is false where it is a text already.
func open(t Text) (opened Text, ok bool) {
	switch n := t[0]; {
	case n.Kind.divisible():
		return t, false
	case n.Kind == Link, n.Kind == List, !n.container() && n.label() != "":
		opened = FromPlain(Text{n}.Styling())
	default:
		opened = n.Children
	}
	if t[0].Kind.Block() && len(t) > 1 {
		opened = append(opened[:len(opened):len(opened)], Node{Kind: Break})
	}
	return slices.Concat(opened, t[1:]), true
}

func (t Text) clone() Text {
	t = slices.Clone(t)
	for i := range t {
		t[i].Children = t[i].Children.clone()
	}
	return t
}
