package abuse

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
)

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Entries are addresses and domains, as they are or as hashes, as ejabberd's and Prosody's lists have them.
func TestLists(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "list")
	text := "# spam\n\nspam.example\r\nEve@Mail.example  since 2024\n" + hash("mallory@other.example") + "\n" + strings.ToUpper(hash("hashed.example")) + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := NewLists()
	if l.Has(jid.MustParse("a@spam.example")) {
		t.Error("an empty list")
	}
	if err := l.Read(file); err != nil || l.Len() != 4 {
		t.Fatal(l.Len(), err)
	}
	for address, want := range map[string]bool{
		"spam.example": true, "x@spam.example/y": true, "x@sub.spam.example": false, "eve@mail.example/x": true, "adam@mail.example": false,
		"mallory@other.example": true, "other.example": false, "a@hashed.example": true, "hashed.example/r": true,
	} {
		if got := l.Has(jid.MustParse(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	for _, bad := range []string{"a@b@c", "a@b.example/resource", strings.Repeat("g", 64), "@"} {
		if err := os.WriteFile(file, []byte("ok.example\n"+bad+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.Read(file); err == nil || !strings.Contains(err.Error(), "line 2") || l.Len() != 4 {
			t.Errorf("%q: %v, %d entries", bad, err, l.Len())
		}
	}
	if err := l.Read(); err != nil || l.Len() != 0 {
		t.Error(l.Len(), err)
	}
}

func FuzzParseEntry(f *testing.F) {
	for _, seed := range []string{"a.example", "a@b.example", hash("x"), "", "a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = parseEntry(text)
	})
}
