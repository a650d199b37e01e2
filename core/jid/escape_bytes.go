package jid

import "strings"

// EscapeBytes returns a localpart for any sequence of bytes. Different sequences have different localparts.
// Neither nodeprep (RFC 6122) nor UsernameCaseMapped (RFC 8265) changes the result, so that New keeps it as it is, and
// UnescapeBytes returns the original bytes. Besides the characters of XEP-0106, capital letters, control
// characters and bytes beyond ASCII are written as \hh, byte by byte.
func EscapeBytes(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = !mustEscape(s, i)
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; mustEscape(s, i) {
			b.WriteByte('\\')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// mustEscape reports whether the byte at i is not allowed in a localpart, or would be changed or read as an escape there.
func mustEscape(s string, i int) bool {
	switch c := s[i]; {
	case c == '\\':
		return i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
	case c <= ' ' || c >= 0x7f || 'A' <= c && c <= 'Z':
		return true
	default:
		return strings.IndexByte(escaped, c) >= 0
	}
}

// UnescapeBytes reverses EscapeBytes.
func UnescapeBytes(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b.WriteByte(byte(strings.IndexByte(hexDigits, s[i+1])<<4 | strings.IndexByte(hexDigits, s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isHex(c byte) bool { return strings.IndexByte(hexDigits, c) >= 0 }
