package sasl

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// Prepare applies SASLprep (RFC 4013) to a password, as RFC 5802 §2.2 requires, with current
// Unicode: code points that Unicode 3.2 lacked are allowed, so a password may contain emoji.
// OpaqueString (RFC 8265 §4) differs from it in compatibility characters only, and
// clients of SCRAM apply SASLprep.
func Prepare(password string) (string, error) {
	if len(password) > maxPassword {
		return "", fmt.Errorf("%w: longer than %d bytes", ErrPassword, maxPassword)
	}
	ascii := true
	for i := 0; i < len(password); i++ {
		c := password[i]
		if c < ' ' || c == 0x7F { // RFC 3454 table C.2.1
			return "", fmt.Errorf("%w: control character", ErrPassword)
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if !ascii {
		var err error
		if password, err = prepareWide(password); err != nil {
			return "", err
		}
	}
	if password == "" {
		return "", fmt.Errorf("%w: empty", ErrPassword)
	}
	return password, nil
}

func prepareWide(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("%w: not UTF-8", ErrPassword)
	}
	mapped := make([]rune, 0, len(s))
	for _, r := range s {
		switch {
		case unicode.Is(spaces, r):
			mapped = append(mapped, ' ') // RFC 4013 §2.1
		case !unicode.Is(nothing, r):
			mapped = append(mapped, r)
		}
	}
	out := norm.NFKC.String(string(mapped)) // RFC 4013 §2.2
	wide := false
	for _, r := range out {
		if unicode.Is(prohibited, r) || unicode.Is(unicode.Co, r) || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF {
			return "", fmt.Errorf("%w: character %U", ErrPassword, r)
		}
		wide = wide || r >= utf8.RuneSelf
	}
	if wide && mixed(out) {
		return "", fmt.Errorf("%w: mixed directions", ErrPassword)
	}
	return out, nil
}

// mixed reports whether s breaks RFC 4013 §2.4: a string with a right-to-left character must have no left-to-right
// one, and must begin and end with a right-to-left one.
func mixed(s string) bool {
	var right, left, first, last bool
	for i, r := range s {
		p, _ := bidi.LookupRune(r)
		rtl := p.Class() == bidi.R || p.Class() == bidi.AL
		if i == 0 {
			first = rtl
		}
		last = rtl
		right = right || rtl
		left = left || p.Class() == bidi.L
	}
	return right && (left || !first || !last)
}

// The tables of RFC 4013 §2, from RFC 3454.
var (
	// Tables C.1.2: spaces beyond ASCII.
	spaces = &unicode.RangeTable{R16: []unicode.Range16{
		{Lo: 0x00A0, Hi: 0x00A0, Stride: 1}, {Lo: 0x1680, Hi: 0x1680, Stride: 1}, {Lo: 0x2000, Hi: 0x200B, Stride: 1},
		{Lo: 0x202F, Hi: 0x202F, Stride: 1}, {Lo: 0x205F, Hi: 0x205F, Stride: 1}, {Lo: 0x3000, Hi: 0x3000, Stride: 1},
	}, LatinOffset: 1}
	// Table B.1: mapped to nothing.
	nothing = &unicode.RangeTable{R16: []unicode.Range16{
		{Lo: 0x00AD, Hi: 0x00AD, Stride: 1}, {Lo: 0x034F, Hi: 0x034F, Stride: 1}, {Lo: 0x1806, Hi: 0x1806, Stride: 1},
		{Lo: 0x180B, Hi: 0x180D, Stride: 1}, {Lo: 0x200C, Hi: 0x200D, Stride: 1}, {Lo: 0x2060, Hi: 0x2060, Stride: 1},
		{Lo: 0xFE00, Hi: 0xFE0F, Stride: 1}, {Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1},
	}, LatinOffset: 1}
	// Tables C.2 and C.5 to C.9; private use and non-characters are checked in prepareWide.
	prohibited = &unicode.RangeTable{R16: []unicode.Range16{
		{Lo: 0x0000, Hi: 0x001F, Stride: 1}, {Lo: 0x007F, Hi: 0x009F, Stride: 1}, {Lo: 0x0340, Hi: 0x0341, Stride: 1},
		{Lo: 0x06DD, Hi: 0x06DD, Stride: 1}, {Lo: 0x070F, Hi: 0x070F, Stride: 1}, {Lo: 0x180E, Hi: 0x180E, Stride: 1},
		{Lo: 0x200E, Hi: 0x200F, Stride: 1}, {Lo: 0x2028, Hi: 0x202E, Stride: 1}, {Lo: 0x2061, Hi: 0x2063, Stride: 1},
		{Lo: 0x206A, Hi: 0x206F, Stride: 1}, {Lo: 0x2FF0, Hi: 0x2FFB, Stride: 1}, {Lo: 0xFFF9, Hi: 0xFFFD, Stride: 1},
	}, R32: []unicode.Range32{
		{Lo: 0x1D173, Hi: 0x1D17A, Stride: 1}, {Lo: 0xE0001, Hi: 0xE0001, Stride: 1}, {Lo: 0xE0020, Hi: 0xE007F, Stride: 1},
	}, LatinOffset: 2}
)
