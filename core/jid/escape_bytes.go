package jid

import "strings"

// EscapeBytes makes any bytes a localpart that names them and nothing else: what New makes of it is the
// same string, under nodeprep (RFC 6122) as under UsernameCaseMapped (RFC 8265), and UnescapeBytes
// gives the bytes back. It is XEP-0106 for the characters that XEP-0106 escapes, and writes capital letters,
// control characters and what is not ASCII in the same form, byte by byte.
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

// mustEscape tells whether the byte at i cannot be in a localpart as it is, or would be read as another there.
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

// UnescapeBytes is the reverse of EscapeBytes. It reads what Escape has written too.
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
