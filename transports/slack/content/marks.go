package content

import (
	"strconv"
	"strings"
)

// What is in angle brackets is taken out while the text around it is converted. A number between two
// control characters marks where it was: neither XMPP nor what people type has those.
const (
	markBegin = '\x02'
	markEnd   = '\x03'
)

// dropMarks takes the two characters out of a text of somebody else.
func dropMarks(s string) string {
	if !strings.ContainsAny(s, string([]byte{markBegin, markEnd})) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == markBegin || r == markEnd {
			return -1
		}
		return r
	}, s)
}

// eachMark goes through a text with placeholders: the text between them, and their numbers.
func eachMark(s string, text func(string), inline func(i int)) {
	for s != "" {
		before, after, found := strings.Cut(s, string(markBegin))
		if before != "" {
			text(before)
		}
		if !found {
			return
		}
		number, rest, _ := strings.Cut(after, string(markEnd))
		if i, err := strconv.Atoi(number); err == nil {
			inline(i)
		}
		s = rest
	}
}

// fillMarks replaces placeholders by texts.
func fillMarks[T any](s string, marked []T, outgoing func(T) string) string {
	if strings.IndexByte(s, markBegin) < 0 {
		return s
	}
	var b strings.Builder
	eachMark(s, func(text string) { b.WriteString(text) }, func(i int) {
		if i < len(marked) {
			b.WriteString(outgoing(marked[i]))
		}
	})
	return b.String()
}
