package server

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/bytestreams"
	"github.com/dragoman-im/dragoman/core/jid"
)

// join connects to the proxy for a stream of romeo to juliet; nil if it is refused.
func (p *testServer) join(sid string) net.Conn {
	p.t.Helper()
	c, err := net.Dial("tcp", p.server.ports.proxy[0].Addr().String())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	hash := bytestreams.Hash(sid, jid.MustParse("romeo@home.test/x"), jid.MustParse("juliet@home.test/x"))
	_, _ = fmt.Fprintf(c, "\x05\x01\x00\x05\x01\x00\x03\x28%s\x00\x00", hash)
	if _, err := io.ReadFull(c, make([]byte, 2+5+40+2)); err != nil {
		return nil
	}
	return c
}

// activation is the request to begin a stream of romeo to juliet.
func activation(sid string) string {
	return "<iq type='set' id='a' to='proxy.home.test'><query xmlns='http://jabber.org/protocol/bytestreams' sid='" + sid + "'><activate>juliet@home.test/x</activate></query></iq>"
}

// XEP-0065 §6: two clients send a file through the proxy.
func TestProxy(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	romeo, juliet := p.online("romeo"), p.online("juliet")
	romeo.Send("<iq type='get' id='i' to='home.test'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")
	romeo.Until("<item jid='proxy.home.test' name='Proxy for files'/>")
	romeo.Send("<iq type='get' id='d' to='proxy.home.test'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
	romeo.Until("<identity category='proxy' type='bytestreams' name='Proxy for files'/>")
	romeo.Send("<iq type='get' id='h' to='proxy.home.test'><query xmlns='http://jabber.org/protocol/bytestreams'/></iq>")
	_, port, _ := net.SplitHostPort(p.server.ports.proxy[0].Addr().String())
	romeo.Until("<streamhost host='home.test' jid='proxy.home.test' port='" + port + "'/>")

	romeo.Send(activation("s"))
	romeo.Until("<item-not-found ")
	b := p.join("s")
	romeo.Send(activation("s"))
	romeo.Until("<not-allowed ")
	a := p.join("s")
	juliet.Send(activation("s")) // CVE-2026-43505: the hash is that of the requester
	juliet.Until("<item-not-found ")
	for request, condition := range map[string]string{
		strings.Replace(activation("s"), "sid='s'", "", 1):                                                    "<bad-request ",
		strings.Replace(activation("s"), "juliet@home.test/x", "a@b@c", 1):                                    "<jid-malformed ",
		strings.ReplaceAll(activation("s"), "activate>", "other>"):                                            "<bad-request ",
		"<iq type='set' id='a' to='proxy.home.test'><x xmlns='http://jabber.org/protocol/bytestreams'/></iq>": "<bad-request ",
	} {
		romeo.Send(request)
		romeo.Until(condition)
	}
	gate := p.attached()
	for _, typ := range []string{"get", "set"} { // CVE-2026-43504: neither is for others
		gate.Send("<iq type='" + typ + "' id='g' from='a@gate.home.test/x' to='proxy.home.test'><query xmlns='http://jabber.org/protocol/bytestreams' sid='s'><activate>juliet@home.test/x</activate></query></iq>")
		gate.Until("<forbidden ")
	}
	romeo.Send(activation("s"))
	romeo.Until("type='result'")
	if _, err := a.Write([]byte("a file")); err != nil {
		t.Fatal(err)
	}
	_ = a.(*net.TCPConn).CloseWrite()
	_ = b.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(b); string(got) != "a file" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
