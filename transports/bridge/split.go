package bridge

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// split cuts a text into parts of at most limit characters, as the network's rendering
// is likely to count them: at the end of a block or line where it can, else of a word,
// else of a character. Every part is a whole tree: what is cut is opened again.
func split(t richtext.Text, limit int) []richtext.Text {
	if limit <= 0 || length(t) <= limit {
		return []richtext.Text{t}
	}
	var parts []richtext.Text
	for rest := t; len(rest) > 0; {
		if len(parts) == maxParts-1 {
			return append(parts, rest) // the network refuses it, and the sender is told
		}
		head, tail := cut(rest, limit)
		if len(head) > 0 {
			parts = append(parts, trim(head))
		}
		rest = trim(tail)
	}
	return parts
}

// length is how many characters a text will take, markup included.
func length(t richtext.Text) int { return utf8.RuneCountInString(t.Styling()) }

// cut divides a sequence of nodes so that the first part fits in limit and is not empty.
func cut(t richtext.Text, limit int) (head, tail richtext.Text) {
	n := fit(t, limit)
	if n == len(t) {
		return t, nil
	}
	if n < len(t) {
		room := limit - length(t[:n]) - 1
		if a, b, ok := cutNode(t[n], room); ok && (room > limit/4 || n == 0) {
			head = append(append(head, t[:n]...), a)
			return head, append(richtext.Text{b}, t[n+1:]...)
		}
	}
	// Go back to the last end of a line, or at least between nodes.
	for i := n; i > n/2; i-- {
		if t[i-1].Kind == richtext.Break || t[i].Kind.Block() {
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
func fit(t richtext.Text, limit int) int {
	lo, hi := 0, len(t)
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if length(t[:mid]) <= limit {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// cutNode divides one node that is longer than limit.
func cutNode(n richtext.Node, limit int) (a, b richtext.Node, ok bool) {
	a, b = n, n
	switch n.Kind {
	case richtext.Plain, richtext.Code, richtext.Pre:
		over := length(richtext.Text{n}) - utf8.RuneCountInString(n.Text)
		at := cutText(n.Text, limit-over, n.Kind == richtext.Pre)
		if at <= 0 || at >= len(n.Text) {
			return a, b, false
		}
		a.Text, b.Text = n.Text[:at], n.Text[at:]
		if n.Kind == richtext.Pre {
			a.Text, b.Text = strings.TrimSuffix(a.Text, "\n"), strings.TrimPrefix(b.Text, "\n")
		} else {
			a.Text, b.Text = strings.TrimRight(a.Text, " "), strings.TrimLeft(b.Text, " ")
		}
		return a, b, a.Text != "" && b.Text != ""
	case richtext.Bold, richtext.Italic, richtext.Strike, richtext.Under, richtext.Spoiler, richtext.Quote, richtext.List, richtext.Item, richtext.Heading:
		lines := strings.Count(richtext.Text{n}.Styling(), "\n") + 1
		inner := limit - 4 // the markup of one line
		if n.Kind == richtext.Quote || n.Kind == richtext.Item {
			inner = limit - 2*lines
		}
		if inner < limit/4 {
			inner = limit / 4
		}
		if len(n.Children) == 0 || inner <= 0 {
			return a, b, false
		}
		a.Children, b.Children = cut(n.Children, inner)
		if len(a.Children) == 0 || len(b.Children) == 0 || length(richtext.Text{a}) > limit {
			return a, b, false
		}
		b.Children = trim(b.Children)
		if n.Kind == richtext.List && n.Level > 0 {
			b.Level = n.Level + len(a.Children)
		}
		return a, b, true
	}
	return a, b, false
}

// cutText finds the byte where a text of at most limit characters ends.
func cutText(s string, limit int, byLine bool) int {
	if limit <= 0 {
		return 0
	}
	end := len(s)
	count := 0
	for i := range s {
		if count == limit {
			end = i
			break
		}
		count++
	}
	if end == len(s) {
		return end
	}
	if at := strings.LastIndexByte(s[:end], '\n'); at > 0 && (byLine || at > end/2) {
		return at + 1
	}
	if at := strings.LastIndexByte(s[:end], ' '); at > end/2 {
		return at + 1
	}
	// Not between a character and what joins or follows it, such as a skin tone.
	for back, tries := end, 0; back > 0 && tries < 16; tries++ {
		r, _ := utf8.DecodeRuneInString(s[back:])
		p, size := utf8.DecodeLastRuneInString(s[:back])
		if !joins(r) && p != 0x200D {
			return back
		}
		back -= size
	}
	return end
}

func joins(r rune) bool {
	return r == 0x200D || r >= 0xFE00 && r <= 0xFE0F || r >= 0x1F3FB && r <= 0x1F3FF || r >= 0x300 && r <= 0x36F || r >= 0xE0020 && r <= 0xE007F
}

// trim takes white space off the ends of a part.
func trim(t richtext.Text) richtext.Text {
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
	if first := &t[0]; first.Kind == richtext.Plain {
		first.Text = strings.TrimLeft(first.Text, " ")
	}
	if last := &t[len(t)-1]; last.Kind == richtext.Plain {
		last.Text = strings.TrimRight(last.Text, " ")
	}
	return t
}

func blank(n richtext.Node) bool {
	return n.Kind == richtext.Break || n.Kind == richtext.Plain && strings.TrimSpace(n.Text) == ""
}
