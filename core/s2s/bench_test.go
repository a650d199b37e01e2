package s2s

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// counted is a destination that only counts.
type counted struct{ n atomic.Int64 }

func (c *counted) Deliver(*stanza.Stanza) { c.n.Add(1) }

func (c *counted) await(t testing.TB, n int64) {
	t.Helper()
	for limit := time.Now().Add(rawstream.Timeout); c.n.Load() < n; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d of %d stanzas", c.n.Load(), n)
		}
	}
}

// BenchmarkLink sends messages of 64 bytes to another server over TLS; the work of both servers counts.
func BenchmarkLink(b *testing.B) {
	for name, resume := range map[string]time.Duration{"managed": 0, "plain": -1} {
		b.Run(name, func(b *testing.B) {
			n := newNetwork(b)
			change := func(o *Config) { o.Limits.Resume, o.Limits.Rate, o.Limits.Queue = resume, -1, 256<<20 }
			from, to := newNode(b, n, "a.test", change), newNode(b, n, "b.test", change)
			got := &counted{}
			if err := to.router.Attach(jid.MustParse("c.b.test"), got); err != nil {
				b.Fatal(err)
			}
			n.set("c.b.test", host{addr: to.addr})
			st := stanza.NewMessage(jid.MustParse("x@c.b.test"), jid.MustParse("romeo@a.test/x"), stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", "0123456789012345678901234567890123456789012345678901234567890123"))
			from.router.Route(st)
			got.await(b, 1)
			batch := router.NewBatch(b.Context())
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				from.router.RouteIn(batch, st)
				if i%20 == 19 {
					batch.Flush()
				}
				if i%2000 == 1999 {
					batch.Flush()
					got.await(b, int64(i)-1000)
				}
			}
			batch.Flush()
			got.await(b, int64(b.N)+1)
		})
	}
}

// Sending a stanza that is not kept to another server makes no garbage.
func TestAllocSend(t *testing.T) {
	n := newNetwork(t)
	a := newNode(t, n, "a.test", withoutOutbox)
	reached(t, n, "b.test", func(p *rawstream.Peer) {
		answerTLS(p, "b.test", n.ca.sign(t, nil, "b.test"), offerDialback)
		p.Until("</db:result>")
		p.Send("<db:result from='b.test' to='a.test' type='valid'/>")
		buf := make([]byte, 64<<10)
		for {
			if _, err := p.Read(buf); err != nil {
				return
			}
		}
	})
	st := stanza.NewMessage(jid.MustParse("x@b.test"), jid.MustParse("romeo@a.test/x"), stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", "hello"))
	a.router.Route(st)
	rawstream.Eventually(t, "the link is up", func() bool { return a.server.Counters.Out.Load() == 1 })
	batch := router.NewBatch(t.Context())
	got := testing.AllocsPerRun(2000, func() {
		for range 10 {
			a.router.RouteIn(batch, st)
		}
		batch.Flush()
	})
	if got > 2 && !raceDetector { // for ten stanzas; the other end of the connection is counted, too
		t.Errorf("%.1f allocations for ten stanzas", got)
	}
}
