package component

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testTimeout = rawstream.Timeout

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// received collects stanzas that a test waits for.
type received chan *stanza.Stanza

func (b received) Deliver(st *stanza.Stanza) { b <- st }

func (b received) next(t testing.TB) *stanza.Stanza {
	t.Helper()
	select {
	case st := <-b:
		return st
	case <-time.After(testTimeout):
		t.Fatal("no stanza arrived")
		return nil
	}
}

// testServer is a Server with component gate.test (secret "s3cret") and a domain home.test
// whose stanzas the test reads.
type testServer struct {
	t      testing.TB
	router *router.Router
	server *Server
	addr   string
	home   received
	direct []net.Listener // with TLS
	stop   func()
}

func newTestServer(t testing.TB, change func(*Config)) *testServer {
	t.Helper()
	r := router.New(quiet)
	o := &testServer{t: t, router: r, home: make(received, 100_000)}
	if err := r.Attach(jid.MustParse("home.test"), o.home); err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Router: r, Name: jid.MustParse("home.test"), Log: quiet,
		Components: []External{{Domain: jid.MustParse("gate.test"), Secret: "s3cret"}, {Domain: jid.MustParse("other.test"), Secret: "s3cret"}},
		Limits:     Limits{Connections: -1, Arrivals: -1, Tries: -1, DomainTries: -1},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o.server = s
	if cfg.Certificates != nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		o.direct = []net.Listener{l}
	}
	o.serve("127.0.0.1:0")
	t.Cleanup(func() { o.stop() })
	return o
}

func (o *testServer) serve(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		o.t.Fatal(err)
	}
	o.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := o.server.Run(ctx, []net.Listener{l}, o.direct); err != nil {
			o.t.Errorf("serve: %v", err)
		}
	}()
	o.stop = sync.OnceFunc(func() { cancel(); <-done })
}

func (o *testServer) connect() *rawstream.Peer {
	o.t.Helper()
	return rawstream.Dial(o.t, o.addr)
}

func open(to string) string {
	return "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='" + to + "'>"
}

func idOf(t testing.TB, header string) string {
	t.Helper()
	_, rest, ok := strings.Cut(header, " id='")
	id, _, ok2 := strings.Cut(rest, "'")
	if !ok || !ok2 {
		t.Fatalf("no id in %q", header)
	}
	return id
}

// attach connects and does the complete handshake.
func (o *testServer) attach(domain, secret string) *rawstream.Peer {
	o.t.Helper()
	p := o.connect()
	p.Send(open(domain))
	p.Send("<handshake>" + handshake(idOf(o.t, p.Until(">")+p.Until(">")), secret) + "</handshake>")
	return p
}

func (o *testServer) attached(domain string) *rawstream.Peer {
	o.t.Helper()
	p := o.attach(domain, "s3cret")
	p.Until("<handshake/>")
	return p
}

func message(to, from, body string) *stanza.Stanza {
	return stanza.NewMessage(jid.MustParse(to), jid.MustParse(from), "chat", stanza.TextElement("", "body", body))
}
