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

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// inbox collects stanzas for a test to wait for.
type inbox chan *stanza.Stanza

func (b inbox) Deliver(st *stanza.Stanza) { b <- st }

func (b inbox) next(t testing.TB) *stanza.Stanza {
	t.Helper()
	select {
	case st := <-b:
		return st
	case <-time.After(patience):
		t.Fatal("nothing came")
		return nil
	}
}

// office is a server with component gate.test (secret "s3cret") and a domain home.test
// whose stanzas the test reads.
type office struct {
	t      testing.TB
	router *router.Router
	server *Server
	addr   string
	home   inbox
	stop   func()
}

func newOffice(t testing.TB, change func(*Config)) *office {
	t.Helper()
	r := router.New(silent)
	o := &office{t: t, router: r, home: make(inbox, 100_000)}
	if err := r.Attach(jid.MustParse("home.test"), o.home); err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Router: r, Name: jid.MustParse("home.test"), Log: silent,
		Accounts: []Account{{jid.MustParse("gate.test"), "s3cret"}, {jid.MustParse("other.test"), "s3cret"}},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o.server = s
	o.serve("127.0.0.1:0")
	t.Cleanup(func() { o.stop() })
	return o
}

func (o *office) serve(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		o.t.Fatal(err)
	}
	o.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := o.server.Serve(ctx, l); err != nil {
			o.t.Errorf("serve: %v", err)
		}
	}()
	o.stop = sync.OnceFunc(func() { cancel(); <-done })
}

// peer is the other end of a connection, by hand.
type peer struct {
	t    testing.TB
	conn net.Conn
	got  string
}

func (o *office) connect() *peer {
	o.t.Helper()
	conn, err := net.Dial("tcp", o.addr)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: o.t, conn: conn}
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, s); err != nil {
		p.t.Logf("write: %v", err)
	}
}

// until reads until what has come holds mark, and takes it away up to its end.
func (p *peer) until(mark string) string {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 4096)
	for !strings.Contains(p.got, mark) {
		n, err := p.conn.Read(buf)
		p.got += string(buf[:n])
		if err != nil && !strings.Contains(p.got, mark) {
			p.t.Fatalf("waiting for %q: %v after %q", mark, err, p.got)
		}
	}
	end := strings.Index(p.got, mark) + len(mark)
	out := p.got[:end]
	p.got = p.got[end:]
	return out
}

// rest reads to the end of the connection.
func (p *peer) rest() string {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(p.conn)
	if err != nil {
		p.t.Errorf("connection not closed cleanly: %v", err)
	}
	out := p.got + string(b)
	p.got = ""
	return out
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

// attach is a whole handshake.
func (o *office) attach(domain, secret string) *peer {
	o.t.Helper()
	p := o.connect()
	p.send(open(domain))
	p.send("<handshake>" + handshake(idOf(o.t, p.until(">")+p.until(">")), secret) + "</handshake>")
	return p
}

func (o *office) attached(domain string) *peer {
	o.t.Helper()
	p := o.attach(domain, "s3cret")
	p.until("<handshake/>")
	return p
}

func message(to, from, body string) *stanza.Stanza {
	return stanza.NewMessage(jid.MustParse(to), jid.MustParse(from), "chat", stanza.TextElement("", "body", body))
}
