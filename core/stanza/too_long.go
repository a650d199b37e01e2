package stanza

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// TooLong returns not-acceptable for a text of more than limit bytes, with both lengths: "This message is too long:
// 100,000 of 40,000 characters."
func TooLong(what, text string, limit int) *Error {
	unit := "characters"
	if utf8.RuneCountInString(text) != len(text) { // then the limit is another number of them
		unit = "bytes"
	}
	return NotAcceptable("This " + what + " is too long: " + Thousands(len(text)) + " of " + Thousands(limit) + " " + unit + ".")
}

// Thousands is a number that is not negative with commas between thousands.
func Thousands(n int) string {
	digits := strconv.Itoa(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
