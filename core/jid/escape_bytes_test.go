package jid

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// checkEscapedBytes checks that unescaping returns s, and that no profile changes the escaped form.
func checkEscapedBytes(t interface{ Errorf(string, ...any) }, s string) {
	local := EscapeBytes(s)
	if got := UnescapeBytes(local); got != s {
		t.Errorf("%q becomes %q becomes %q", s, local, got)
	}
	for i := range len(local) { // RFC 6122 appendix A.5, RFC 7622 §3.3.1: nothing else is prohibited in ASCII
		if c := local[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"&'/:<>@`, c) >= 0 || 'A' <= c && c <= 'Z' {
			t.Errorf("%q becomes %q with %q in it", s, local, c)
		}
	}
	if s == "" || len(local) > MaxPart {
		return
	}
	j, err := New(local, "example.org", "")
	if err != nil || j.Local() != local {
		t.Errorf("%q becomes %q, as an address %q: %v", s, local, j.Local(), err)
	}
	if again := MustParse(j.String()); again != j {
		t.Errorf("%q is parsed as %q", j, again)
	}
}

func TestEscapeBytes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"t024be7ld-u023becgf": "t024be7ld-u023becgf", "C0G9QF9GW": `\430\479\51\469\47\57`, "#go": "#go", "a b@c": `a\20b\40c`,
		`\4d`: `\5c4d`, `\`: `\`, `\4`: `\4`, `\zz`: `\zz`, `c:\net`: `c\3a\net`, "é": `\c3\a9`, "\xff\x00": `\ff\00`, "1234567890": "1234567890",
	} {
		if got := EscapeBytes(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		checkEscapedBytes(t, in)
	}
}

func TestEscapeBytesOfRandomInput(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		checkEscapedBytes(t, string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		checkEscapedBytes(t, rapid.String().Draw(t, "text"))
		checkEscapedBytes(t, rapid.StringMatching(`[\\0-9a-fA-F@ ]*`).Draw(t, "escapes"))
	})
}

// Two different ids never have the same escaped form.
func TestEscapeBytesIsUnambiguous(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.StringMatching(`[\\45cdDC@]{0,6}`)
		a, b := alphabet.Draw(t, "a"), alphabet.Draw(t, "b")
		if a != b && EscapeBytes(a) == EscapeBytes(b) {
			t.Errorf("%q and %q both become %q", a, b, EscapeBytes(a))
		}
	})
}

func FuzzEscapeBytes(f *testing.F) {
	for _, s := range []string{"", "C0G9", `\4d\5c`, "\xff", "a b", `\5c5c`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkEscapedBytes(t, s) })
}
