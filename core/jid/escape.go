package jid

import "strings"

const escaped = " \"&'/:<>@\\" // XEP-0106 §4.2

const hexDigits = "0123456789abcdef"

// Unescape reverses the escaping of XEP-0106. Text that is not an escape is left unchanged.
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
