package server

import "testing"

func TestIdleSince(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	busy := heap{cycles: 7, live: 100 * mib, held: 200 * mib}
	for name, c := range map[string]struct {
		now, before heap
		want        bool
	}{
		"a collection meanwhile": {busy, heap{cycles: 6}, false},
		"quiet":                  {busy, heap{cycles: 7}, true},
		"trimmed before":         {busy, heap{cycles: 7, trimmed: true}, false},
		"stacks freed":           {heap{cycles: 7, live: 100 * mib, held: 100 * mib, stacks: 5 * mib}, heap{cycles: 7, trimmed: true, most: 10 * mib}, true},
		"few stacks freed":       {heap{cycles: 7, live: 100 * mib, held: 100 * mib, stacks: 5 * mib}, heap{cycles: 7, trimmed: true, most: 9 * mib}, false},
		"little to give back":    {heap{cycles: 7, live: 100 * mib, held: 128 * mib}, heap{cycles: 7}, false},
		"small":                  {heap{cycles: 7, live: 2 * mib, held: 6 * mib}, heap{cycles: 7}, false},
	} {
		if got := c.now.idleSince(c.before); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
