package rawstream

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Timeout is how long a test waits before it fails.
const Timeout = 20 * time.Second

// Peer is one connection, for one goroutine.
type Peer struct {
	net.Conn // TLS after TLS has been called
	T        testing.TB
	got      string // read, and not yet returned by Until
}

// Dial connects for as long as the test lasts.
func Dial(t testing.TB, addr string) *Peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return New(t, conn)
}

// Pair is both ends of a loopback connection, for as long as the test lasts.
func Pair(t testing.TB) (dialled, accepted net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ready := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		ready <- c
	}()
	if dialled, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if accepted = <-ready; accepted == nil {
		t.Fatal("not accepted")
	}
	t.Cleanup(func() { _, _ = dialled.Close(), accepted.Close() })
	return dialled, accepted
}

// New makes a Peer of an existing connection. The caller closes it.
func New(t testing.TB, conn net.Conn) *Peer { return &Peer{Conn: conn, T: t} }

// Send writes. An error is only logged: the other side may have closed already, and what it sent before shows whether it should have.
func (p *Peer) Send(s string) {
	p.T.Helper()
	_ = p.SetWriteDeadline(time.Now().Add(Timeout))
	if _, err := io.WriteString(p, s); err != nil {
		p.T.Logf("write: %v", err)
	}
	_ = p.SetWriteDeadline(time.Time{})
}

// Until reads up to the end of mark and returns that, together with what was read before.
func (p *Peer) Until(mark string) string {
	p.T.Helper()
	_ = p.SetReadDeadline(time.Now().Add(Timeout))
	buf := make([]byte, 16<<10) // a TLS record
	for !strings.Contains(p.got, mark) {
		n, err := p.Read(buf)
		p.got += string(buf[:n])
		if err != nil && !strings.Contains(p.got, mark) {
			p.T.Fatalf("waiting for %q: %v after %q", mark, err, p.got)
		}
	}
	end := strings.Index(p.got, mark) + len(mark)
	out := p.got[:end]
	p.got = p.got[end:]
	return out
}

// Rest reads to the end of the connection, which must be a clean one.
func (p *Peer) Rest() string {
	p.T.Helper()
	out, err := p.Remains()
	if err != nil {
		p.T.Errorf("connection not closed cleanly: %v", err)
	}
	return out
}

// Remains reads to the end of the connection, however it ends.
func (p *Peer) Remains() (string, error) {
	_ = p.SetReadDeadline(time.Now().Add(Timeout))
	b, err := io.ReadAll(p)
	out := p.got + string(b)
	p.got = ""
	return out, err
}

// TLS does a TLS handshake; the Peer reads and writes through TLS from then on.
func (p *Peer) TLS(config *tls.Config) tls.ConnectionState {
	p.T.Helper()
	conn := tls.Client(p.Conn, config)
	_ = conn.SetDeadline(time.Now().Add(Timeout))
	if err := conn.Handshake(); err != nil {
		p.T.Fatalf("handshake: %v", err)
	}
	_ = conn.SetDeadline(time.Time{})
	p.Conn, p.got = conn, ""
	return conn.ConnectionState()
}

// Eventually tries until f holds.
func Eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for limit := time.Now().Add(Timeout); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("never: %s", what)
		}
	}
}
