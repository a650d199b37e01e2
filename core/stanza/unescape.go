package stanza

import (
	"strconv"
	"strings"
)

// unescape resolves the predefined entities and character references, and
// normalises line ends, in attributes white space too (XML 1.0 §2.11, §3.3.3).
func unescape(s string, attr bool) (string, error) {
	if !strings.ContainsAny(s, "&\r") && (!attr || !strings.ContainsAny(s, "\n\t")) {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '&':
			end := strings.IndexByte(s[i:], ';')
			if end < 0 {
				return "", errSyntax
			}
			r, ok := entity(s[i+1 : i+end])
			if !ok {
				return "", errSyntax
			}
			b.WriteRune(r)
			i += end
		case c == '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
			if attr {
				b.WriteByte(' ')
			} else {
				b.WriteByte('\n')
			}
		case attr && (c == '\n' || c == '\t'):
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func entity(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > 0x10FFFF || n >= 0xD800 && n < 0xE000 {
		return 0, false
	}
	return rune(n), true
}
