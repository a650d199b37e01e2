package jid

import "strings"

const escaped = " \"&'/:<>@\\" // XEP-0106 §4.2

const hexDigits = "0123456789abcdef"

// Escape makes any text a localpart by XEP-0106: characters that a localpart may not contain become \hh.
// A backslash is escaped only if it would be read as an escape (XEP-0106 §4.3).
// The result still has to pass New, which folds case.
func Escape(s string) string {
	if !strings.ContainsAny(s, escaped) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			if _, ok := unescapeAt(s[i:]); !ok {
				b.WriteByte(c)
				continue
			}
		} else if strings.IndexByte(escaped, c) < 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('\\')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// Unescape reverses Escape. Text that is not an escape is left unchanged.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c, ok := unescapeAt(s[i:]); ok {
			b.WriteByte(c)
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unescapeAt(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '\\' {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, s[1]), strings.IndexByte(hexDigits, s[2])
	if hi < 0 || lo < 0 {
		return 0, false
	}
	c := byte(hi<<4 | lo)
	return c, strings.IndexByte(escaped, c) >= 0
}
