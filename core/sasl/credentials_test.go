package sasl

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestKeysValid(t *testing.T) {
	t.Parallel()
	c := credentials(t, "pencil")
	for h := range hashes {
		k := c.Keys[h]
		if err := k.Valid(h); err != nil {
			t.Error(err)
		}
		if k.Valid((h+1)%hashes) == nil {
			t.Errorf("a key of %s for another hash", h)
		}
	}
	if c.Keys[SHA1].Valid(hashes) == nil {
		t.Error("no such hash")
	}
	for name, spoil := range map[string]func(*Key){
		"no iterations":       func(k *Key) { k.Iterations = 0 },
		"less than none":      func(k *Key) { k.Iterations = -1 },
		"too many iterations": func(k *Key) { k.Iterations = 99_999_999 },
		"no salt":             func(k *Key) { k.Salt = nil },
		"a long salt":         func(k *Key) { k.Salt = make([]byte, 300) },
		"half a stored key":   func(k *Key) { k.StoredKey = k.StoredKey[:10] },
		"no server key":       func(k *Key) { k.ServerKey = nil },
		"no key and no salt":  func(k *Key) { *k = Key{Iterations: 4096} },
	} {
		k := c.Keys[SHA1]
		spoil(&k)
		if k.Valid(SHA1) == nil {
			t.Error(name)
		}
	}
	var none Key
	if none.Set() {
		t.Error("an empty key is valid")
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
		t.Error("Check succeeds without keys")
	}
	c.Keys[SHA256].ServerKey[0] ^= 1
	if c.Check("pencil") {
		t.Error("Check succeeds although one of StoredKey and ServerKey is wrong")
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
