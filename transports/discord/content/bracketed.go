package content

import (
	"strings"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// angled reads what stands in angle brackets at the beginning of a text: a mention, an emoji, a moment, a command, a page of the
// guild's or an address. size is 0 where there is none.
func angled(s string) (kind, value string, size int) {
	end := 1 + strings.IndexAny(s[1:], "<>\n")
	if end == 0 || s[end] != '>' {
		return "", "", 0
	}
	inside := s[1:end]
	n := kindSize(inside)
	if n == 0 || n == len(inside) {
		if n < 2 || inside[0] != '@' {
			return "", "", 0
		}
		n = 1 // nothing but the sign
	}
	if kind, value = inside[:n], inside[n:]; strings.ContainsAny(value, " \t\f\r") {
		return "", "", 0
	}
	return kind, value, end + 1
}

// kindSize is how many bytes of what stands in brackets say what it is.
func kindSize(s string) int {
	for _, kind := range []string{"@&", "@!", "@", "#", "t:", "id:", "https://", "http://", "mailto:"} {
		if strings.HasPrefix(s, kind) {
			return len(kind)
		}
	}
	if strings.HasPrefix(s, "/") { // a command
		if at := strings.IndexByte(s, ':'); at > 1 {
			return at + 1
		}
		return 0
	}
	name := strings.TrimPrefix(s, "a") // of an emoji that moves
	if !strings.HasPrefix(name, ":") {
		return 0
	}
	at := strings.IndexByte(name[1:], ':')
	if at < 1 {
		return 0
	}
	for _, c := range []byte(name[1 : 1+at]) {
		if c >= 0x80 || !isWord(c) && c != '_' {
			return 0
		}
	}
	return len(s) - len(name) + at + 2
}

// bareLink reads an address of the web at the beginning of a text; it ends before punctuation.
func bareLink(s string) (n richtext.Node, size int) {
	first := 0
	for _, scheme := range []string{"http://", "https://"} {
		if strings.HasPrefix(s, scheme) {
			first = len(scheme)
		}
	}
	if first == 0 {
		return n, 0
	}
	end := first
	for end < len(s) && !endsAddress[s[end]] {
		end++
	}
	for end > first && notLast[s[end-1]] {
		end--
	}
	if end == first {
		return n, 0
	}
	return richtext.Node{Kind: richtext.Link, URL: s[:end]}, end
}

// endsAddress are the characters of which an address has none, and notLast those that are not its last one.
var endsAddress, notLast = setOf("\t\n\f\r <>"), setOf(".,;:!?')]*_~|\"")

func setOf(chars string) (set [256]bool) {
	for _, c := range []byte(chars) {
		set[c] = true
	}
	return set
}
