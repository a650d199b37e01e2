package component

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// foreignServer is a server by hand, to which a link attaches.
type foreignServer struct {
	t      *testing.T
	listen net.Listener
}

func newForeignServer(t *testing.T) *foreignServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &foreignServer{t, l}
}

// accept returns a link's next connection after its handshake.
func (s *foreignServer) accept() *rawstream.Peer {
	s.t.Helper()
	c, err := s.listen.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	p := rawstream.New(s.t, c)
	s.t.Cleanup(func() { _ = c.Close() })
	p.Until("to='gate.test'>")
	p.Send("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='gate.test'>")
	p.Until("</handshake>")
	p.Send("<handshake/>")
	return p
}

const pingEnd = "<ping xmlns='urn:xmpp:ping'/></iq>"

// takePing reads up to the next ping of a link to itself, and returns what came before it, and the ping.
func takePing(p *rawstream.Peer) (before, ping string) {
	text := p.Until(pingEnd)
	i := strings.LastIndex(text, "<iq ")
	return text[:i], text[i:]
}

// What is written and not confirmed when a connection ends is sent on the next one, before what came later.
func TestUnconfirmedIsSentAgain(t *testing.T) {
	t.Parallel()
	s := newForeignServer(t)
	l, got, _ := runLink(t, s.listen.Addr().String(), nil)
	results := make(chan error, 10)
	send := func(text string) {
		l.SendAll([]*stanza.Stanza{message("romeo@home.test", "bot@gate.test", text)}, nil, func(err error) { results <- err })
	}
	p := s.accept()
	_, ping := takePing(p)
	p.Send(ping)
	rawstream.Eventually(t, "the ping has come back", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.echo.works
	})
	send("one")
	before, ping := takePing(p)
	if !strings.Contains(before, "<body>one</body>") {
		t.Errorf("got %q", before)
	}
	send("two")
	p.Until("two")
	if len(results) != 0 {
		t.Fatal("confirmed before the ping came back")
	}
	p.Send(ping)
	if err := <-results; err != nil {
		t.Error(err)
	}
	_, ping = takePing(p) // for the second
	send("three")
	p.Until("three")
	_ = p.Close() // and it has handled none of these
	p = s.accept()
	send("four")
	text := p.Until("four")
	if strings.Count(text, "<body>two</body>") != 1 || strings.Count(text, "<body>three</body>") != 1 || strings.Contains(text, "<body>one") || strings.Index(text, "two") > strings.Index(text, "three") {
		t.Errorf("got %q", text)
	}
	p.Send(ping) // of the connection before: it confirms nothing
	p.Send("<iq type='get' id='sync' from='home.test' to='gate.test'><q xmlns='urn:x'/></iq>")
	rawstream.Eventually(t, "handled", func() bool { return len(got) > 0 })
	if len(results) != 0 {
		t.Error("confirmed by a ping of the connection before")
	}
}

// With a server that sends no pings back a stanza is sent when it is written.
func TestServerWithoutEcho(t *testing.T) {
	t.Parallel()
	s := newForeignServer(t)
	l, _, _ := runLink(t, s.listen.Addr().String(), nil)
	p := s.accept()
	takePing(p)
	done := make(chan error, 1)
	l.SendAll([]*stanza.Stanza{message("romeo@home.test", "bot@gate.test", "one")}, nil, func(err error) { done <- err })
	p.Until("one")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Many stanzas cause few pings, all arrive once and in order, and all are confirmed.
func TestEchoOfMany(t *testing.T) {
	t.Parallel()
	const n = 3 * maxRetained
	o := newTestServer(t, nil)
	l, _, states := runLink(t, o.addr, func(o *Options) { o.Waiting, o.WaitSize = n, 1<<30 }) // all may wait
	waitState(t, states, up)
	done := make(chan error, n)
	for i := range n {
		l.SendAll([]*stanza.Stanza{message("romeo@home.test", "bot@gate.test", fmt.Sprint(i))}, nil, func(err error) { done <- err })
	}
	for i := range n {
		if got := o.home.next(t).Body(); got != fmt.Sprint(i) {
			t.Fatalf("%s came, want %d", got, i)
		}
	}
	for range n {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.echo.sent) != 0 || l.echo.size != 0 {
		t.Errorf("%d stanzas of %d bytes are left", len(l.echo.sent), l.echo.size)
	}
}
