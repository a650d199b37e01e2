package c2s

import (
	"context"
	"crypto/tls"
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

// boshBody is the body of a request or of an answer (XEP-0124).
type boshBody struct {
	to        string // of the request that creates the session, or restarts the stream (XEP-0206)
	terminate bool
	elements  []string
}

// bosh is a session of BOSH's shape: elements arrive in requests, and what is written leaves in the answers to requests that
// are held until there is something. Two requests may be open at once.
type bosh struct {
	frames
	held   chan chan boshBody
	closed chan struct{}
	once   sync.Once
}

func newBOSH() *bosh {
	return &bosh{
		frames: frames{in: make(chan []byte, 100)},
		held:   make(chan chan boshBody, 2), closed: make(chan struct{}),
	}
}

// request takes the body of a request and returns what answers it.
func (b *bosh) request(body boshBody) boshBody {
	answer := make(chan boshBody, 1)
	select {
	case older := <-b.held: // XEP-0124 §11: only one is held
		older <- boshBody{}
	default:
	}
	if body.to != "" {
		b.in <- []byte("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='" + body.to + "' version='1.0'/>")
	}
	for _, e := range body.elements {
		b.in <- []byte(e)
	}
	if body.terminate {
		b.in <- []byte("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
	}
	select {
	case b.held <- answer:
	case <-b.closed:
		return boshBody{terminate: true}
	}
	select {
	case r := <-answer:
		return r
	case <-b.closed:
		select {
		case r := <-answer:
			return r
		default:
			return boshBody{terminate: true}
		}
	}
}

func (b *bosh) WriteFrames(p []byte, ends []int) error {
	var body boshBody
	_ = split(p, ends, func(frame []byte) error {
		switch s := string(frame); {
		case strings.HasPrefix(s, "<open "): // its attributes are those of the body
		case strings.HasPrefix(s, "<close "):
			body.terminate = true
		default:
			body.elements = append(body.elements, s)
		}
		return nil
	})
	timer := time.NewTimer(time.Until(b.writing))
	defer timer.Stop()
	select {
	case answer := <-b.held:
		answer <- body
		return nil
	case <-timer.C:
		return os.ErrDeadlineExceeded
	case <-b.closed:
		return net.ErrClosed
	}
}

func (b *bosh) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// boshClient is the client's end of a bosh as a net.Conn: what is written is one element or header, what is read are the
// elements of all answers.
type boshClient struct {
	net.Conn // of the elements
	out      net.Conn
	session  *bosh
	requests sync.WaitGroup

	mu         sync.Mutex
	open       int // requests
	terminated bool
}

func newBOSHClient(session *bosh) *boshClient {
	in, out := net.Pipe()
	return &boshClient{Conn: in, out: out, session: session}
}

func (c *boshClient) Write(p []byte) (int, error) {
	s := string(p)
	switch {
	case strings.HasPrefix(s, "<open "):
		_, to, _ := strings.Cut(s, " to='")
		to, _, _ = strings.Cut(to, "'")
		c.send(boshBody{to: to})
	case strings.HasPrefix(s, "<close "):
		c.send(boshBody{terminate: true})
	default:
		c.send(boshBody{elements: []string{s}})
	}
	return len(p), nil
}

// send makes a request, and further ones without elements while answers come that have some. The last request of
// a terminated session ends the input.
func (c *boshClient) send(body boshBody) {
	c.mu.Lock()
	c.open++
	c.mu.Unlock()
	c.requests.Go(func() {
		var answer boshBody
		for more := true; more; more = len(answer.elements) > 0 && !answer.terminate {
			answer = c.session.request(body)
			for _, e := range answer.elements {
				_, _ = io.WriteString(c.out, e)
			}
			body = boshBody{}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
		c.terminated = c.terminated || answer.terminate
		if c.terminated && c.open == 0 {
			_ = c.out.Close()
		}
	})
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
		"bosh": {framed, func(p *testServer) net.Conn {
			session := newBOSH()
			p.serveFramed(session)
			c := newBOSHClient(session)
			p.t.Cleanup(func() { _ = c.Close(); _ = session.Close(); c.requests.Wait() })
			return c
		}},
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
	if _, isBOSH := c.Conn.(*boshClient); isBOSH {
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
