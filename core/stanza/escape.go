package stanza

import (
	"strings"
	"unicode/utf8"
)

// AppendEscaped writes text for character data or for an
// attribute value in quotes of either kind. What XML cannot hold becomes U+FFFD.
func AppendEscaped(dst []byte, s string) []byte { return appendEscaped(dst, s, false) }

// plain marks the ASCII characters that never need escaping.
var plain = func() (t [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		t[c] = !strings.ContainsRune(`&<>'"`, rune(c))
	}
	return t
}()

// appendEscaped is AppendEscaped. With attr it also escapes line ends and tabs, which a parser would turn into
// spaces in an attribute value (XML 1.0 §3.3.3).
func appendEscaped(dst []byte, s string, attr bool) []byte {
	first := 0 // offset of the first byte to escape; most texts have none
	for first < len(s) && plain[s[first]] {
		first++
	}
	if first == len(s) {
		return append(dst, s...)
	}
	last := 0
	for i := first; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		size, esc := escape(s, i, attr)
		if esc != "" {
			dst = append(dst, s[last:i]...)
			dst = append(dst, esc...)
			last = i + size
		}
		i += size
	}
	return append(dst, s[last:]...)
}

// escapedLen returns the length of what appendEscaped appends.
func escapedLen(s string, attr bool) int {
	n := len(s)
	for i := 0; i < len(s); {
		if plain[s[i]] {
			i++
			continue
		}
		size, esc := escape(s, i, attr)
		if esc != "" {
			n += len(esc) - size
		}
		i += size
	}
	return n
}

// escape returns the length of the character that begins at s[i], which is not plain, and what is written for it; ""
// is the character itself.
func escape(s string, i int, attr bool) (size int, esc string) {
	switch c := s[i]; {
	case c >= utf8.RuneSelf:
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
			return size, "\uFFFD"
		}
		return size, ""
	case c == '&':
		return 1, "&amp;"
	case c == '<':
		return 1, "&lt;"
	case c == '>':
		return 1, "&gt;"
	case c == '\'':
		return 1, "&apos;"
	case c == '"':
		return 1, "&quot;"
	case c == '\r':
		return 1, "&#13;"
	case c == '\n' && attr:
		return 1, "&#10;"
	case c == '\t' && attr:
		return 1, "&#9;"
	case c == '\n' || c == '\t':
		return 1, ""
	default:
		return 1, "\uFFFD"
	}
}
