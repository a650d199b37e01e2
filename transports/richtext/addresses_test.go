package richtext

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// addressPattern is what an address of the web is, as a regular expression.
var addressPattern = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>".,;:!?'()\]]`)

func linkedByPattern(s string) (t Text) {
	last := 0
	for _, at := range addressPattern.FindAllStringIndex(s, -1) {
		if at[0] > last {
			t = append(t, Node{Text: s[last:at[0]]})
		}
		t = append(t, Node{Kind: Link, URL: s[at[0]:at[1]]})
		last = at[1]
	}
	if last < len(s) {
		t = append(t, Node{Text: s[last:]})
	}
	return t
}

// Addresses are found where the regular expression finds them.
func TestAddresses(t *testing.T) {
	t.Parallel()
	textcheck.Mixed([]string{
		"http", "https", "://", "http://", "https://", "x", "é", ".", ",", ")", "(", "]", " ", "\t", "<", ">", "\"", "e.org", "/", "?a=b", "日本", "\xff", "'",
	}, func(s string) {
		if d := cmp.Diff(linkedByPattern(s), appendLinked(nil, s)); d != "" {
			t.Fatalf("%q: %s", s, d)
		}
	})
}
