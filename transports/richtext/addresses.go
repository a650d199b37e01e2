package richtext

import (
	"strings"
	"unicode/utf8"
)

// appendLinked appends a text in which addresses of the web are links.
func appendLinked(t Text, s string) Text {
	begin := 0 // of the text that is not in t yet
	for from := 0; ; {
		at := strings.Index(s[from:], "://")
		if at < 0 {
			break
		}
		scheme, end := webAddress(s, from+at, begin)
		if end == 0 {
			from += at + len("://")
			continue
		}
		if scheme > begin {
			t = append(t, Node{Text: s[begin:scheme]})
		}
		t = append(t, Node{Kind: Link, URL: s[scheme:end]})
		begin, from = end, end
	}
	if begin < len(s) {
		t = append(t, Node{Text: s[begin:]})
	}
	return t
}

// webAddress is the address of the web whose "://" is at a place of a text, and which begins at or behind least; end is 0 where there is
// none. An address has two characters at least, and ends with one that is no punctuation.
func webAddress(s string, at, least int) (begin, end int) {
	switch {
	case strings.HasSuffix(s[least:at], "https"):
		begin = at - len("https")
	case strings.HasSuffix(s[least:at], "http"):
		begin = at - len("http")
	default:
		return 0, 0
	}
	first := at + len("://")
	for end = first; end < len(s) && !endsAddress[s[end]]; end++ {
	}
	for end > first && notLast[s[end-1]] {
		end--
	}
	if end-first < 2*utf8.UTFMax && utf8.RuneCountInString(s[first:end]) < 2 {
		return 0, 0
	}
	return begin, end
}

// endsAddress are the characters of which an address has none, and notLast those that are not its last one.
var endsAddress, notLast = setOf("\t\n\f\r <>\""), setOf(".,;:!?'()]")

func setOf(chars string) (set [256]bool) {
	for _, c := range []byte(chars) {
		set[c] = true
	}
	return set
}
