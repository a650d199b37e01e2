package entities

import (
	"unicode"
	"unicode/utf8"
)

// Char returns the character of a reference without its & and ;, 0 if there is none.
func Char(name []byte) rune {
	switch string(name) {
	case "amp":
		return '&'
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "apos":
		return '\''
	case "quot":
		return '"'
	}
	if len(name) < 2 || name[0] != '#' {
		return 0
	}
	digits, base := name[1:], rune(10)
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	if len(digits) == 0 {
		return 0
	}
	var r rune
	for _, c := range digits {
		var d rune
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f':
			d = rune(c|0x20-'a') + 10
		default:
			return 0
		}
		if r = r*base + d; r > unicode.MaxRune {
			return 0
		}
	}
	if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF || !utf8.ValidRune(r) {
		return 0 // XML 1.0 §4.1: §2.2 holds for references too
	}
	return r
}
