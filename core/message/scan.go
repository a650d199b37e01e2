package message

import (
	"strings"
	"unicode/utf8"
)

// mayHaveStanzaID reports whether XML may contain a stanza-id by that address. It does not parse: messages
// of rooms contain the room's stanza-id, and this runs for every occupant.
func mayHaveStanzaID(xml, by string) bool {
	for range maxStanzaIDs {
		_, rest, found := strings.Cut(xml, "stanza-id") // XML has no escapes in element names
		if !found {
			return false
		}
		xml = rest
		if mayContain(rest[:tagEnd(rest)], by) {
			return true
		}
	}
	return true
}

// maxStanzaIDs limits the occurrences that are examined, because each may be searched to the end.
const maxStanzaIDs = 4

// tagEnd returns the index of the end of a start tag; tag is the text after its name.
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

// mayContain reports whether an attribute value of a tag may be that address in any notation. If all is
// ASCII and nothing is escaped, comparing letters decides.
func mayContain(tag, address string) bool {
	return strings.Contains(tag, "&") || !ascii(tag) || !ascii(address) || strings.Contains(strings.ToLower(tag), address)
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
