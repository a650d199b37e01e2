package fake

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzText writes a text as a person and as an app: whatever it is, what comes out is
// escaped, says the same when it comes in again, and makes blocks.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a < b & c", "<@U012AB>", "*b _i_* `c` ~s~", "```x```\n> q\n• l", "https://example.org/?a=1&b=2 @ann #general",
		"👍🏽 ☕ :wave::skin-tone-2:", "&amp;&lt;&&gt;", "<https://x.example|a|b>", "\xff\xfe", strings.Repeat("*a-", 50)} {
		f.Add(s)
	}
	s := New(Options{})
	f.Cleanup(s.Close)
	w := s.AddWorkspace("Acme", "acme")
	ann := w.AddUser(Person{Name: "ann"})
	w.AddChannel(Room{Name: "general", Members: []*User{ann}})
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 5000 {
			return // JSON brings valid text alone, and a longer one shows no more
		}
		for _, wire := range []string{w.written(text), w.posted(text, "", true)} {
			for i := 0; i < len(wire); i++ {
				switch wire[i] {
				case '<':
					m := control.FindString(wire[i:])
					if m == "" {
						t.Fatalf("%q: a bare < in %q", text, wire)
					}
					i += len(m) - 1
				case '>':
					t.Fatalf("%q: a bare > in %q", text, wire)
				case '&':
					if entity.FindString(wire[i:]) == "" {
						t.Fatalf("%q: a bare & in %q", text, wire)
					}
				}
			}
			if again := w.posted(wire, "none", false); again != wire {
				t.Fatalf("%q becomes %q and then %q", text, wire, again)
			}
			if _, err := json.Marshal(richText(wire)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
