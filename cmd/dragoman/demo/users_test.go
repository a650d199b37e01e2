package demo

import (
	"strings"
	"testing"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, p := range append(append([]*user(nil), slackUsers...), discordUsers...) {
		for i := range 2 * len(p.answers) {
			text := p.answer(i, "Robin Adler", "How <b>tremendously</b> kind, "+strings.Repeat("x", 1000))
			if !strings.Contains(text, "tremendously") || strings.ContainsAny(text, "{}") || strings.Contains(text, "Adler") {
				t.Errorf("%s answers %q", p.name, text)
			}
			if wrong := withTypo(text); wrong == text || len(wrong) < len(text) {
				t.Errorf("withTypo(%q) = %q", text, wrong)
			}
		}
	}
	for text, want := range map[string]string{"": "that", "…!?": "that", "a bc d": "bc", "no naïve ones": "naïve"} {
		if got := longestWord(text); got != want {
			t.Errorf("longestWord(%q) = %q, want %q", text, got, want)
		}
	}
	if got := withTypo("aa aa"); got != "aa aa." {
		t.Errorf("withTypo gave %q", got)
	}
}
