package content

import (
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxLabel is the longest label of a link, in characters, and maxTarget the longest address, in bytes.
const (
	maxLabel  = 1000
	maxTarget = 2048
)

// masked reads a link with a label, [label](address "title"); size is 0 where there is none. The label may have markup and
// brackets, the address parentheses in pairs.
func (p *Reader) masked(text string, i, depth int, gone *lost) (n richtext.Node, size int) {
	if gone.ends == nil {
		gone.ends = bracketPairs(text)
	}
	end, closed := gone.ends[i]
	if !closed || depth == 0 || end == i+1 || !strings.HasPrefix(text[end:], "](") {
		return n, 0
	}
	label := text[i+1 : end]
	url, title, size := target(text[end+2:])
	if size == 0 || utf8.RuneCountInString(label) > maxLabel {
		return n, 0
	}
	n = richtext.Node{Kind: richtext.Link, URL: url, Children: p.spans(label, depth-1)}
	if title != "" { // shown where the pointer rests on the link
		n.Children = append(n.Children, richtext.Node{Text: " (" + title + ")"})
	}
	return n, end + 2 + size - i
}

// bracketPairs has the place of the bracket that closes each one.
func bracketPairs(text string) map[int]int {
	pairs := map[int]int{}
	var open []int
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '[':
			open = append(open, i)
		case ']':
			if n := len(open); n > 0 {
				pairs[open[n-1]] = i
				open = open[:n-1]
			}
		}
	}
	return pairs
}

// target reads an address with its title, up to the parenthesis behind them; size is 0 where there is none.
func target(s string) (url, title string, size int) {
	begin := 0
	if strings.HasPrefix(s, "<") {
		begin = 1
	}
	if !webLink(s[begin:]) {
		return "", "", 0
	}
	at, depth := begin, 0
	for ; at < len(s) && at < maxTarget; at++ {
		c := s[at]
		if c == '(' {
			depth++
		}
		if c == ')' {
			if depth--; depth < 0 {
				break
			}
		}
		if c <= ' ' || c == '<' || c == '>' {
			break
		}
	}
	url = s[begin:at]
	if begin == 1 {
		if !strings.HasPrefix(s[at:], ">") {
			return "", "", 0
		}
		at++
	}
	if rest := strings.TrimLeft(s[at:], " "); len(rest) > 1 && (rest[0] == '"' || rest[0] == '\'') {
		line, _, _ := strings.Cut(rest[1:min(len(rest), maxTarget)], "\n")
		inner, _, ok := strings.Cut(line, rest[:1])
		if !ok {
			return "", "", 0
		}
		title, at = inner, len(s)-len(rest)+len(inner)+2
	}
	if !strings.HasPrefix(s[at:], ")") {
		return "", "", 0
	}
	return url, title, at + 1
}
