package nick

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A name keeps what a resourcepart can hold.
func TestClean(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ann ❤️": "Ann ❤", "☕️ Ben": "☕ Ben", "Zoe\u0301": "Zoé", "A\u00ad\u200bB": "AB", "\ufe0f": "unknown", "": "unknown", " \t": "unknown", "9️⃣ Nine": "9⃣ Nine",
		"a\u0000\u0085b": "a b", "Ⅷ ﬁ": "Ⅷ ﬁ", "x・y": "xy", "カ・キ": "カ・キ", "ⴰ\u0378": "ⴰ", "👩‍🚀": "👩🚀", "two\nlines": "two lines", "\xff\xfe": "unknown",
		strings.Repeat("é", 60): strings.Repeat("é", 50), strings.Repeat("x", 99) + " y": strings.Repeat("x", 99),
	} {
		if got := Clean(name, 100); got != want {
			t.Errorf("%q is called %q, want %q", name, got, want)
		}
	}
}

// Every name has a nick, which is its own nick.
func TestCleanOfANick(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		got := Clean(name, 40)
		if got == "" || len(got) > 40+2 || Clean(got, 42) != got {
			t.Errorf("%q is called %q, and that %q", name, got, Clean(got, 42))
		}
	})
}
