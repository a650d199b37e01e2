package s2s

import (
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// tally is a domain that counts what it gets.
type tally struct{ n atomic.Int64 }

func (c *tally) Deliver(*stanza.Stanza) { c.n.Add(1) }

// withoutRate reads as fast as possible.
func withoutRate(c *Config) {
	c.Limits.Rate = -1
	c.Outbox = nil
	c.Limits.Connections, c.Limits.Arrivals, c.Limits.Pending = 1000, 1000, 1000
}

// BenchmarkServers measures messages of 64 bytes from one server, or from a hundred, to another one over TLS. The CPU time is that of both
// sides: routing, writing, encryption, decryption, parsing, checking.
func BenchmarkServers(b *testing.B) {
	for _, servers := range []int{1, 100} {
		for _, together := range []int{1, 20} {
			b.Run(fmt.Sprintf("servers=%d/together=%d", servers, together), func(b *testing.B) { benchmarkServers(b, servers, together) })
		}
	}
}

// benchmarkServers sends some messages at a time from each server in turn.
func benchmarkServers(b *testing.B, servers, together int) {
	const window = 2000
	n := newNetwork(b)
	receiver := newNode(b, n, "b.test", withoutRate)
	got := &tally{}
	if err := receiver.router.Attach(jid.MustParse("rooms.b.test"), got); err != nil {
		b.Fatal(err)
	}
	n.set("rooms.b.test", host{addr: receiver.addr})
	type sender struct {
		*node
		batch *router.Batch
		from  jid.JID
	}
	senders := make([]sender, servers)
	for i := range senders {
		o := newNode(b, n, fmt.Sprintf("a%d.test", i), withoutRate)
		senders[i] = sender{o, router.NewBatch(b.Context()), jid.MustParse("romeo@" + o.domain + "/x")}
	}
	to := jid.MustParse("juliet@rooms.b.test/y")
	body := stanza.Encode(stanza.TextElement("", "body", strings.Repeat("x", 64)))
	sent := int64(0)
	send := func(s sender, count int) {
		for range count {
			s.router.RouteIn(s.batch, &stanza.Stanza{Kind: stanza.Message, Type: "chat", To: to, From: s.from, ID: "0123456789", Payload: body})
		}
		s.batch.Flush()
		sent += int64(count)
	}
	wait := func(most int64) {
		for deadline := time.Now().Add(time.Minute); sent-got.n.Load() > most; time.Sleep(100 * time.Microsecond) {
			if time.Now().After(deadline) {
				b.Fatalf("%d of %d have arrived", got.n.Load(), sent)
			}
		}
	}
	for _, s := range senders { // the connections are made
		send(s, 1)
	}
	wait(0)
	b.ReportAllocs()
	b.ResetTimer()
	before := usedTime(b)
	for i := 0; i < b.N; i += together {
		send(senders[i/together%servers], together)
		wait(window)
	}
	wait(0)
	b.ReportMetric(float64((usedTime(b)-before).Nanoseconds())/1000/float64(b.N), "µs-CPU/op")
}

// usedTime is the CPU time that this process has used.
func usedTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
