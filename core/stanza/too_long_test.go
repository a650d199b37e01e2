package stanza

import (
	"strings"
	"testing"
)

func TestTooLong(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("a", 100000): "This message is too long: 100,000 of 40,000 characters.",
		strings.Repeat("ä", 50000):  "This message is too long: 100,000 of 40,000 bytes.",
	} {
		if got := TooLong("message", text, 40000); got.Text != want || got.Condition != "not-acceptable" {
			t.Errorf("%+v", got)
		}
	}
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
}
