package jid

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	// RFC 7622 §3.5, tables 1 and 2, and the edges of §3.1–3.4.
	for _, tc := range []struct{ in, local, domain, resource string }{
		{"juliet@example.com", "juliet", "example.com", ""},
		{"juliet@example.com/foo", "juliet", "example.com", "foo"},
		{"juliet@example.com/foo bar", "juliet", "example.com", "foo bar"},
		{"juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"},
		{`foo\20bar@example.com`, `foo\20bar`, "example.com", ""},
		{"fussball@example.com", "fussball", "example.com", ""},
		{"fußball@example.com", "fußball", "example.com", ""},
		{"π@example.com", "π", "example.com", ""},
		{"Σ@example.com/foo", "σ", "example.com", "foo"},
		{"king@example.com/♚", "king", "example.com", "♚"},
		{"example.com", "", "example.com", ""},
		{"example.com/foobar", "", "example.com", "foobar"},
		{"a.example.com/b@example.net", "", "a.example.com", "b@example.net"},
		{"Juliet@Example.COM/Balcony", "juliet", "example.com", "Balcony"},
		{"juliet@example.com.", "juliet", "example.com", ""},
		{"juliet@[::1]/x", "juliet", "[::1]", "x"},
		{"juliet@127.0.0.1", "juliet", "127.0.0.1", ""},
		{"localhost", "", "localhost", ""},
	} {
		j, err := Parse(tc.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", tc.in, err)
			continue
		}
		if j.Local() != tc.local || j.Domain() != tc.domain || j.Resource() != tc.resource {
			t.Errorf("Parse(%q) = %q %q %q", tc.in, j.Local(), j.Domain(), j.Resource())
		}
		again, err := Parse(j.String())
		if err != nil || again != j {
			t.Errorf("Parse(%q) is not stable: %q %v", tc.in, again, err)
		}
		if b := j.Bare(); !b.IsBare() || b.Local() != tc.local || b.Resource() != "" {
			t.Errorf("Bare of %q = %q", tc.in, b)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 1024)
	for _, in := range []string{
		"", `"juliet"@example.com`, "foo bar@example.com", "juliet@example.com/", "@example.com/", "@", "/", "user@", "user@/x",
		"henry\u2163@example.com", "\u265a@example.com", "juliet@", "a@b@c", "juliet@exa mple.com", "a&b@c", "a'b@c", "a:b@c", "a<b@c",
		long + "@example.com", "a@" + long, "a@example.com/" + long, "a@b..c", "a@.b", "a@-b", "a\x00@b", "a@b/\x00", "a@b/\xff",
		strings.Repeat("é", 512) + "@example.com", "a@[::1", "a@[127.0.0.1]", "a@b_c", "a@b\u3002/\x7f",
	} {
		if j, err := Parse(in); err == nil {
			t.Errorf("Parse(%.40q) = %q, want an error", in, j)
		}
	}
}

func TestComparable(t *testing.T) {
	t.Parallel()
	a, b := MustParse("Juliet@Example.com/x"), MustParse("juliet@example.com/x")
	if a != b {
		t.Error("equal addresses differ")
	}
	m := map[JID]int{a: 1}
	if m[b] != 1 || m[b.Bare()] != 0 {
		t.Error("map key")
	}
	r, err := a.WithResource("é")
	if err != nil || r != MustParse("juliet@example.com/é") {
		t.Errorf("WithResource = %q, %v", r, err)
	}
	if a.Host() != MustParse("example.com") || !a.Host().IsHost() || a.IsHost() || (JID{}).IsHost() {
		t.Error("Host")
	}
}

func TestFastPathAgrees(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a@b.c/d", "x--y@ex.org", "a.b-c_d~e@ex-am.ple", "k/L M", "1.example", "a@b/ x "} {
		fast, ok := parseASCII(s)
		if !ok {
			continue
		}
		l, d, r, err := split(s)
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if slow, err := normalise(l, d, r); err != nil || slow != fast {
			t.Errorf("%q: fast %q, slow %q %v", s, fast, slow, err)
		}
	}
}

// Parsing the result of New returns the same parts.
func TestNewKeepsParts(t *testing.T) {
	t.Parallel()
	for _, parts := range [][3]string{
		{"a", "b.c", "d"}, {"", "b.c", "d"}, {"a", "b.c", ""}, {"A", "B.c", "D"}, {"a", "b.c.", "d"}, {"", "b.c", "d/e@f"}, {"ß", "b.c", ""},
		{"a@b", "c.d", ""}, {"", "a@b.c", ""}, {"a", "b.c/d", ""}, {"a/b", "c.d", ""}, {"a", "", "b"}, {"a", "b/c", "d"}, {"a@b/c", "d.e", ""},
		{strings.Repeat("a", MaxPart+1), "b.c", ""}, {"a", "b.c", strings.Repeat("d", MaxPart+1)}, {strings.Repeat("a", 1<<16), "b.c", ""},
	} {
		fast, err := New(parts[0], parts[1], parts[2])
		slow, slowly := normalise(parts[0], parts[1], parts[2])
		if fast != slow || (err == nil) != (slowly == nil) {
			t.Errorf("%.30q: %q %v, normalised %q %v", parts, fast, err, slow, slowly)
		}
	}
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	// XEP-0106 §5
	for raw, escaped := range map[string]string{
		"space cadet":         `space\20cadet`,
		`call me "ishmael"`:   `call\20me\20\22ishmael\22`,
		"at&t guy":            `at\26t\20guy`,
		"d'artagnan":          `d\27artagnan`,
		"/.fanboy":            `\2f.fanboy`,
		"::foo::":             `\3a\3afoo\3a\3a`,
		"<foo>":               `\3cfoo\3e`,
		"user@host":           `user\40host`,
		`c:\net`:              `c\3a\net`,
		`c:\\net`:             `c\3a\\net`,
		`c:\cool stuff`:       `c\3a\cool\20stuff`,
		`c:\5commas`:          `c\3a\5c5commas`,
		`\3and\2is\5cool`:     `\5c3and\2is\5c5cool`,
		"t024be7ld-u023becgf": "t024be7ld-u023becgf",
	} {
		if got := Unescape(escaped); got != raw {
			t.Errorf("Unescape(%q) = %q, want %q", escaped, got, raw)
		}
	}
}

func TestAllocs(t *testing.T) {
	s := "juliet@example.com/balcony"
	if n := testing.AllocsPerRun(100, func() {
		j, _ := Parse(s)
		_ = j.Bare()
		_ = j.Host()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a@b/c", "Σ@ex.org/x", "a@[::1]", "xn--a@b", "ß@ß"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		j, err := Parse(s)
		if err != nil {
			return
		}
		if k, err := Parse(j.String()); err != nil || k != j {
			t.Fatalf("%q -> %q -> %q %v", s, j, k, err)
		}
		if len(j.Local()) > MaxPart || len(j.Domain()) > MaxPart || len(j.Resource()) > MaxPart || j.Domain() == "" {
			t.Fatalf("%q: part sizes", s)
		}
		if fast, ok := parseASCII(s); ok {
			l, d, r, err := split(s)
			if err != nil {
				t.Fatal(err)
			}
			if slow, err := normalise(l, d, r); err != nil || slow != fast {
				t.Fatalf("%q: fast %q slow %q %v", s, fast, slow, err)
			}
		}
	})
}

func FuzzNew(f *testing.F) {
	for _, parts := range [][3]string{{"a", "b", "c"}, {"Σ", "ex.org", "x"}, {"", "[::1]", ""}, {"a@b", "c/d", "@/"}, {"a", "xn--a", ""}, {"a", "b.", " "}} {
		f.Add(parts[0], parts[1], parts[2])
	}
	f.Fuzz(func(t *testing.T, local, domain, resource string) {
		fast, err := New(local, domain, resource)
		slow, slowly := normalise(local, domain, resource)
		if fast != slow || (err == nil) != (slowly == nil) {
			t.Fatalf("%q %q %q: %q %v, normalised %q %v", local, domain, resource, fast, err, slow, slowly)
		}
		if err != nil {
			return
		}
		if again, err := Parse(fast.String()); err != nil || again != fast {
			t.Fatalf("%q %q %q: %q is read as %q %v", local, domain, resource, fast, again, err)
		}
	})
}
