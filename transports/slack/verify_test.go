package slack

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
)

// A wrong token is named when it is entered, before the others are asked for.
func TestTokensAreVerifiedOneByOne(t *testing.T) {
	w := newWorld(t)
	process, err := w.net.StartLogin(t.Context(), transports.LoginRequest{Flow: "tokens"})
	if err != nil {
		t.Fatal(err)
	}
	verifier := process.(transports.LoginVerifier)
	for _, c := range []struct{ key, token, words string }{
		{"app", w.app.Token, ""}, {"bot", w.install.Token, ""}, {"user", w.userTok, ""}, {"bot", " " + w.install.Token + "\n", ""},
		{"app", w.install.Token, "belongs in its own field"}, {"bot", w.app.Token, "belongs in its own field"}, {"bot", "hello", "begins with xoxb-"},
		{"bot", w.install.Token + "x", "does not work"}, {"user", w.userTok + "x", "does not work"},
	} {
		err := verifier.Verify(t.Context(), c.key, c.token)
		if c.words == "" && err != nil || c.words != "" && (transports.ClassOf(err) != transports.Refused || !strings.Contains(err.Error(), c.words)) {
			t.Errorf("%s: %v, want %q", c.key, err, c.words)
		}
		if err != nil && strings.Contains(err.Error(), strings.TrimSpace(c.token)) && c.token != "hello" {
			t.Errorf("the token is in %q", err)
		}
	}
}
