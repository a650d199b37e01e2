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
		size, esc := 1, ""
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
				esc = "\uFFFD"
			}
		case c == '&':
			esc = "&amp;"
		case c == '<':
			esc = "&lt;"
		case c == '>':
			esc = "&gt;"
		case c == '\'':
			esc = "&apos;"
		case c == '"':
			esc = "&quot;"
		case c == '\r':
			esc = "&#13;"
		case c == '\n' && attr:
			esc = "&#10;"
		case c == '\t' && attr:
			esc = "&#9;"
		case c == '\n' || c == '\t':
		case c < ' ':
			esc = "\uFFFD"
		}
		if esc != "" {
			dst = append(dst, s[last:i]...)
			dst = append(dst, esc...)
			last = i + size
		}
		i += size
	}
	return append(dst, s[last:]...)
}
