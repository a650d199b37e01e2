package demo

import (
	"testing"
)

func TestPasswords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		p := newPassword()
		if len(p) != 14 || p[4] != '-' || p[9] != '-' || seen[p] {
			t.Fatalf("password %q", p)
		}
		seen[p] = true
	}
}
