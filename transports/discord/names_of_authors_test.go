package discord

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
)

func offline(t testing.TB) *client {
	t.Helper()
	n, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return newClient(n, transports.Login{}, credentials{Bot: "1", App: "2"}, nil)
}

func TestPersonaNames(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"Clyde", "my discord name", "discorddiscord", "", "everyone", "Here", "ann@example.org", "#1: ```x```", "\x00\n", strings.Repeat("é", 200), "  x "} {
		got := authorName(in)
		low := strings.ToLower(got)
		if strings.Contains(low, "clyde") || strings.Contains(low, "discord") || strings.ContainsAny(low, "@#:`\n\x00") || low == "everyone" || low == "here" || len([]rune(got)) > maxAuthorName || got == "" {
			t.Errorf("%q -> %q", in, got)
		}
	}
}

func TestNonceKeepsTheRandomPart(t *testing.T) {
	t.Parallel()
	a, b := nonce("019ab000-0000-7000-8000-0123456789ab", 0), nonce("019ab000-0000-7000-8000-0123456789ac", 0)
	if len(a) != maxNonce || a == b {
		t.Errorf("%q %q", a, b)
	}
}
