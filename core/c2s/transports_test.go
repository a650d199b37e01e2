package c2s

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-im/dragoman/core/bosh"
	"github.com/dragoman-im/dragoman/core/internal/boshpeer"
	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/stream"
)

// timeout is a read deadline for a transport without one of the operating system.
type timeout struct {
	mu      sync.Mutex
	timer   *time.Timer
	expired chan struct{}
}

func (d *timeout) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.expired == nil || isClosed(d.expired) {
		d.expired = make(chan struct{})
	}
	expired := d.expired
	if wait := time.Until(at); wait <= 0 {
		close(expired)
	} else {
		d.timer = time.AfterFunc(wait, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.expired == expired && !isClosed(expired) {
				close(expired)
			}
		})
	}
}

func (d *timeout) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.expired == nil {
		d.expired = make(chan struct{})
	}
	return d.expired
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// frames is what the framed transports of these tests have in common: input and its deadline.
type frames struct {
	in       chan []byte // closed at the end
	deadline timeout
	writing  time.Time
}

func (f *frames) ReadFrame() ([]byte, error) {
	select {
	case <-f.deadline.wait():
		return nil, os.ErrDeadlineExceeded
	default:
	}
	select {
	case b, ok := <-f.in:
		if !ok {
			return nil, io.EOF
		}
		return b, nil
	case <-f.deadline.wait():
		return nil, os.ErrDeadlineExceeded
	}
}

func (f *frames) SetReadDeadline(t time.Time) error { f.deadline.set(t); return nil }

func (f *frames) SetWriteDeadline(t time.Time) error { f.writing = t; return nil }

// split calls f for each frame of a write.
func split(p []byte, ends []int, f func([]byte) error) error {
	from := 0
	for _, end := range ends {
		if err := f(p[from:end]); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// webSocket is the server's end of a WebSocket (RFC 7395).
type webSocket struct {
	frames
	conn *websocket.Conn
}

// receive moves messages to ReadFrame: a read with a deadline would end the WebSocket.
func (w *webSocket) receive() {
	defer close(w.in)
	for {
		_, b, err := w.conn.Read(context.Background())
		if err != nil {
			return
		}
		w.in <- b
	}
}

func (w *webSocket) WriteFrames(p []byte, ends []int) error {
	ctx, cancel := context.WithDeadline(context.Background(), w.writing)
	defer cancel()
	return split(p, ends, func(frame []byte) error { return w.conn.Write(ctx, websocket.MessageText, frame) })
}

func (w *webSocket) Close() error { return w.conn.Close(websocket.StatusNormalClosure, "") }

// dialBOSH connects over BOSH, without HTTP.
func (p *testServer) dialBOSH() net.Conn {
	var sessions bosh.Sessions
	c := boshpeer.New(func(ctx context.Context, body string) (string, error) {
		r, err := bosh.Parse([]byte(body))
		if err != nil {
			return "", err
		}
		session := sessions.Find(r.SID)
		if r.SID == "" {
			session = sessions.Create(r, 10_000, true)
			p.serveFramed(session)
		}
		if session == nil {
			return "", errors.New("no session")
		}
		return string(session.Do(ctx, r).Body), nil
	})
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

// dialect is how a transport encodes the elements that are not stanzas.
type dialect struct {
	open, close string
	ns          string // declaration that each stanza needs
	closed      string // that the server's end of the stream ends with; empty: the transport's own end
}

var (
	unframed = dialect{open: open("home.test"), close: "</stream:stream>", closed: "</stream:stream>"}
	framed   = dialect{
		open:  "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='home.test' version='1.0'/>",
		close: "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", ns: " xmlns='jabber:client'",
		closed: "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
	}
)

// serveFramed runs a connection over a framed transport, as a listener for it would.
func (p *testServer) serveFramed(t stream.FrameTransport) {
	c := p.server.newConn(netip.Addr{})
	c.Conn = stream.NewFramedConn(p.server.conns.Context(), &p.server.current.Load().stream, t, c)
	c.negotiation.secure = true // by the web server in front
	c.expire()
	if !p.server.start(c) {
		_ = t.Close()
	}
}

// dialWebSocket connects over a WebSocket of a real HTTP server.
func (p *testServer) dialWebSocket() net.Conn {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}})
		if err != nil {
			p.t.Error(err)
			return
		}
		s := &webSocket{frames: frames{in: make(chan []byte)}, conn: conn}
		p.serveFramed(s)
		s.receive()
	}))
	p.t.Cleanup(web.Close)
	conn, _, err := websocket.Dial(p.t.Context(), web.URL, &websocket.DialOptions{Subprotocols: []string{"xmpp"}}) //nolint:bodyclose // of an upgrade
	if err != nil {
		p.t.Fatal(err)
	}
	return websocket.NetConn(context.Background(), conn, websocket.MessageText)
}

// One driver does the same negotiation, routing and closing over every kind of transport.
func TestTransports(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]struct {
		dialect
		dial func(*testServer) net.Conn
	}{
		"tcp": {unframed, func(p *testServer) net.Conn { return rawstream.Dial(p.t, p.addr).Conn }},
		"tls": {unframed, func(p *testServer) net.Conn {
			return tls.Client(rawstream.Dial(p.t, p.direct).Conn, &tls.Config{InsecureSkipVerify: true})
		}},
		"websocket": {framed, (*testServer).dialWebSocket},
		"bosh":      {framed, (*testServer).dialBOSH},
	} {
		for _, end := range []string{"client", "server", "error"} {
			t.Run(name+" ended by "+end, func(t *testing.T) {
				t.Parallel()
				p := newTestServer(t, plain)
				other := p.online("juliet", "b")
				c := &client{rawstream.New(t, kind.dial(p))}
				negotiate(c, kind.dialect)
				c.Send("<message" + kind.ns + " to='juliet@home.test/b' type='chat'><body>there</body></message>")
				other.Until("<body>there</body>")
				other.Send(chatMessage("romeo@home.test/x", "back"))
				if got := c.Until("</message>"); !strings.Contains(got, "<message"+kind.ns+" ") || !strings.Contains(got, "<body>back</body>") {
					t.Errorf("got %q", got)
				}
				finish(t, p, c, kind.dialect, end)
				rawstream.Eventually(t, "only one session is left", func() bool { return p.server.Counters.Sessions.Load() == 1 })
			})
		}
	}
}

// negotiate goes from the first header to a session of romeo.
func negotiate(c *client, d dialect) {
	c.T.Helper()
	c.Send(d.open)
	c.Until("SCRAM-SHA-256")
	c.Until("</stream:features>")
	c.scram("romeo")
	c.Send(d.open)
	c.Until("<bind ")
	c.Until("</stream:features>")
	c.Send("<iq" + d.ns + " type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind></iq>")
	c.Until("<jid>romeo@home.test/x</jid>")
	c.Until("</iq>")
	c.Send("<presence" + d.ns + "/>")
	c.Send("<iq" + d.ns + " type='get' id='sync'><nobody xmlns='urn:handles:this'/></iq>") // all before it has been handled
	c.Until("id='sync'")
	c.Until("</iq>")
}

// finish ends the stream, begun by either side.
func finish(t *testing.T, p *testServer, c *client, d dialect, end string) {
	t.Helper()
	last := d.closed
	if _, isBOSH := c.Conn.(*boshpeer.Conn); isBOSH {
		last = "" // it is an attribute of the body
	}
	switch end {
	case "client":
		c.Send(d.close)
	case "error":
		c.Send("<unknown xmlns='urn:test'/>")
		last = "</stream:error>" + last
	case "server":
		p.host.Remove(jidOf("romeo@home.test"), "", "")
		if last != "" {
			c.Until(last)
			last = ""
		}
		c.Send(d.close)
	}
	got, err := c.Remains()
	if err != nil && websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("the connection ended with %v", err)
	}
	if !strings.HasSuffix(got, last) || end == "error" && !strings.Contains(got, "<unsupported-stanza-type ") {
		t.Errorf("got %q, want %q at the end", got, last)
	}
}
