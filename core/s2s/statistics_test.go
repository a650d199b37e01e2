package s2s

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

// The numbers follow what the connections do: made, used in both directions, waited for, failed, cut.
func TestStatistics(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := newNode(t, n, "a.test", nil), newNode(t, n, "b.test", nil)
	c := newNode(t, n, "c.test", bidiWanted)
	if got := a.server.Statistics(); got != (Statistics{}) {
		t.Errorf("before anything: %+v", got)
	}
	link := newRelay(t, b.addr)
	n.set("b.test", host{addr: link.l.Addr().String()})
	n.set("mute.test", host{hangs: true})
	a.send("juliet@b.test", "romeo@a.test/x", "1")
	b.wants("romeo@a.test/x", "1")
	c.send("romeo@a.test", "mercutio@c.test/x", "2")
	a.wants("mercutio@c.test/x", "2")
	a.send("mercutio@c.test", "romeo@a.test/x", "3") // back on the same connection
	c.wants("romeo@a.test/x", "3")
	a.send("x@mute.test", "romeo@a.test/x", "waits")
	a.send("x@missing.test", "romeo@a.test/x", "lost")
	a.wantsError("lost", "remote-server-not-found")
	rawstream.Eventually(t, "all is acknowledged", func() bool {
		for _, l := range a.server.links.list() { // an acknowledgement is requested a while later
			l.mu.Lock()
			if l.conn != nil {
				if m := l.conn.management.Load(); m != nil {
					m.ask()
				}
			}
			l.mu.Unlock()
		}
		got := a.server.Statistics()
		got.QueuedBytes, got.WaitingBytes = 0, min(got.WaitingBytes, 1)
		return got == Statistics{Domains: 2, In: 1, Out: 1, Both: 1, Connecting: 1, Failing: 1, Waiting: 1, WaitingBytes: 1}
	})
	n.set("b.test", host{hangs: true})
	a.send("juliet@b.test", "romeo@a.test/x", "4")
	cutAll(link)
	rawstream.Eventually(t, "the other server knows a stream that was cut", func() bool { return b.server.Statistics().ResumableIn == 1 })
	rawstream.Eventually(t, "the connection is made again", func() bool {
		got := a.server.Statistics()
		return got.Out == 0 && got.Connecting == 2 && got.Domains == 1
	})
}
