package stream

import (
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stream/entities"
	"github.com/dragoman-im/dragoman/core/stream/names"
)

// Bits of class: where an ASCII byte is allowed without further checks.
const (
	inText  = 1 << iota // character data
	inValue             // attribute value
	inCDATA
	nameStart
	nameRest
	space
	notURI // not allowed in a namespace name
)

var class = func() (t [256]uint8) {
	for c := 0x20; c < 0x80; c++ {
		t[c] |= inText | inValue | inCDATA
	}
	for _, c := range []byte("\t\n\r") {
		t[c] |= inText | inCDATA | space
	}
	t[' '] |= space
	t['<'] &^= inText | inValue
	t['&'] &^= inText | inValue
	t['>'] &^= inText // may end "]]>"
	t['"'] &^= inValue
	t['\''] &^= inValue
	t[']'] &^= inCDATA
	for c := range ' ' {
		t[c] |= notURI
	}
	for _, c := range []byte(" \"<>\\^`{|}\x7F") {
		t[c] |= notURI
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] |= nameStart | nameRest
		t[c-'a'+'A'] |= nameStart | nameRest
	}
	for c := '0'; c <= '9'; c++ {
		t[c] |= nameRest
	}
	t['_'] |= nameStart | nameRest
	t['-'] |= nameRest
	t['.'] |= nameRest
	return t
}()

// decodeNonASCII decodes the non-ASCII character that begins b. Size 0 means that more bytes are needed.
func decodeNonASCII(b []byte) (r rune, size int, err error) {
	r, size = utf8.DecodeRune(b)
	switch {
	case r == utf8.RuneError && size <= 1:
		if !utf8.FullRune(b) {
			return 0, 0, nil
		}
		return 0, 0, errEncoding
	case r == 0xFFFE || r == 0xFFFF: // XML 1.0 §2.2
		return 0, 0, errChar
	}
	return r, size, nil
}

// skipSpace returns the index of the first byte from i on that is not white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && class[b[i]]&space != 0 {
		i++
	}
	return i
}

// qname finds the end of the name that begins at i, and its colon (0 if there is
// none). End 0 means that more bytes are needed. Namespaces in XML 1.0 §4.
func qname(b []byte, i int) (end, colon int, err error) {
	first := true
	for i < len(b) {
		c := b[i]
		switch {
		case first && class[c]&nameStart != 0:
			first = false
			i++
		case !first && class[c]&nameRest != 0:
			i++
		case c >= utf8.RuneSelf:
			r, size, err := decodeNonASCII(b[i:])
			if err != nil || size == 0 {
				return 0, 0, err
			}
			if !unicode.Is(names.Start, r) && (first || !unicode.Is(names.Rest, r)) {
				return 0, 0, errName
			}
			first = false
			i += size
		case first:
			return 0, 0, errName
		case c != ':':
			return i, colon, nil
		case colon != 0:
			return 0, 0, errColon
		default:
			colon, first = i, true
			i++
		}
	}
	return 0, 0, nil
}

// reference reads the reference that begins b with '&'. Size 0 means that more bytes are needed.
func reference(b []byte) (r rune, size int, err error) {
	end := 1
	for ; end < len(b) && b[end] != ';'; end++ {
		c := b[end]
		if end >= maxRef || c != '#' && class[c]&nameRest == 0 {
			return 0, 0, badReference(b, end >= maxRef)
		}
	}
	if end == len(b) {
		return 0, 0, nil
	}
	if r = entities.Char(b[1:end]); r == 0 {
		return 0, 0, badReference(b, true)
	}
	return r, end + 1, nil
}

// badReference returns errEntity for an unknown entity and errReference for a malformed reference.
func badReference(b []byte, name bool) error {
	if name && class[b[1]]&nameStart != 0 {
		return errEntity
	}
	return errReference
}

// appendValue writes a checked attribute value with references resolved and
// white space normalised (XML 1.0 §2.11, §3.3.3).
func appendValue(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '&':
			r, size, _ := reference(raw[i:])
			dst = utf8.AppendRune(dst, r)
			i += size - 1
		case '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
			dst = append(dst, ' ')
		case '\t', '\n':
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
