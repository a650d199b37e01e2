package sasl

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// cheap returns a server whose hashing does not slow fuzzing down.
func cheap(tb testing.TB) *Server {
	tb.Helper()
	c, err := NewCredentials("pencil", 1)
	if err != nil {
		tb.Fatal(err)
	}
	s := server(tb, users{"alice": c})
	s.cfg.Iterations = 1
	return s
}

// conditionOf fails the test where an error is no Failure.
func conditionOf(t *testing.T, err error) Condition {
	t.Helper()
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		t.Fatal("not a failure:", err)
	}
	return f.Condition
}

// FuzzSCRAM: whatever is sent, only a correct proof authenticates, and what is
// accepted as a first message has the form of RFC 5802 §7.
func FuzzSCRAM(f *testing.F) {
	f.Add("n,,n=alice,r=cnonce", "c=biws,r=cnonce,p=AAAA")
	f.Add("y,a=alice@example.org,n=alice,r=cnonce,x=1", "c=eSxhPWFsaWNlQGV4YW1wbGUub3JnLA==,r=x,x=1,p=")
	f.Add("p=tls-exporter,,n=a=2Cb=3D,r=cnonce", "c=cD10bHMtZXhwb3J0ZXIsLGV4cG9ydGVk,r=cnonce,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")
	s := cheap(f)
	f.Fuzz(func(t *testing.T, first, final string) {
		for _, m := range []string{ScramSHA1, ScramSHA256Plus} {
			x, err := s.Begin(m, bound)
			if err != nil {
				t.Fatal(err)
			}
			out, done, err := x.Step(t.Context(), []byte(first))
			if err != nil {
				conditionOf(t, err)
				continue
			}
			parts := strings.SplitN(first, ",", 3)
			if done || !utf8.ValidString(first) || len(parts) != 3 || !strings.HasPrefix(parts[2], "n=") || !strings.Contains(parts[2], ",r=") {
				t.Fatalf("%q accepted: %q", first, out)
			}
			if (parts[0][0] == 'p') != strings.HasSuffix(m, plus) {
				t.Fatalf("%q accepted for %s", first, m)
			}
			nonce := strings.Split(strings.TrimPrefix(string(out), "r="), ",")[0]
			if _, done, err = x.Step(t.Context(), []byte(strings.ReplaceAll(final, "r=cnonce", "r="+nonce))); done || err == nil {
				t.Fatalf("%q authenticated by %q", first, final)
			}
			conditionOf(t, err)
			if _, ok := x.Identity(); ok {
				t.Fatal("an identity without a proof")
			}
		}
	})
}

func FuzzPLAIN(f *testing.F) {
	f.Add("\x00alice\x00pencil")
	f.Add("alice@example.org\x00Alice\x00pencil")
	f.Add("\x00bob\x00pencil")
	s := cheap(f)
	f.Fuzz(func(t *testing.T, in string) {
		x, err := s.Begin(Plain, bound)
		if err != nil {
			t.Fatal(err)
		}
		_, done, err := x.Step(t.Context(), []byte(in))
		if err != nil {
			conditionOf(t, err)
			return
		}
		id, ok := x.Identity()
		parts := strings.Split(in, "\x00")
		password, prepErr := Prepare(parts[2])
		if !done || !ok || id.JID.String() != "alice@example.org" || len(parts) != 3 || prepErr != nil || password != "pencil" {
			t.Fatalf("%q authenticated as %+v", in, id)
		}
	})
}

func FuzzPrepare(f *testing.F) {
	for _, s := range []string{"pencil", "I\u00adX", "\u2168", "\u0627\u0628", "😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		once, err := Prepare(in)
		if err != nil {
			return
		}
		if !utf8.ValidString(once) || once == "" {
			t.Fatalf("%q: %q", in, once)
		}
	})
}
