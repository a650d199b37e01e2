package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// Namespaces of the streams and their negotiation.
const (
	spaceStreams   = "http://etherx.jabber.org/streams"
	spaceClient    = "jabber:client"
	spaceComponent = "jabber:component:accept"
	spaceTLS       = "urn:ietf:params:xml:ns:xmpp-tls"
	spaceSASL      = "urn:ietf:params:xml:ns:xmpp-sasl"
	spaceBind      = "urn:ietf:params:xml:ns:xmpp-bind"
)

// Limits of a connection.
const (
	loginTimeout = 20 * time.Second
	closeTimeout = 5 * time.Second
	writeTimeout = 10 * time.Second
	bufferSize   = 16 << 10
)

// ErrEnded is returned by Next when the stream has ended and all that came is taken.
var ErrEnded = errors.New("stream has ended")

// StreamError is a stream error of the server (RFC 6120 §4.9).
type StreamError struct {
	Condition string
	Text      string
}

func (e *StreamError) Error() string {
	return fmt.Sprintf("stream error %s: %s", e.Condition, e.Text)
}

// Refused is a step of the login that the server did not grant.
type Refused struct {
	Step      string // starttls, sasl, bind, handshake
	Condition string
}

func (e *Refused) Error() string { return fmt.Sprintf("%s refused: %s", e.Step, e.Condition) }

// Conn is one open stream.
type Conn struct {
	jid     string           // what the server bound
	user    string           // of Open
	offered *xmltree.Element // features of Open
	resumed uint32
	space   string // content namespace, taken for jabber:client in what is returned
	conn    net.Conn
	socket  net.Conn // under conn
	buf     *bufio.Reader
	dec     *xmltree.Decoder
	write   sync.Mutex
	closed  bool // our end tag was sent; guarded by write

	pace    sync.Mutex // the reader passes it for each element; Stall keeps it
	stalled atomic.Bool

	inbox
}

// inbox holds the stanzas that were read and not yet returned by Next.
type inbox struct {
	mu     sync.Mutex
	queue  []*xmltree.Element
	err    error         // why the reader ended
	signal chan struct{} // buffered: something changed
	done   chan struct{} // the reader has ended
}

func newConn(conn net.Conn, space string) *Conn {
	c := &Conn{space: space, socket: conn, inbox: inbox{signal: make(chan struct{}, 1), done: make(chan struct{})}}
	c.use(conn)
	return c
}

// use continues over conn, which is the socket or TLS over it.
func (c *Conn) use(conn net.Conn) {
	c.conn = conn
	c.buf = bufio.NewReaderSize(conn, bufferSize)
	c.dec = xmltree.NewDecoder(c.buf)
}

// JID is the full JID of a client or the domain of a component.
func (c *Conn) JID() string { return c.jid }

// Send writes text as it is.
func (c *Conn) Send(text string) error {
	c.write.Lock()
	defer c.write.Unlock()
	return c.put(text)
}

func (c *Conn) put(text string) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := io.WriteString(c.conn, text)
	return err
}

// Next takes the next stanza, waiting for it until ctx ends. After the stream has ended
// it returns a *StreamError if the server gave one, else ErrEnded.
func (c *Conn) Next(ctx context.Context) (*xmltree.Element, error) {
	for {
		c.mu.Lock()
		if len(c.queue) > 0 {
			e := c.queue[0]
			c.queue = c.queue[1:]
			c.mu.Unlock()
			return e, nil
		}
		err := c.err
		c.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-c.signal:
		case <-c.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Close closes the stream (RFC 6120 §4.4) and waits for the server's side.
func (c *Conn) Close() error {
	c.write.Lock()
	var err error
	if !c.closed {
		c.closed = true
		err = c.put("</stream:stream>")
	}
	c.write.Unlock()
	if err == nil {
		timer := time.NewTimer(closeTimeout)
		defer timer.Stop()
		select {
		case <-c.done:
		case <-timer.C:
			err = fmt.Errorf("server did not close the stream within %v", closeTimeout)
		}
	}
	c.Drop()
	return err
}

// Drop closes the connection without closing the stream.
func (c *Conn) Drop() {
	_ = c.conn.Close()
	c.Resume()
	<-c.done
}

// Lose closes our side of the connection without closing the stream and waits until the server has noticed it.
func (c *Conn) Lose() {
	c.Resume()
	if half, ok := c.socket.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		timer := time.NewTimer(closeTimeout)
		defer timer.Stop()
		select {
		case <-c.done:
		case <-timer.C:
		}
	}
	c.Drop()
}

// Done is closed when the stream has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// read takes stanzas from the socket until it ends. It owns dec.
func (c *Conn) read() {
	defer close(c.done)
	for {
		c.awaitPace()
		e, err := c.dec.Element()
		if err == nil && e.Name.Space == spaceStreams && e.Name.Local == "error" {
			err = streamError(e)
		}
		c.mu.Lock()
		if err == nil {
			retag(e, c.space)
			c.queue = append(c.queue, e)
		} else {
			c.err = ended(err)
		}
		c.mu.Unlock()
		select {
		case c.signal <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// ended keeps the errors that say something and calls the rest ErrEnded.
func ended(err error) error {
	var fault *StreamError
	if errors.As(err, &fault) {
		return err
	}
	var network *net.OpError
	if errors.Is(err, xmltree.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &network) {
		return ErrEnded
	}
	return fmt.Errorf("read stream: %w", err)
}

func streamError(e *xmltree.Element) *StreamError {
	fault := &StreamError{Condition: "undefined-condition"}
	for _, c := range e.Children {
		if c.Name.Local == "text" {
			fault.Text = c.Text
		} else if c.Name.Space == "urn:ietf:params:xml:ns:xmpp-streams" {
			fault.Condition = c.Name.Local
		}
	}
	return fault
}

// retag gives elements of the stream's content namespace the namespace of clients, so that
// what a component receives compares with what a scenario writes.
func retag(e *xmltree.Element, space string) {
	if space == spaceClient {
		return
	}
	if e.Name.Space == space {
		e.Name.Space = spaceClient
	}
	for _, child := range e.Children {
		retag(child, space)
	}
}

// Reset cuts the connection as a machine does that knows nothing of it any more (TCP RST).
func (c *Conn) Reset() {
	if tcp, ok := c.socket.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.socket.Close()
	c.Resume()
	<-c.done
}

// HalfClose ends the sending side of the socket, within the stream and TLS.
func (c *Conn) HalfClose() error {
	tcp, ok := c.socket.(*net.TCPConn)
	if !ok {
		return errors.New("not a TCP connection")
	}
	return tcp.CloseWrite()
}

// Stall stops reading until Resume.
func (c *Conn) Stall() {
	c.setReadBuffer(4 << 10) // little fits in between
	c.pace.Lock()
	c.stalled.Store(true)
}

func (c *Conn) setReadBuffer(n int) {
	if tcp, ok := c.socket.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(n)
	}
}

// awaitPace is where the reader waits while it is stalled, after at most one more element.
func (c *Conn) awaitPace() {
	c.pace.Lock()
	defer c.pace.Unlock()
}

// Resume ends what Stall began.
func (c *Conn) Resume() {
	if c.stalled.Swap(false) {
		c.setReadBuffer(1 << 20) // through a small window it would take minutes to read what has come
		c.pace.Unlock()
	}
}
