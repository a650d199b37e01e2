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

// sinkhole is a transport that drops what is written and has nothing to read.
type sinkhole struct{ stream.Transport }

func (sinkhole) Write(b []byte) (int, error)      { return len(b), nil }
func (sinkhole) SetWriteDeadline(time.Time) error { return nil }
func (sinkhole) SetReadDeadline(time.Time) error  { return nil }
func (sinkhole) Close() error                     { return nil }

// feed is a transport on which a text arrives again and again.
type feed struct {
	sinkhole
	text   string
	rest   string
	rounds chan struct{} // each element lets the text arrive once more
	done   chan struct{} // gets an element when all that has arrived has been handled
}

func (f *feed) Read(p []byte) (int, error) {
	if f.rest == "" {
		f.done <- struct{}{}
		if _, ok := <-f.rounds; !ok {
			return 0, io.EOF
		}
		f.rest = f.text
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// testSession returns a bound and available session on a transport.
func testSession(tb testing.TB, p *testServer, full string, t stream.Transport) *conn {
	c := p.server.newConn(netip.Addr{})
	c.useTransport(t)
	c.who, c.host = jidOf(full).Bare(), p.server.first
	s, refusal := c.claim(jidOf(full).Resource(), "")
	if refusal != nil {
		tb.Fatal(refusal)
	}
	s.attach(c, func() { c.Send(stanza.NewPresence(s.jid, s.jid, "")) })
	c.Establish()
	c.SetLimits(stream.ForClients())
	s.port.(*router.Bound).SetPresence(&router.Presence{})
	tb.Cleanup(func() { s.end(context.Background()); c.Queue().Wait() })
	return c
}

// stanzaPath returns a function that passes one stanza from the sender's bytes to the receiver's queue, without sockets.
func stanzaPath(tb testing.TB) (step func()) {
	p := newTestServer(tb, func(c *Config) {
		c.Plain, c.Limits.Queue, c.Limits.Rate, c.Limits.LoginWait = true, 1<<30, -1, time.Hour
	})
	const each = 40
	text := "<message to='juliet@home.test/a' type='chat' id='abcdefgh'><body>" + strings.Repeat("x", 64) + "</body>" +
		"<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>"
	f := &feed{text: strings.Repeat(text, each), rest: open("home.test"), rounds: make(chan struct{}), done: make(chan struct{})}
	testSession(tb, p, "juliet@home.test/a", sinkhole{})
	c := testSession(tb, p, "romeo@home.test/x", f)
	ended := make(chan error)
	go func() { ended <- c.Run() }()
	<-f.done
	tb.Cleanup(func() {
		close(f.rounds)
		if err := <-ended; err != io.EOF {
			tb.Error(err)
		}
	})
	n := 0
	return func() {
		if n++; n%each == 0 {
			f.rounds <- struct{}{}
			<-f.done
		}
	}
}

// Scan, check, route and append: two allocations, the stanza and its text.
func TestStanzaPathAllocations(t *testing.T) {
	step := stanzaPath(t)
	if n := testing.AllocsPerRun(5000, step); n > 2.5 && !raceDetector {
		t.Errorf("%v allocations for a stanza", n)
	}
}

func BenchmarkStanzaPath(b *testing.B) {
	step := stanzaPath(b)
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// BenchmarkIdleSession measures the memory of bound sessions that do nothing. Of the client
// only the socket is left.
func BenchmarkIdleSession(b *testing.B) {
	for _, kind := range []string{"plain", "tls"} {
		b.Run(kind, func(b *testing.B) {
			const n = 500
			p := newTestServer(b, func(c *Config) { c.Plain = true; c.Limits.Sessions = -1 })
			before := inUse()
			sockets := make([]net.Conn, 0, n)
			for range n {
				sockets = append(sockets, p.idleSession(kind))
			}
			b.ReportMetric(float64(inUse()-before)/n, "B/session")
			b.ReportMetric(0, "ns/op")
			runtime.KeepAlive(sockets)
		})
	}
}

// idleSession binds a session, with TLS if kind is tls, and returns its socket.
func (p *testServer) idleSession(kind string) net.Conn {
	c := p.dial()
	socket := c.Conn
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
	return socket
}

// inUse returns the bytes of heap and stacks in use.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// BenchmarkLogin measures a complete connection: stream, SCRAM, binding, end, including the client's work.
func BenchmarkLogin(b *testing.B) {
	p := newTestServer(b, plain)
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

// A session that is silent for long has neither a goroutine, with its stack, nor a buffer. One that is silent for less has a stack that is
// small as long as no frame is added between Group.Go and the read of the socket. With TLS it waits below the TLS layer.
func TestIdleSessionMemory(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector needs memory of its own")
	}
	const n = 500
	for _, c := range []struct {
		kind            string
		rests           bool
		limit, maxStack uint64
	}{
		{"plain", false, 11_500, 5_000}, {"tls", false, 20_000, 5_000}, // 4 KiB of stack, and what the first sessions of a process need
		{"plain", true, 6_500, 1_000}, {"tls", true, 14_500, 1_000},
	} {
		t.Run(c.kind+map[bool]string{true: " rests"}[c.rests], func(t *testing.T) {
			p := newTestServer(t, func(cfg *Config) { cfg.Plain = true; cfg.Limits.Sessions = -1 })
			before, stacksBefore := inUse(), stacks()
			sockets := make([]net.Conn, 0, n)
			for range n {
				sockets = append(sockets, p.idleSession(c.kind))
			}
			if c.rests {
				p.rest(20 * time.Millisecond)
			}
			var per, stack uint64
			for try := 0; try == 0 || try < 100 && (per > c.limit || stack > c.maxStack); try++ { // a stack is halved at each collection
				if c.rests {
					time.Sleep(20 * time.Millisecond)
				}
				per = (max(inUse(), before) - before) / n
				stack = (max(stacks(), stacksBefore) - stacksBefore) / n
			}
			t.Logf("%d bytes for each session, %d of them its stack", per, stack)
			if per > c.limit {
				t.Errorf("%d bytes for each session, at most %d", per, c.limit)
			}
			if stack > c.maxStack {
				t.Errorf("%d bytes of stack for each session, at most %d", stack, c.maxStack)
			}
			runtime.KeepAlive(sockets)
		})
	}
}

// stacks returns the bytes of stacks in use.
func stacks() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.StackInuse
}
