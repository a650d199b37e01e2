package textcheck

import (
	"runtime"
	"strings"
	"testing"
)

// plainUnit is a line of plain text.
const plainUnit = "Shall we meet at the station at eight? The train leaves ten minutes later.\n"

// benchmarked is how many characters the texts of a benchmark have.
const benchmarked = 4000

// Bench measures a conversion of texts of 4,000 characters: plain ones, ordinary marked ones of a form that the caller knows, and the
// one of Units that takes longest.
func Bench(b *testing.B, styled string, convert func(text string)) {
	b.Helper()
	for name, unit := range map[string]string{
		"plain":  plainUnit,
		"styled": styled,
	} {
		b.Run(name, func(b *testing.B) { measure(b, sized(unit), convert) })
	}
	b.Run("worst", func(b *testing.B) {
		worst, most := "", int64(0)
		for _, unit := range Units() {
			text := sized(unit)
			began := used()
			for range 5 {
				convert(text)
			}
			if took := int64(used() - began); took > most {
				worst, most = text, took
			}
		}
		b.Logf("%.20q", worst)
		measure(b, worst, convert)
	})
}

func sized(unit string) string { return strings.Repeat(unit, 1+benchmarked/len(unit))[:benchmarked] }

// measure reports the processor time as well: on a machine that does other things too it is that which counts.
func measure(b *testing.B, text string, convert func(text string)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.ReportAllocs()
	began := used()
	for b.Loop() {
		convert(text)
	}
	b.ReportMetric(float64(used()-began)/float64(b.N), "cpu-ns/op")
}
