package s2s

import (
	"net"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

// Other servers that do not read use up the common limit of their queues; a server that reads gets all that is sent to it. What they hold is
// given back when their connections end.
func TestCVE_2010_0305_SlowServersTogether(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) { o.Limits.Queue, o.Limits.Queues = 64<<20, 1<<20 })
	b := newNode(t, n, "b.test", nil)
	stalled := make(chan struct{})
	slow := []string{"slow1.test", "slow2.test", "slow3.test"}
	for _, domain := range slow {
		reached(t, n, domain, func(p *rawstream.Peer) {
			if c, ok := p.Conn.(*net.TCPConn); ok {
				_ = c.SetReadBuffer(4 << 10)
			}
			answerTLS(p, domain, n.ca.sign(t, nil, domain), offerDialback)
			p.Until("</db:result>")
			p.Send("<db:result from='" + domain + "' to='a.test' type='valid'/>")
			<-stalled
		})
	}
	a.send("juliet@b.test", "romeo@a.test/x", "connect")
	b.wants("romeo@a.test/x", "connect")
	text := strings.Repeat("x", 100_000)
	rawstream.Eventually(t, "the limit is reached by each of them", func() bool {
		refused := 0
		for _, domain := range slow {
			a.send("x@"+domain, "romeo@a.test/x", text)
			select {
			case st := <-a.arrived:
				if e := st.Err(); e == nil || e.Condition != "resource-constraint" {
					t.Fatalf("got %s", st)
				}
				refused++
			default:
			}
		}
		a.send("juliet@b.test", "romeo@a.test/x", "meanwhile")
		b.wants("romeo@a.test/x", "meanwhile")
		return refused == len(slow)
	})
	if k := &a.server.Counters; k.LimitCounters.Held.Load() == 0 || k.Slow.Load() != 0 {
		t.Errorf("limits reached: %d together, %d alone", k.LimitCounters.Held.Load(), k.Slow.Load())
	}
	close(stalled)
	rawstream.Eventually(t, "nothing is held any more", func() bool {
		a.server.recount()
		return a.server.links.held.total.Load() == 0
	})
}
