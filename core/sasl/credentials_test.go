package sasl

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeysEncode(t *testing.T) {
	t.Parallel()
	c := credentials(t, "pencil")
	for h := range hashes {
		k := c.Keys[h]
		back, err := ParseKey(h, k.Encode())
		if err != nil || !cmp.Equal(k, back) {
			t.Error(err, cmp.Diff(k, back))
		}
		if _, err := ParseKey((h+1)%hashes, k.Encode()); err == nil {
			t.Errorf("a key of %s for another hash", h)
		}
	}
	var none Key
	if none.Encode() != "" || none.Set() {
		t.Error("no key is something")
	}
	if k, err := ParseKey(SHA1, ""); err != nil || k.Set() {
		t.Error(err)
	}
	good := c.Keys[SHA1].Encode()
	parts := strings.Split(good, ":")
	for _, bad := range []string{"x", good + ":", "0:" + strings.Join(parts[1:], ":"), "-1:" + strings.Join(parts[1:], ":"), "99999999:" + strings.Join(parts[1:], ":"), "x:" + strings.Join(parts[1:], ":"),
		parts[0] + "::" + strings.Join(parts[2:], ":"), parts[0] + ":?:" + strings.Join(parts[2:], ":"), parts[0] + ":" + strings.Repeat("AAAA", 100) + ":" + strings.Join(parts[2:], ":")} {
		if _, err := ParseKey(SHA1, bad); err == nil {
			t.Errorf("%q", bad)
		}
	}
	if _, err := ParseKey(hashes, good); err == nil {
		t.Error("no such hash")
	}
}

func TestKeysStayOutOfLogs(t *testing.T) {
	t.Parallel()
	c := credentials(t, "pencil")
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "c", c, "k", c.Keys[SHA1])
	fmt.Fprintf(&b, "%v %+v %s", c, c.Keys, c.Keys[SHA256])
	if !strings.Contains(b.String(), "hidden") || strings.Contains(b.String(), "10000") || strings.Contains(b.String(), "4096") {
		t.Error(b.String())
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	c := credentials(t, "pencil")
	if !c.Check("pencil") || c.Check("pencil2") || c.Check("") || c.Check("\x00") {
		t.Error("check")
	}
	if (&Credentials{}).Check("") || (&Credentials{}).Check("x") {
		t.Error("nothing checks")
	}
	c.Keys[SHA256].ServerKey[0] ^= 1
	if c.Check("pencil") {
		t.Error("half a key is enough")
	}
	for _, iterations := range []int{0, -1, maxIterations + 1} {
		if _, err := NewCredentials("pencil", iterations); err == nil {
			t.Error(iterations)
		}
	}
}

// The first rows are the examples of RFC 4013 §3.
func TestPrepare(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"I\u00adX": "IX", "user": "user", "USER": "USER", "\u00aa": "a", "\u2168": "IX",
		"a\u00a0b\u3000c": "a b c", "pass word": "pass word", "\ufb01": "fi", "e\u0301": "\u00e9", "😀": "😀", "\u0627\u0628": "\u0627\u0628", "\u06271\u0628": "\u06271\u0628", "x\ufe0f": "x",
	} {
		if got, err := Prepare(in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{"\u0007", "\u06271", "", "\u00ad", "a\u0627", "\u0627a\u0628", "\x7f", "\u0080", "\ue000", "\ufffe", "\ufdd0", "\U000e0001", "\u202e", "\ufffd", "\xff", "a\xc3", "\u2ff0", "\U0001d173", "\U0010fffd", strings.Repeat("x", 1024)} {
		if got, err := Prepare(in); !errors.Is(err, ErrPassword) {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	if _, err := NewCredentials("\u0007", 4096); !errors.Is(err, ErrPassword) {
		t.Error(err)
	}
}
