package slack

import (
	"strconv"
	"strings"
)

// What stands in angle brackets is set aside while the text around it is treated. A number between two
// control characters stands for it: neither XMPP nor what people type has those.
const (
	leafBegin = '\x02'
	leafEnd   = '\x03'
)

func placeholder(i int) string { return string(leafBegin) + strconv.Itoa(i) + string(leafEnd) }

// dropMarks takes the two characters out of a text of somebody else.
func dropMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if r == leafBegin || r == leafEnd {
			return -1
		}
		return r
	}, s)
}

// eachLeaf goes through a text with placeholders: what stands between them, and their numbers.
func eachLeaf(s string, text func(string), leaf func(i int)) {
	for s != "" {
		before, after, found := strings.Cut(s, string(leafBegin))
		if before != "" {
			text(before)
		}
		if !found {
			return
		}
		number, rest, _ := strings.Cut(after, string(leafEnd))
		if i, err := strconv.Atoi(number); err == nil {
			leaf(i)
		}
		s = rest
	}
}

// fill puts texts in the place of placeholders.
func fill[T any](s string, leaves []T, say func(T) string) string {
	var b strings.Builder
	eachLeaf(s, func(text string) { b.WriteString(text) }, func(i int) {
		if i < len(leaves) {
			b.WriteString(say(leaves[i]))
		}
	})
	return b.String()
}
