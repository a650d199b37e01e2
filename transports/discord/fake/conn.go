package fake

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Limits of a gateway connection.
const (
	maxPayload   = 4096 // bytes that a client may send at once (events/gateway.mdx, Sending Events)
	maxSends     = 120  // in a minute (events/gateway.mdx, Rate Limiting)
	sendsPer     = time.Minute
	maxQueue     = 50_000 // payloads that wait for a slow client
	writeTimeout = 10 * time.Second
	closeGrace   = time.Second // for the client's own close frame
	compressFrom = 1024        // bytes, where the client asked for compression
)

// conn is one gateway connection. Its fields are guarded by Server.mu.
type conn struct {
	s       *Server
	ws      *websocket.Conn
	raw     net.Conn
	version int
	resumed bool // came to a resume_gateway_url
	sess    *session
	quiet   bool // gets no events any more
	out     []outgoing
	wake    chan struct{}
	gone    chan struct{} // closed when the reader has ended
	closing bool
	sends   []time.Time
	beat    *time.Timer
}

// outgoing is a payload, or the close that ends the connection.
type outgoing struct {
	data    []byte
	partial bool
	code    int
	reason  string
}

// serveGateway is a connection from its beginning to its end.
func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		s.log.Debug("gateway handshake", "err", err)
		return
	}
	ws.SetReadLimit(1 << 16)
	c := &conn{
		s: s, ws: ws, raw: connOf(r), resumed: strings.HasPrefix(r.URL.Path, "/resume/"),
		wake: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		ws.CloseNow()
		return
	}
	s.conns[c] = struct{}{}
	c.hello(r.URL.Query().Get("v"), r.URL.Query().Get("encoding"))
	s.mu.Unlock()

	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	c.read()
	close(c.gone)
	<-written
	ws.CloseNow()
}

// read takes payloads until the connection ends.
func (c *conn) read() {
	var err error
	for {
		var kind websocket.MessageType
		var data []byte
		kind, data, err = c.ws.Read(context.Background())
		if err != nil {
			break
		}
		if check := c.s.opts.Checker; check != nil {
			check.Gateway(Frame{FromClient: true, Data: data})
		}
		c.s.mu.Lock()
		c.receive(kind, data)
		c.s.mu.Unlock()
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	// 1000 and 1001 from the client end the session. (events/gateway.mdx, Initiating a Disconnect)
	if code := websocket.CloseStatus(err); c.sess != nil && (code == websocket.StatusNormalClosure || code == websocket.StatusGoingAway) {
		c.s.end(c.sess)
	}
	c.s.detach(c)
	c.closing = true
	if c.beat != nil {
		c.beat.Stop()
	}
	delete(c.s.conns, c)
}

// write sends what is queued until the connection ends.
func (c *conn) write() {
	for {
		select {
		case <-c.wake:
		case <-c.gone:
			return
		}
		c.s.mu.Lock()
		batch := c.out
		c.out = nil
		compress := c.sess != nil && c.sess.compress
		c.s.mu.Unlock()
		for _, o := range batch {
			if check := c.s.opts.Checker; check != nil {
				check.Gateway(Frame{Data: o.data, Close: o.code, Partial: o.partial})
			}
			if o.data == nil {
				c.sendClose(o)
				return
			}
			if err := c.send(o.data, compress); err != nil {
				c.ws.CloseNow() // wakes the reader
				return
			}
		}
	}
}

func (c *conn) send(data []byte, compress bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	if !compress || len(data) < compressFrom {
		return c.ws.Write(ctx, websocket.MessageText, data)
	}
	var b bytes.Buffer // events/gateway.mdx, Payload Compression
	z := zlib.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return c.ws.Write(ctx, websocket.MessageBinary, b.Bytes())
}

// sendClose sends the close frame and waits a moment for the client's.
func (c *conn) sendClose(o outgoing) {
	cut := time.AfterFunc(closeGrace, c.cut)
	defer cut.Stop()
	if err := c.ws.Close(websocket.StatusCode(o.code), o.reason); err != nil && !errors.Is(err, net.ErrClosed) {
		c.s.log.Debug("gateway close", "code", o.code, "err", err)
	}
}

// queue puts a payload into the connection's queue; a client that does not read is cut.
func (c *conn) queue(o outgoing) {
	if c.closing {
		return
	}
	if len(c.out) >= maxQueue {
		c.cut()
		return
	}
	c.out = append(c.out, o)
	c.wakeWriter()
}

// close ends the connection with a code after what is queued; the session stays.
func (c *conn) close(code int, reason string) {
	if c.closing {
		return
	}
	c.s.detach(c)
	c.closing = true
	c.out = append(c.out, outgoing{code: code, reason: reason})
	c.wakeWriter()
}

// wakeWriter tells write that there is something in the queue.
func (c *conn) wakeWriter() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// cut ends the connection without a word, as a network does. It needs no lock.
func (c *conn) cut() {
	switch raw := c.raw.(type) {
	case nil:
		c.s.work.Go(func() { c.ws.CloseNow() }) // another listener
	case *tracked:
		reset(raw.Conn)
	default:
		raw.Close()
	}
}
