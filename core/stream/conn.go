package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// maxLeft bounds what TLS itself may want to say while the socket takes nothing.
	maxLeft = 256 << 10
	// goodbye is how long the end of TLS may take where it cannot be tried.
	goodbye = 200 * time.Millisecond
)

// Conn is a connection that may turn to TLS where it stands, and that can be asked to
// write no more than the socket takes at once: a Queue then needs no goroutine, which
// costs as much as the write itself.
type Conn struct {
	socket *socket
	tls    atomic.Pointer[tls.Conn]
}

// Wrap makes a Conn of a connection that has just been accepted or dialled. It takes
// connections of all kinds; only those of the operating system can be asked not to block.
func Wrap(c net.Conn) *Conn {
	s := &socket{Conn: c}
	s.open()
	return &Conn{socket: s}
}

// ServerTLS does the handshake of the accepting side. Nothing may be written meanwhile,
// and a Scanner must be Reset afterwards.
func (c *Conn) ServerTLS(ctx context.Context, cfg *tls.Config) error {
	return c.handshake(ctx, tls.Server(c.socket, cfg))
}

// ClientTLS does the handshake of the side that dialled.
func (c *Conn) ClientTLS(ctx context.Context, cfg *tls.Config) error {
	return c.handshake(ctx, tls.Client(c.socket, cfg))
}

func (c *Conn) handshake(ctx context.Context, t *tls.Conn) error {
	if c.tls.Load() != nil {
		return errors.New("stream: TLS within TLS")
	}
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	c.tls.Store(t)
	return nil
}

// TLS is the state of the TLS connection; false where there is none.
func (c *Conn) TLS() (tls.ConnectionState, bool) {
	if t := c.tls.Load(); t != nil {
		return t.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}

func (c *Conn) layer() net.Conn {
	if t := c.tls.Load(); t != nil {
		return t
	}
	return c.socket
}

// Read reads what the peer has sent.
func (c *Conn) Read(p []byte) (int, error) { return c.layer().Read(p) }

// Write writes all of p and waits for that as long as it takes.
func (c *Conn) Write(p []byte) (int, error) { return c.layer().Write(p) }

// TryWrite takes all of p and writes what the socket accepts at once, in one call of the
// operating system. more tells that something is left for Drain. It must not be used by
// two goroutines at once, nor beside Write and Drain, nor where CanTry is false.
func (c *Conn) TryWrite(p []byte) (more bool, err error) {
	t := c.tls.Load()
	if t == nil {
		return c.socket.attempt(p)
	}
	c.socket.gather(true)
	_, err = t.Write(p)
	c.socket.gather(false)
	if err != nil {
		return false, err
	}
	return c.socket.attempt(nil)
}

// CanTry tells whether the connection can be asked not to block.
func (c *Conn) CanTry() bool { return c.socket.raw != nil }

// Drain waits until the socket has taken what TryWrite left.
func (c *Conn) Drain() error { return c.socket.drain() }

// Close says goodbye on the TLS layer, as far as that does not block, and closes the socket.
func (c *Conn) Close() error {
	if t := c.tls.Load(); t != nil {
		c.socket.gather(true)
		return t.Close()
	}
	return c.socket.Close()
}

// LocalAddr is our end.
func (c *Conn) LocalAddr() net.Addr { return c.socket.LocalAddr() }

// RemoteAddr is the peer's end.
func (c *Conn) RemoteAddr() net.Addr { return c.socket.RemoteAddr() }

// SetDeadline is that of the socket.
func (c *Conn) SetDeadline(t time.Time) error { return c.socket.SetDeadline(t) }

// SetReadDeadline is that of the socket.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.socket.SetReadDeadline(t) }

// SetWriteDeadline is that of the socket.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.socket.SetWriteDeadline(t) }

// socket is below TLS. TLS may write from the goroutine that reads (alerts, key
// updates), so all writes meet here.
type socket struct {
	net.Conn
	raw syscall.RawConn // nil where writes cannot be tried
	put func(fd uintptr) bool

	mu        sync.Mutex
	gathering bool    // writes are only collected
	draining  bool    // drain has the socket
	left      *[]byte // what the socket has not taken yet

	// In and out of put, under mu. No write under mu blocks.
	out  []byte
	n    int
	fail error

	// In and out of get. They belong to the goroutine that reads.
	get func(fd uintptr) bool
	in  []byte
	got int
	bad error
}

func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	if !s.gathering && !s.draining && s.left == nil {
		s.mu.Unlock()
		return s.Conn.Write(p)
	}
	defer s.mu.Unlock()
	if !s.gathering && s.left != nil && len(*s.left)+len(p) > maxLeft {
		return 0, ErrSlow
	}
	s.keep(p)
	return len(p), nil
}

// keep adds p to what is left. The lock is held.
func (s *socket) keep(p []byte) {
	if s.left == nil {
		s.left = queueBuffers.Get().(*[]byte)
	}
	*s.left = append(*s.left, p...)
}

func (s *socket) gather(on bool) {
	s.mu.Lock()
	s.gathering = on
	s.mu.Unlock()
}

// attempt writes p, or what is left where p is nil, as far as the socket takes it at
// once, and keeps the rest.
func (s *socket) attempt(p []byte) (more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining:
		return s.left != nil, nil
	case s.left == nil:
		n, err := s.push(p)
		if err != nil || n == len(p) {
			return false, err
		}
		s.keep(p[n:])
		return true, nil
	}
	n, err := s.push(*s.left)
	if err == nil && n < len(*s.left) {
		*s.left = append((*s.left)[:0], (*s.left)[n:]...)
		return true, nil
	}
	keep(s.left)
	s.left = nil
	return false, err
}

// Close gives the socket what is left, for once: the end of TLS is among it (RFC 6120
// §4.9.1.1). A connection that cannot be asked not to block gets a moment for that.
func (s *socket) Close() error {
	s.mu.Lock()
	left := s.left
	if s.draining {
		left = nil // somebody waits on the socket; what is left comes behind that
	}
	switch {
	case left == nil:
	case s.raw != nil:
		// crypto/tls leaves a deadline behind that is over; push does not wait anyway.
		_ = s.Conn.SetWriteDeadline(time.Time{})
		_, _ = s.push(*left) // the peer may be gone
	default:
		s.left, s.draining = nil, true
	}
	s.mu.Unlock()
	if left != nil && s.raw == nil {
		_ = s.Conn.SetWriteDeadline(time.Now().Add(goodbye))
		_, _ = s.Conn.Write(*left)
	}
	return s.Conn.Close()
}

func (s *socket) drain() error {
	for {
		s.mu.Lock()
		b := s.left
		s.left, s.draining = nil, b != nil
		s.mu.Unlock()
		if b == nil {
			return nil
		}
		_, err := s.Conn.Write(*b)
		keep(b)
		if err != nil {
			return err
		}
	}
}
