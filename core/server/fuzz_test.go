package server

import (
	"crypto/tls"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// states are those of a stream, by what brings a connection there. head is what has to stand before
// what the server says from then on, for it to be a document.
var states = []struct {
	name  string
	enter func(*testServer) *peer
	head  string
}{
	{"new", func(p *testServer) *peer { return p.dial(p.server.ports.c2s[0]) }, ""},
	{"before TLS", (*testServer).unencrypted, head("jabber:client", "")},
	{"new, direct TLS", func(p *testServer) *peer { return p.dial(p.server.ports.c2sTLS[0]) }, ""},
	{"before login", (*testServer).encrypted, head("jabber:client", "")},
	{"in SASL", func(p *testServer) *peer {
		c := p.encrypted()
		c.Send(auth("SCRAM-SHA-256", "n,,n=romeo,r=anonceofmyown"))
		c.Until("</challenge>")
		return c
	}, head("jabber:client", "")},
	{"before bind", func(p *testServer) *peer { return p.loggedIn("romeo") }, head("jabber:client", "")},
	{"bound", func(p *testServer) *peer { return p.online("romeo") }, head("jabber:client", "")},
	{"component, new", func(p *testServer) *peer { return p.dial(p.server.ports.component[0]) }, ""},
	{"component, before the handshake", askedPeer, head("jabber:component:accept", "")},
	{"component", (*testServer).attached, head("jabber:component:accept", "")},
}

// Whatever is sent in whatever state of a stream, nothing panics, no goroutine stays, the answers are
// well-formed, nothing reaches another session in somebody else's name, and that session is still served.
func FuzzServer(f *testing.F) {
	for state := range states {
		for phrase := range phrases {
			f.Add(uint8(state), []byte{byte(phrase)}, []byte(nil))
		}
		f.Add(uint8(state), []byte{7, 11, pause, 12}, []byte("<message to='juliet@home.test/x'><body>\xff</body></message>"))
	}
	p := newTestServer(f, extra{limits: "connections = 0\nnew_connections = 0", login: "failures = 0"})
	juliet := p.online("juliet")
	warm := p.online("romeo") // what is made once is made now
	finish(warm)
	warm.rest()
	var before int
	f.Fuzz(func(t *testing.T, state uint8, script, text []byte) {
		s := states[int(state)%len(states)]
		p.t, juliet.T = t, t
		if before == 0 {
			before = settled()
		}
		p.restore("romeo")
		c := s.enter(p)
		if s.name == "new, direct TLS" && len(text)%2 == 0 {
			c.TLS(anyTLS)
		}
		_ = c.SetWriteDeadline(time.Now().Add(patience))
		sent := speech(script, text)
		for _, piece := range sent {
			_, _ = c.Write(piece) // the server may have had enough before the end
		}
		finish(c)
		got := c.rest()
		_ = c.Close()
		if err := wellFormed(s.head, got); err != nil {
			t.Errorf("%s: %q answered by %q: %v", s.name, sent, got, err)
		}
		checkSenders(t, juliet.ping())
		if lines := p.log.all(); len(lines) > 0 {
			t.Errorf("%s: %q made the server log %q", s.name, sent, lines)
		}
		var now int
		for limit := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			if now = runtime.NumGoroutine(); now <= before {
				break
			}
			if time.Now().After(limit) {
				t.Fatalf("%s: %q left %d goroutines behind", s.name, sent, now-before)
			}
		}
	})
}

// settled is the number of goroutines when it no longer changes.
func settled() int {
	last, since := runtime.NumGoroutine(), time.Now()
	for time.Since(since) < 200*time.Millisecond {
		time.Sleep(5 * time.Millisecond)
		if n := runtime.NumGoroutine(); n != last {
			last, since = n, time.Now()
		}
	}
	return last
}

// finish ends our direction of the connection.
func finish(c *peer) {
	conn := c.Conn
	if secure, ok := conn.(*tls.Conn); ok {
		_ = secure.CloseWrite()
		conn = secure.NetConn()
	}
	_ = conn.(*net.TCPConn).CloseWrite()
}

// wellFormed reads what a server sent: the rest of a stream that began with head, and further streams.
// It may break off where the client did, but not within a tag of the server's.
func wellFormed(head, got string) error {
	if before, _, ok := strings.Cut(got, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); ok {
		got = before // what follows is TLS
	}
	if strings.HasPrefix(got, "\x15\x03") {
		return nil // an alert of TLS
	}
	for i, text := range strings.Split(head+got, "<?xml ") {
		if i == 0 {
			if text != "" {
				return errors.New("something before the stream")
			}
			continue
		}
		if err := document("<?xml " + text); err != nil {
			return err
		}
	}
	return nil
}

func document(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	depth := 0
	for {
		at := d.InputOffset()
		token, err := d.Token()
		switch {
		case err == io.EOF:
			return nil
		case err != nil && depth == 1 && at == int64(len(text)):
			return nil // the end of the connection, between two elements
		case err != nil:
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

// checkSenders wants what juliet got to come from those who were there.
func checkSenders(t *testing.T, got string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(head("jabber:client", "") + got))
	depth := 0
	for {
		token, err := d.Token()
		if err != nil {
			return // the end of what she got, which is within her stream
		}
		switch x := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if depth++; depth != 2 {
				continue
			}
			sent := map[string]string{}
			for _, a := range x.Attr {
				if a.Name.Space == "" {
					sent[a.Name.Local] = a.Value
				}
			}
			if !allowed(x.Name.Local, sent) {
				t.Errorf("juliet got %v from %q: %s", x.Name.Local, sent["from"], got)
			}
		}
	}
}

// allowed reports whether something may come to juliet, who asks the server for nothing but pings, from there.
func allowed(kind string, sent map[string]string) bool {
	from, err := jid.Parse(sent["from"])
	switch {
	case err != nil:
		return false
	case from.Domain() == "gate.home.test":
		return true
	case from.String() == "home.test":
		return kind == "iq" && sent["id"] == "sync" && sent["type"] == "result"
	}
	return from.Bare().String() == "romeo@home.test"
}

// What the invariants rest on can fail.
func TestWellFormed(t *testing.T) {
	t.Parallel()
	h := head("jabber:client", "")
	for text, want := range map[string]bool{
		"": true, "</stream:stream>": true, "<a/></stream:stream>": true, "<a><b></b></a>": true, "<a/>" + h + "<b/></stream:stream>": true,
		"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\x15\x03\x03": true,
		"<a>": false, "<a": false, "<a></b>": false, "<p:a/>": true /* a namespace error; the scanner's own tests look for these */, "&x;": false,
		"\x00": false, "</stream:stream></x>": false,
	} {
		if err := wellFormed(h, text); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	for from, want := range map[string]bool{
		"romeo@home.test/x": true, "romeo@home.test": true, "a@gate.home.test/b": true, "gate.home.test": true,
		"": false, "nurse@home.test": false, "home.test": false, "juliet@home.test": false, "romeo@gate.home.test.evil.test": false, "@": false,
	} {
		if allowed("message", map[string]string{"from": from}) != want {
			t.Errorf("from %q", from)
		}
	}
	if wellFormed("", "x") == nil || wellFormed("", h) != nil {
		t.Error("without a header")
	}
}
