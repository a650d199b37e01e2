package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// maxLeft bounds what TLS itself may write while the socket takes nothing.
	maxLeft = 256 << 10
	// closeNotifyTime is how long the end of TLS may take to write where the socket cannot be asked not to block.
	closeNotifyTime = 200 * time.Millisecond
	// lingerBytes is how much input is discarded before a socket is closed.
	lingerBytes = 1 << 20
)

// errLeft ends a connection whose peer makes TLS answer and reads no answers.
var errLeft = errors.New("peer does not read what TLS answers")

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// maxKeptBuffer is the largest buffer that goes back to the pool.
const maxKeptBuffer = 64 << 10

func recycle(b *[]byte) {
	if cap(*b) <= maxKeptBuffer {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}

// Conn is a TCP connection that carries a stream. It can change to TLS in place, and it can be asked to
// write no more than the operating system takes at once: a queue of output then needs no goroutine, which
// costs as much as the write itself.
type Conn struct {
	raw *rawSocket
	tls atomic.Pointer[tls.Conn]
}

// New makes a Conn of a connection that has just been accepted or dialled. It takes
// connections of all kinds; only those of the operating system can be asked not to block.
func New(c net.Conn) *Conn {
	r := &rawSocket{Conn: c}
	r.open()
	return &Conn{raw: r}
}

// ServerTLS does the handshake of the accepting side. Nothing may be written meanwhile,
// and what is left in the input buffers must be discarded afterwards.
func (s *Conn) ServerTLS(ctx context.Context, cfg *tls.Config) error {
	return s.handshake(ctx, tls.Server(s.raw, cfg))
}

// ClientTLS does the handshake of the side that dialled.
func (s *Conn) ClientTLS(ctx context.Context, cfg *tls.Config) error {
	return s.handshake(ctx, tls.Client(s.raw, cfg))
}

func (s *Conn) handshake(ctx context.Context, t *tls.Conn) error {
	if s.tls.Load() != nil {
		return errors.New("socket: TLS within TLS")
	}
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	s.tls.Store(t)
	return nil
}

// TLS is the state of the TLS connection; false if there is none.
func (s *Conn) TLS() (tls.ConnectionState, bool) {
	if t := s.tls.Load(); t != nil {
		return t.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}

func (s *Conn) layer() net.Conn {
	if t := s.tls.Load(); t != nil {
		return t
	}
	return s.raw
}

// Read reads what the peer has sent.
func (s *Conn) Read(p []byte) (int, error) { return s.layer().Read(p) }

// Write writes all of p and waits for that as long as it takes.
func (s *Conn) Write(p []byte) (int, error) { return s.layer().Write(p) }

// TryWrite takes all of p and writes what the socket accepts at once, in one call of the
// operating system. more means that something is left for Drain. It must not be used by
// two goroutines at once, nor beside Write and Drain, nor if CanTry is false.
func (s *Conn) TryWrite(p []byte) (more bool, err error) {
	t := s.tls.Load()
	if t == nil {
		return s.raw.attempt(p)
	}
	s.raw.collect(true)
	_, err = t.Write(p)
	s.raw.collect(false)
	if err != nil {
		return false, err
	}
	return s.raw.attempt(nil)
}

// CanTry reports whether the socket can be asked not to block.
func (s *Conn) CanTry() bool { return s.raw.fd != nil }

// Drain waits until the socket has taken what TryWrite left.
func (s *Conn) Drain() error { return s.raw.drain() }

// Linger ends our direction, with close_notify if there is TLS, and then reads and discards what
// the peer still sends until that ends or the deadline passes: closing a socket with unread input
// would make the peer lose what was written last. Nothing may be written meanwhile or afterwards.
func (s *Conn) Linger(until time.Time) {
	if t := s.tls.Load(); t != nil {
		s.raw.collect(true)
		_ = t.CloseWrite() // the peer may be gone
	}
	s.raw.finish()
	if c, ok := s.raw.Conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	_ = s.raw.Conn.SetReadDeadline(until)
	_, _ = io.CopyN(io.Discard, s.raw.Conn, lingerBytes)
}

// Close sends close_notify on the TLS layer, as far as that does not block, and closes the socket.
func (s *Conn) Close() error {
	if t := s.tls.Load(); t != nil {
		s.raw.collect(true)
		return t.Close()
	}
	return s.raw.Close()
}

// LocalAddr is our end.
func (s *Conn) LocalAddr() net.Addr { return s.raw.LocalAddr() }

// RemoteAddr is the peer's end.
func (s *Conn) RemoteAddr() net.Addr { return s.raw.RemoteAddr() }

// SetDeadline is that of the socket.
func (s *Conn) SetDeadline(t time.Time) error { return s.raw.SetDeadline(t) }

// SetReadDeadline is that of the socket.
func (s *Conn) SetReadDeadline(t time.Time) error { return s.raw.SetReadDeadline(t) }

// SetWriteDeadline is that of the socket.
func (s *Conn) SetWriteDeadline(t time.Time) error { return s.raw.SetWriteDeadline(t) }

// rawSocket is below TLS. TLS may write from the goroutine that reads (alerts, key
// updates), so all writes come together here.
type rawSocket struct {
	net.Conn
	fd  syscall.RawConn // nil if the socket cannot be asked not to block
	put func(fd uintptr) bool

	mu         sync.Mutex
	collecting bool    // writes are only appended to left
	draining   bool    // drain is writing
	left       *[]byte // what the socket has not taken yet

	// Arguments and results of put, under mu. No write under mu blocks.
	out  []byte
	n    int
	fail error

	// Arguments and results of get. They belong to the goroutine that reads.
	get func(fd uintptr) bool
	in  []byte
	got int
	bad error
}

func (s *rawSocket) Write(p []byte) (int, error) {
	s.mu.Lock()
	if !s.collecting && !s.draining && s.left == nil {
		s.mu.Unlock()
		return s.Conn.Write(p)
	}
	defer s.mu.Unlock()
	if !s.collecting && s.left != nil && len(*s.left)+len(p) > maxLeft {
		return 0, &net.OpError{Op: "write", Net: s.LocalAddr().Network(), Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: errLeft}
	}
	s.keep(p)
	return len(p), nil
}

// keep adds p to what is left. The lock is held.
func (s *rawSocket) keep(p []byte) {
	if s.left == nil {
		s.left = buffers.Get().(*[]byte)
	}
	*s.left = append(*s.left, p...)
}

func (s *rawSocket) collect(on bool) {
	s.mu.Lock()
	s.collecting = on
	s.mu.Unlock()
}

// attempt writes p, or what is left if p is nil, as far as the socket takes it at
// once, and keeps the rest.
func (s *rawSocket) attempt(p []byte) (more bool, err error) {
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
	recycle(s.left)
	s.left = nil
	return false, err
}

// Close writes what is left, as far as that does not block, and closes the socket.
func (s *rawSocket) Close() error {
	s.finish()
	return s.Conn.Close()
}

// finish tries to write what is left, once: the end of TLS is among it (RFC 6120 §4.9.1.1). A
// socket that cannot be asked not to block gets closeNotifyTime for that.
func (s *rawSocket) finish() {
	s.mu.Lock()
	left := s.left
	if s.draining {
		left = nil // drain waits for the socket; what is left comes behind that
	}
	switch {
	case left == nil:
	case s.fd != nil:
		// crypto/tls leaves a deadline in the past behind; push does not wait anyway.
		_ = s.Conn.SetWriteDeadline(time.Time{})
		n, _ := s.push(*left) // the peer may be gone
		if *left = append((*left)[:0], (*left)[n:]...); len(*left) == 0 {
			s.left = nil
		}
	default:
		s.left, s.draining = nil, true
	}
	s.mu.Unlock()
	if left != nil && s.fd == nil {
		_ = s.Conn.SetWriteDeadline(time.Now().Add(closeNotifyTime))
		_, _ = s.Conn.Write(*left)
	}
}

func (s *rawSocket) drain() error {
	for {
		s.mu.Lock()
		b := s.left
		s.left, s.draining = nil, b != nil
		s.mu.Unlock()
		if b == nil {
			return nil
		}
		_, err := s.Conn.Write(*b)
		recycle(b)
		if err != nil {
			return err
		}
	}
}
