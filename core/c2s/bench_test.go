package c2s

import (
	"context"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// sinkhole is a connection that swallows what is written and has nothing to read.
type sinkhole struct{ net.Conn }

func (sinkhole) Write(b []byte) (int, error)      { return len(b), nil }
func (sinkhole) SetWriteDeadline(time.Time) error { return nil }
func (sinkhole) SetReadDeadline(time.Time) error  { return nil }
func (sinkhole) Close() error                     { return nil }
func (sinkhole) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// feed gives one stanza after the other, for ever, some at a time.
type feed struct {
	text string
	at   int
	// between is called before each read, as the reader of a connection does.
	between func()
}

func (f *feed) Read(p []byte) (int, error) {
	f.between()
	n := copy(p, f.text[f.at:])
	f.at = (f.at + n) % len(f.text)
	return n, nil
}

// way is a stanza's way from the bytes that came to those that go, without sockets.
func way(tb testing.TB) (step func()) {
	p := newPlace(tb, func(c *Config) { c.Plain, c.Limits.Queue = true, 1<<30 })
	bindTo := func(full string) *conn {
		c := newConn(p.server, sinkhole{}, netip.Addr{})
		c.who, c.host = jidOf(full).Bare(), p.server.first
		s, refusal := c.claim(jidOf(full).Resource())
		if refusal != nil {
			tb.Fatal(refusal)
		}
		s.attach(c, stanza.NewPresence(s.jid, s.jid, ""))
		s.bound.SetPresence(&router.Presence{})
		tb.Cleanup(func() { s.end(context.Background()); c.queue.Wait() })
		return c
	}
	bindTo("juliet@home.test/a")
	c := bindTo("romeo@home.test/x")
	text := "<message to='juliet@home.test/a' type='chat' id='abcdefgh'><body>" + strings.Repeat("x", 64) + "</body>" +
		"<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>"
	c.scanner = stream.NewScanner(io.MultiReader(strings.NewReader(open("home.test")), &feed{
		text: strings.Repeat(text, 40), between: c.batch.Flush,
	}), stanza.NSClient, stream.ForClients())
	if _, err := c.scanner.Next(); err != nil {
		tb.Fatal(err)
	}
	return func() {
		it, err := c.scanner.Next()
		if err == nil {
			err = c.item(it)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// Scan, check, route and append: two allocations, the stanza and its text.
func TestWayAllocations(t *testing.T) {
	step := way(t)
	if n := testing.AllocsPerRun(5000, step); n > 2.5 && !raceDetector {
		t.Errorf("%v allocations for a stanza", n)
	}
}

func BenchmarkWay(b *testing.B) {
	step := way(b)
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// BenchmarkIdleSession tells the memory of bound sessions that do nothing. Of the client
// only the socket is left.
func BenchmarkIdleSession(b *testing.B) {
	for _, kind := range []string{"plain", "tls"} {
		b.Run(kind, func(b *testing.B) {
			const n = 500
			p := newPlace(b, func(c *Config) { c.Plain = true; c.Limits.Sessions = -1 })
			before := inUse()
			sockets := make([]net.Conn, 0, n)
			for range n {
				c := p.dial()
				sockets = append(sockets, c.Conn)
				c.features("home.test")
				if kind == "tls" {
					c.startTLS()
					c.features("home.test")
				}
				c.scram("romeo")
				c.features("home.test")
				c.Send(bindIQ("") + "<presence/>")
				c.Until("</iq>")
				c.ping()
			}
			b.ReportMetric(float64(inUse()-before)/n, "B/session")
			b.ReportMetric(0, "ns/op")
			runtime.KeepAlive(sockets)
		})
	}
}

// inUse is what heap and stacks hold.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// BenchmarkLogin is a whole connection: stream, SCRAM, binding, end; the client's part included.
func BenchmarkLogin(b *testing.B) {
	p := newPlace(b, plain)
	b.ReportAllocs()
	for b.Loop() {
		c := p.dial()
		c.features("home.test")
		c.scram("romeo")
		c.features("home.test")
		c.Send(bindIQ(""))
		c.Until("</iq>")
		c.Send("</stream:stream>")
		c.Rest()
		c.Close()
	}
}
