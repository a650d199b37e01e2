package logins_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// The configuration documents 64 hexadecimal digits, the key file holds base64.
func TestKeysAsDocumented(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("0123456789abcdef", 4)
	none := filepath.Join(t.TempDir(), "no", "file")
	keys, err := logins.LoadKeys(digits, none)
	if err != nil {
		t.Fatal(err)
	}
	again, err := logins.LoadKeys("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=, "+digits, none)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := again.Open("a", keys.Seal("a", []byte("sesame")))
	if err != nil || string(secret) != "sesame" {
		t.Errorf("%q, %v", secret, err)
	}
	if _, err := again.Open("b", keys.Seal("a", []byte("sesame"))); err == nil {
		t.Error("opened for another account")
	}
	for _, bad := range []string{digits[1:], "x" + digits[1:], digits + digits, "sesame"} {
		if _, err := logins.LoadKeys(bad, none); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
