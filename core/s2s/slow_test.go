package s2s

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

// A server that has authenticated, and then sends its stanza one byte after the other, is refused when that takes too long. Others notice nothing.
func TestSlowAfterAuthentication(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) { o.Limits.Element = time.Second })
	b := newNode(t, n, "b.test", nil)
	p := a.authenticated()
	ended := make(chan string, 1)
	go func() {
		for _, c := range "<message from='x@evil.test' to='romeo@a.test'><body>" + strings.Repeat("x", 10_000) {
			if _, err := p.Conn.Write([]byte(string(c))); err != nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	go func() {
		got, _ := p.Remains()
		ended <- got
	}()
	for got := ""; got == ""; {
		b.send("romeo@a.test", "juliet@b.test/y", "meanwhile")
		a.wants("juliet@b.test/y", "meanwhile")
		select {
		case got = <-ended:
			if !strings.Contains(got, "<connection-timeout ") {
				t.Errorf("got %q", got)
			}
		case <-time.After(50 * time.Millisecond):
		}
	}
	rawstream.Eventually(t, "it is counted", func() bool { return a.server.Counters.LimitCounters.SlowElement.Load() == 1 })
	a.quiet()
}

// A server that has authenticated and reads nothing is refused after the same time, long before its queue is full.
func TestCVE_2010_0305_NeverReads(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", func(o *Config) {
		o.Limits.Element, o.Limits.Rate = time.Second, -1
		o.Limits.Queue = 256 << 20
	})
	b := newNode(t, n, "b.test", nil)
	stalled := make(chan struct{})
	t.Cleanup(func() { close(stalled) })
	var connections atomic.Int32
	reached(t, n, "slow.test", func(p *rawstream.Peer) {
		if connections.Add(1) > 1 {
			<-stalled
			return
		}
		if c, ok := p.Conn.(*net.TCPConn); ok {
			_ = c.SetReadBuffer(4 << 10)
		}
		answerTLS(p, "slow.test", n.ca.sign(t, nil, "slow.test"), offerDialback)
		p.Until("</db:result>")
		p.Send("<db:result from='slow.test' to='a.test' type='valid'/>")
		<-stalled
	})
	text := strings.Repeat("x", 100_000)
	rawstream.Eventually(t, "the connection with it is closed", func() bool {
		a.send("x@slow.test", "romeo@a.test/x", text)
		b.send("romeo@a.test", "juliet@b.test/y", "meanwhile")
		for {
			if st := a.arrived.next(t); st.Body() == "meanwhile" {
				break
			}
		}
		return a.server.Counters.LimitCounters.SlowElement.Load() == 1
	})
}
