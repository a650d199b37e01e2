package nick

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Skeleton returns the skeleton of a name. It is for comparison, not for people.
func Skeleton(name string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFKD.String(replaceLookalikes(name)) { // full-width letters, ligatures, mathematical letters
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case ignorable(r):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return norm.NFD.String(replaceLookalikes(b.String()))
}

// replaceLookalikes replaces the characters of the table.
func replaceLookalikes(s string) string {
	var b strings.Builder
	for _, r := range s {
		if l, ok := lookalikes[r]; ok {
			b.WriteString(l)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// ignorable reports whether a character is invisible, such as a zero-width space or a variation selector.
func ignorable(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
