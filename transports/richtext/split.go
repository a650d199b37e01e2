package richtext

import (
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cutter cuts texts that are longer than a network takes.
type Cutter struct {
	Limit int // characters of one part; 0: no limit
	Parts int // at most so many; the last one then has all the rest. 0: no limit
	// Length is how many characters a text takes, markup included; nil counts those of Styling.
	Length func(Text) int
}

// Split cuts a text into parts: at the end of a block or line where it can, else of a word, else of a
// character. Every part is a whole tree: what is cut is opened again. A node that cannot be cut, such as a
// link, stays whole, however long.
func (c Cutter) Split(t Text) []Text {
	if c.Limit <= 0 || c.length(t) <= c.Limit {
		return []Text{t}
	}
	var parts []Text
	for rest := t; len(rest) > 0; {
		if c.Parts > 0 && len(parts) == c.Parts-1 {
			return append(parts, rest)
		}
		head, tail := c.cut(rest, c.Limit)
		if head = trim(head); len(head) > 0 {
			parts = append(parts, head)
		}
		rest = trim(tail)
	}
	return parts
}

func (c Cutter) length(t Text) int {
	if c.Length != nil {
		return c.Length(t)
	}
	return utf8.RuneCountInString(t.Styling())
}

// cut divides a sequence of nodes so that the first part fits in limit and is not empty.
func (c Cutter) cut(t Text, limit int) (head, tail Text) {
	n := c.fit(t, limit)
	if n == len(t) {
		return t, nil
	}
	room := limit - c.length(t[:n]) - 1
	if a, b, ok := c.cutNode(t[n], room); ok && (room > limit/4 || n == 0) {
		head = append(append(head, t[:n]...), a)
		return head, append(Text{b}, t[n+1:]...)
	}
	// Go back to the last end of a line, or at least between nodes.
	for i := n; i > n/2; i-- {
		if t[i-1].Kind == Break || t[i].Kind.Block() {
			n = i
			break
		}
	}
	if n == 0 { // one node that cannot be cut: it goes alone
		n = 1
	}
	return t[:n], t[n:]
}

// fit is how many nodes fit in limit.
func (c Cutter) fit(t Text, limit int) int {
	return sort.Search(len(t), func(n int) bool { return c.length(t[:n+1]) > limit })
}

// cutNode divides one node that is longer than limit.
func (c Cutter) cutNode(n Node, limit int) (a, b Node, ok bool) {
	switch n.Kind {
	case Plain, Code, Pre:
		return c.cutLeaf(n, limit)
	case Bold, Italic, Strike, Under, Spoiler, Quote, List, Item, Heading:
		// What the marks of a part take depends on its lines: less is tried until it fits.
		for inner := limit - 4; inner >= max(limit/8, 1); inner /= 2 {
			a, b = n, n
			a.Children, b.Children = c.cut(n.Children, inner)
			b.Children = trim(b.Children)
			if len(b.Children) == 0 || len(a.Children) == 0 {
				return a, b, false
			}
			if c.length(Text{a}) > limit {
				continue
			}
			if n.Kind == List && n.Level > 0 {
				b.Level = n.Level + len(a.Children)
			}
			return a, b, true
		}
	}
	return a, b, false
}

func (c Cutter) cutLeaf(n Node, limit int) (a, b Node, ok bool) {
	ends := make([]int, 0, len(n.Text)) // of characters, but the last one's
	for i := range n.Text {
		if i > 0 {
			ends = append(ends, i)
		}
	}
	fitting := sort.Search(len(ends), func(i int) bool {
		some := n
		some.Text = n.Text[:ends[i]]
		return c.length(Text{some}) > limit
	})
	if fitting == 0 {
		return a, b, false
	}
	at := cutText(n.Text, ends[fitting-1], n.Kind == Pre)
	if at <= 0 {
		return a, b, false
	}
	a, b = n, n
	a.Text, b.Text = n.Text[:at], n.Text[at:]
	if n.Kind == Pre {
		a.Text, b.Text = strings.TrimSuffix(a.Text, "\n"), strings.TrimPrefix(b.Text, "\n")
	} else {
		a.Text, b.Text = strings.TrimRight(a.Text, " "), strings.TrimLeft(b.Text, " ")
	}
	return a, b, a.Text != "" && b.Text != ""
}

// cutText finds the byte, at most end, where a text is best cut.
func cutText(s string, end int, byLine bool) int {
	if at := strings.LastIndexByte(s[:end], '\n'); at > 0 && (byLine || at > end/2) {
		return at + 1
	}
	if at := strings.LastIndexByte(s[:end], ' '); at > end/2 {
		return at + 1
	}
	return graphemeEnd(s, end)
}

// maxCluster bounds how many characters are taken for one that people see.
const maxCluster = 32

// graphemeEnd goes back from a place to one that is not within what people see as one character, such as a
// letter with its accents, a family or a flag (UAX #29, simplified).
func graphemeEnd(s string, end int) int {
	at := end
	for range maxCluster {
		if at <= 0 {
			return end
		}
		next, _ := utf8.DecodeRuneInString(s[at:])
		last, size := utf8.DecodeLastRuneInString(s[:at])
		if !joins(next) && last != zeroWidthJoiner && !(flag(next) && flagsBefore(s[:at])%2 == 1) {
			return at
		}
		at -= size
	}
	return end
}

const zeroWidthJoiner = 0x200D

// joins reports whether a character belongs to the one before it.
func joins(r rune) bool {
	return r == zeroWidthJoiner || r >= 0x1F3FB && r <= 0x1F3FF || r >= 0xE0020 && r <= 0xE007F || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Me)
}

// flag reports whether a character is half of a flag.
func flag(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

func flagsBefore(s string) (n int) {
	for n < maxCluster {
		r, size := utf8.DecodeLastRuneInString(s)
		if !flag(r) {
			break
		}
		s = s[:len(s)-size]
		n++
	}
	return n
}

// trim takes white space off the ends of a part.
func trim(t Text) Text {
	for len(t) > 0 && blank(t[0]) {
		t = t[1:]
	}
	for len(t) > 0 && blank(t[len(t)-1]) {
		t = t[:len(t)-1]
	}
	if len(t) == 0 {
		return nil
	}
	t = slices.Clone(t)
	if first := &t[0]; first.Kind == Plain {
		first.Text = strings.TrimLeft(first.Text, " ")
	}
	if last := &t[len(t)-1]; last.Kind == Plain {
		last.Text = strings.TrimRight(last.Text, " ")
	}
	return t
}

func blank(n Node) bool {
	return n.Kind == Break || n.Kind == Plain && strings.TrimSpace(n.Text) == ""
}
