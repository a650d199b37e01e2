package nick

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Clean converts any display name to a nick of at most limit bytes: a resourcepart that is neither empty nor invisible
// (XEP-0045 §17.1). What the profile of resourceparts does not allow, such as the variation selector that shows a
// character as an emoji, is left out, and the rest is kept (RFC 7622 §3.4).
func Clean(name string, limit int) string {
	var b strings.Builder
	space := false
	for _, c := range name {
		switch {
		case unicode.IsSpace(c):
			space = b.Len() > 0
			continue
		case c == utf8.RuneError || !unicode.IsPrint(c) || unicode.Is(unicode.Variation_Selector, c):
			continue
		}
		size := utf8.RuneLen(c)
		if space {
			size++
		}
		if b.Len()+size > limit {
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(c)
	}
	nick := b.String()
	if r, ok := resourcepart(nick); ok {
		return r
	}
	kept := ""
	for _, c := range nick {
		if _, ok := resourcepart(kept + string(c)); ok {
			kept += string(c)
		}
	}
	if r, ok := resourcepart(strings.TrimSpace(kept)); ok {
		return r
	}
	return "unknown"
}

// anyRoom is a room's address, for checks of nicks.
var anyRoom = jid.MustParse("room@example.org")

// resourcepart is a nick in its normal form (RFC 8265 §4.2); ok is false for one that is not allowed.
func resourcepart(nick string) (normal string, ok bool) {
	j, err := anyRoom.WithResource(nick)
	return j.Resource(), err == nil && j.Resource() != ""
}
