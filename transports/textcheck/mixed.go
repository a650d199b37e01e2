package textcheck

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// mixed is how many texts Mixed makes.
const mixed = 20_000

// Mixed calls check with texts that are put together of pieces at random, the same ones each time.
func Mixed(pieces []string, check func(s string)) {
	random := rand.New(rand.NewPCG(1, 2))
	for range mixed {
		var b strings.Builder
		for range random.IntN(10) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		check(b.String())
	}
}

// Most is how many allocations the conversion of a plain and of a styled text may make.
type Most struct{ Plain, Styled float64 }

// Allocations fails where the conversion of a text of 4,000 characters makes more allocations than it may. styled is as in Bench.
func Allocations(t *testing.T, styled string, most Most, convert func(text string)) {
	t.Helper()
	for _, c := range []struct {
		name, text string
		most       float64
	}{{"plain", sized(plainUnit), most.Plain}, {"styled", sized(styled), most.Styled}} {
		if got := testing.AllocsPerRun(20, func() { convert(c.text) }); got > c.most {
			t.Errorf("a %s text of %d characters takes %.0f allocations, more than %.0f", c.name, benchmarked, got, c.most)
		}
	}
}
