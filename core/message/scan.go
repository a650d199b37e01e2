package message

import (
	"strings"
	"unicode/utf8"
)

// mayName reports whether XML may have a stanza-id by that address, without reading it as XML: a room's message
// has the room's id and goes to all its occupants.
func mayName(xml, account string) bool {
	for range maxStanzaIDs {
		_, rest, found := strings.Cut(xml, "stanza-id") // names cannot be written otherwise
		if !found {
			return false
		}
		xml = rest
		if mayHold(rest[:tagEnd(rest)], account) {
			return true
		}
	}
	return true
}

// maxStanzaIDs is how many are looked at as text, since each look may go to the end.
const maxStanzaIDs = 4

// tagEnd is where a start tag ends, of which the rest is given.
func tagEnd(tag string) int {
	var quote byte
	for i := range len(tag) {
		switch c := tag[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '>':
			return i
		}
	}
	return len(tag)
}

// mayHold reports whether a value in there may be that address, however it is written. Where all is ASCII and
// nothing is escaped, the letters decide.
func mayHold(tag, account string) bool {
	return strings.Contains(tag, "&") || !ascii(tag) || !ascii(account) || strings.Contains(strings.ToLower(tag), account)
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
