package search

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ellipsis stands for what an excerpt leaves out.
const ellipsis = "…"

// Excerpt cuts up to size characters out of a text, in one line, around the first word that is searched for.
func (q Query) Excerpt(text string, size int) string {
	list := tokens(text)
	from := 0
	if first, ok := q.find(list); ok {
		from = begin(text, list, first, size/3)
	}
	rest := strings.TrimLeftFunc(text[from:], unicode.IsSpace)
	cut, n := len(rest), 0
	for i := range rest {
		if n == size {
			cut = i
			break
		}
		n++
	}
	line := strings.Join(strings.Fields(rest[:cut]), " ")
	if cut < len(rest) {
		line += ellipsis
	}
	if from > 0 {
		line = ellipsis + line
	}
	return line
}

// begin returns where an excerpt begins: with a word, at most some characters before the one that is searched for.
func begin(text string, list []token, first, before int) int {
	if utf8.RuneCountInString(text[:list[first].from]) <= before {
		return 0
	}
	i := first
	for i > 0 && utf8.RuneCountInString(text[list[i-1].from:list[first].from]) <= before {
		i--
	}
	return list[i].from
}
