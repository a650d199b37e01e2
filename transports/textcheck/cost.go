package textcheck

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

const (
	growth   = 16                   // by how much the longer text is longer
	tooMuch  = growth / 3           // by how much more each byte may take there; where the cost is quadratic it takes growth times as much
	enough   = 6 * time.Millisecond // of a measurement
	attempts = 4                    // of which one has to hold: the memory's caches are shared with other processes
)

// Linear fails where a conversion takes more time for a longer text than in proportion to its length. It compares
// the processor time for a text of growth times size bytes with that for as many bytes in texts of size bytes.
func Linear(t *testing.T, size int, units []string, convert func(text string)) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, unit := range units {
		text := func(n int) string { return strings.Repeat(unit, 1+n/len(unit)) }
		short, long := text(size), text(growth*size)
		var ratio float64
		for range attempts {
			if ratio = compare(short, long, convert); ratio < tooMuch {
				break
			}
		}
		if ratio >= tooMuch {
			t.Errorf("each byte of %.20q takes %.1f times as long among %d bytes as among %d", unit, ratio, len(long), len(short))
		}
	}
}

// compare is by how much longer a byte of the long text takes than one of the short text.
func compare(short, long string, convert func(text string)) float64 {
	var ofShort, ofLong time.Duration
	for rounds := 1; ofShort < enough && ofLong < growth*enough; rounds *= 2 {
		ofShort = repeat(growth*rounds, short, convert)
		ofLong = repeat(rounds, long, convert)
	}
	return float64(ofLong) / float64(max(ofShort, enough/2))
}

func repeat(times int, text string, convert func(text string)) time.Duration {
	began := used()
	for range times {
		convert(text)
	}
	return used() - began
}

// Units are texts that cost much where they are repeated.
func Units() []string {
	return []string{
		"*_~", "*_~ ", "*a _b ", "*a* ", "_*~`", "`", "``", "`a``b```c", "```", "```\n", "```a\n", "```\n```\n", "> ", ">", ">\n", "> > a\n", "*", "**", "a* ", " *a",
		"\n", " ", "a\n", "a ", "http://", "http://,", "https://e.org/a ", "https://e.org/", "[", "[a](", "](", "[a](https://e.org) ", "<", "<a", "<a>", "<@1> ", "<@U1> ", "<#C1|x>", "<!here>",
		"&gt;", "&", "&gt; ", "\\", "||", "||a", "~~x", "__", "- a\n", "  - a\n", "1. a\n", "# ", "# a\n", ">>> ", "-# a\n", ":", ":a", ":smile:", "@", "@everyone", "\x02", "\x021\x03",
		"e\u0301", "\u200d", "🇩🇪", "👍🏽",
	}
}
