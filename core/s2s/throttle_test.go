package s2s

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

// A domain with limits of its own sends smaller stanzas than others; all its connections share one rate, and other domains are not delayed.
func TestDomainLimits(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) {
		o.Policy.Domains = map[string]Rule{"evil.test": {Limits: NewDomainLimits(50_000, 20_000, 20_000)}}
	})
	b := newNode(t, n, "b.test", nil)
	message := func(bytes int) string {
		return "<message from='x@evil.test' to='romeo@a.test'><body>" + strings.Repeat("y", bytes) + "</body></message>"
	}
	p, q := a.authenticated(), a.authenticated()
	begin := time.Now()
	p.Send(message(20_000))
	a.arrived.next(t)
	rawstream.Eventually(t, "the first connection waits", func() bool { return a.server.Counters.Throttled.Load() == 1 }) // or the other one would be first
	q.Send(message(20_000) + message(10))
	a.arrived.next(t)
	b.send("romeo@a.test", "juliet@b.test/y", "meanwhile")
	for seen := 0; seen < 2; {
		if st := a.arrived.next(t); st.Body() == "meanwhile" || strings.HasPrefix(st.Body(), "yy") {
			seen++
		}
	}
	// 40,000 bytes of which 20,000 come at once: the other connection has waited for one second.
	if took := time.Since(begin); took < 900*time.Millisecond || a.server.Counters.Throttled.Load() == 0 {
		t.Errorf("took %v, %d waits", took, a.server.Counters.Throttled.Load())
	}
	p.Send(message(60_000))
	if got, _ := p.Remains(); !strings.Contains(got, "<stanza-too-big ") && !strings.Contains(got, "<policy-violation ") {
		t.Errorf("got %q", got)
	}
	rawstream.Eventually(t, "the connection is counted as ended by its limit", func() bool {
		return a.server.Counters.LimitCounters.Stanza.Bytes.Load() > 0
	})
}
