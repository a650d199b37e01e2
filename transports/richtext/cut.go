package richtext

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The functions of this file count a text in units: a character of text or code, or a node without children that is none.

// divisible reports whether nodes of that kind have as many units as Text has characters.
func (k Kind) divisible() bool { return k == Plain || k == Code || k == Pre }

// units counts those of a text up to a number; whole is false where there are more.
func units(t Text, most int) (n int, whole bool) {
	for _, node := range t {
		switch {
		case node.Kind.divisible():
			at, taken := byteOf(node.Text, most-n)
			if n += taken; at < len(node.Text) {
				return n, false
			}
		case node.container():
			inner, all := units(node.Children, most-n)
			if n += inner; !all {
				return n, false
			}
		case n == most:
			return n, false
		default:
			n++
		}
	}
	return n, true
}

// container reports whether a node has only the units of its children.
func (n Node) container() bool { return n.Kind != Link && len(n.Children) > 0 }

// firstUnits is a text without what is behind its first n units; only what is left is copied.
func firstUnits(t Text, n int) Text {
	var head Text
	for _, node := range t {
		if n <= 0 {
			break
		}
		head = append(head, node)
		last := &head[len(head)-1]
		switch {
		case node.Kind.divisible():
			at, taken := byteOf(node.Text, n)
			last.Text = node.Text[:at]
			n -= taken
		case node.container():
			last.Children = firstUnits(node.Children, n)
			taken, _ := units(last.Children, n)
			n -= taken
		default:
			n--
		}
	}
	return head
}

// byteOf is the byte at which the character n of a text begins, and how many there are before it.
func byteOf(s string, n int) (at, taken int) {
	for i := range s {
		if taken == n {
			return i, taken
		}
		taken++
	}
	return len(s), taken
}

// cut divides a text behind n units. It changes t, of which tail is a part.
func cut(t Text, n int) (head, tail Text) {
	for i := range t {
		node := &t[i]
		taken, whole := units(t[i:i+1], n)
		if whole && taken < n {
			n -= taken
			continue
		}
		if whole { // the cut is behind this node
			return t[: i+1 : i+1], t[i+1:]
		}
		if n == 0 {
			return t[:i:i], t[i:]
		}
		a, b := cutNode(*node, n)
		head = append(t[:i:i], a)
		*node = b
		return head, t[i:]
	}
	return t, nil
}

// cutNode divides a node that has more than n units.
func cutNode(n Node, at int) (a, b Node) {
	a, b = n, n
	switch {
	case n.container():
		a.Children, b.Children = cut(n.Children, at)
		if n.Kind == List && n.Level > 0 {
			b.Level = n.Level + len(a.Children)
			if len(a.Children) > 0 && len(a.Children)+len(b.Children) > len(n.Children) { // within an item, which goes on with its number
				b.Level--
			}
		}
	default:
		i, _ := byteOf(n.Text, at)
		a.Text, b.Text = n.Text[:i], n.Text[i:]
		if n.Kind == Pre {
			a.Text, b.Text = strings.TrimSuffix(a.Text, "\n"), strings.TrimPrefix(b.Text, "\n")
		}
	}
	return a, b
}

// goodCut is the best place for a cut behind at most n units: between lines or blocks, else between words
// or nodes, else between characters as people see them. Only the last half is looked at.
func goodCut(t Text, n int) int {
	f := cutFinder{end: n}
	f.walk(t)
	switch {
	case f.line > n/2:
		return f.line
	case f.word > n/2:
		return f.word
	case f.leaf != "":
		return max(n-charactersBehind(f.leaf), 1)
	}
	return n
}

type cutFinder struct {
	end        int // of the part, in units
	at         int // units passed
	line, word int // places where a line or a word ends
	leaf       string
}

// walk goes through the first end units.
func (f *cutFinder) walk(t Text) {
	for _, n := range t {
		if f.at >= f.end {
			if n.Kind == Break || n.Kind.Block() {
				f.line = f.at
			}
			return
		}
		switch {
		case n.Kind.Block():
			f.line = f.at
		case n.Kind != Plain:
			f.word = f.at
		}
		switch {
		case n.Kind.divisible():
			f.leafText(n)
		case n.container():
			f.walk(n.Children)
		default:
			f.at++
			f.word = f.at
		}
		if f.at <= f.end && (n.Kind == Break || n.Kind.Block() && f.at < f.end) {
			f.line = f.at
		}
	}
}

func (f *cutFinder) leafText(n Node) {
	for i, r := range n.Text {
		if f.at == f.end {
			if r == ' ' {
				f.word = f.at
			}
			f.leaf = n.Text[:i] + firstCharacter(n.Text[i:])
			return
		}
		f.at++
		switch r {
		case '\n':
			f.line = f.at
		case ' ':
			f.word = f.at
		}
	}
}

// maxCluster bounds how many characters are taken for one that people see.
const maxCluster = 32

func firstCharacter(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}

// charactersBehind is how many characters a cut before the last one of s has to go back to be not within
// what people see as one character, such as a letter with its accents, a family or a flag (UAX #29, simplified).
func charactersBehind(s string) int {
	_, size := utf8.DecodeLastRuneInString(s)
	end := len(s) - size
	at := end
	for back := range maxCluster {
		if at <= 0 {
			return 0
		}
		next, _ := utf8.DecodeRuneInString(s[at:])
		last, size := utf8.DecodeLastRuneInString(s[:at])
		if !joins(next) && last != zeroWidthJoiner && !(flag(next) && flagsBefore(s[:at])%2 == 1) {
			return back
		}
		at -= size
	}
	return 0
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

// trimEnd takes white space off the end of a part, and returns both. It changes t.
func trimEnd(t Text) (kept, end Text) {
	n := len(t)
	for n > 0 && blank(t[n-1]) {
		n--
	}
	kept, end = t[:n:n], t[n:]
	if n == 0 {
		return kept, end
	}
	last := &t[n-1]
	if last.container() && !last.Kind.Block() {
		var inner Text
		last.Children, inner = trimEnd(last.Children)
		return kept, slices.Concat(inner, end)
	}
	if last.Kind != Plain {
		return kept, end
	}
	short := strings.TrimRight(last.Text, " ")
	if short != last.Text {
		end = slices.Concat(Text{{Text: last.Text[len(short):]}}, end)
		last.Text = short
	}
	return kept, end
}

// trimBegin takes white space off the beginning of a part, and returns both. It changes t.
func trimBegin(t Text) (begin, kept Text) {
	n := 0
	for n < len(t) && blank(t[n]) {
		n++
	}
	begin, kept = t[:n:n], t[n:]
	if len(kept) == 0 {
		return begin, kept
	}
	first := &kept[0]
	if first.container() && !first.Kind.Block() {
		var inner Text
		inner, first.Children = trimBegin(first.Children)
		return slices.Concat(begin, inner), kept
	}
	if first.Kind != Plain {
		return begin, kept
	}
	short := strings.TrimLeft(first.Text, " ")
	if short != first.Text {
		begin = append(begin, Node{Text: first.Text[:len(first.Text)-len(short)]})
		first.Text = short
	}
	return begin, kept
}

func blank(n Node) bool {
	return n.Kind == Break || n.Kind == Plain && strings.TrimSpace(n.Text) == ""
}
