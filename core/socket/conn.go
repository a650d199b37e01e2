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
	// maxUnsent limits the bytes of TLS alerts and key updates that wait while the peer does not read.
	maxUnsent = 256 << 10
	// closeNotifyTime limits the write of close_notify on a connection that has no non-blocking write.
	closeNotifyTime = 200 * time.Millisecond
	// lingerBytes limits the input that Linger discards.
	lingerBytes = 1 << 20
)

// errUnsent ends a connection whose peer causes answers of the TLS layer and does not read them.
var errUnsent = errors.New("peer does not read the answers of the TLS layer")

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// maxKeptBuffer is the largest buffer that goes back to the pool.
const maxKeptBuffer = 64 << 10

func recycle(b *[]byte) {
	if cap(*b) <= maxKeptBuffer {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}

// Conn is a TCP connection that carries a stream. It can change to TLS in place, and TryWrite writes without
// blocking: a queue of output then needs no goroutine, which would cost as much as the write itself.
type Conn struct {
	raw     *rawSocket
	tls     atomic.Pointer[tls.Conn]
	watched watchedSocket // of the Watcher
}

// watchedSocket is a socket's number, and which call of Watcher.Watch it is for.
type watchedSocket struct{ fd, count int32 }

// New wraps a connection that has just been accepted or dialled. It accepts any net.Conn, but CanTry is
// true only for sockets of the operating system.
func New(c net.Conn) *Conn {
	r := &rawSocket{Conn: c}
	r.open()
	return &Conn{raw: r}
}

// ServerTLS does the TLS handshake of the accepting side. The caller must not write during it, and must
// afterwards discard input that it has buffered.
func (s *Conn) ServerTLS(ctx context.Context, cfg *tls.Config) error {
	return s.handshake(ctx, tls.Server(newStagedSocket(s.raw), cfg))
}

// ClientTLS does the handshake of the side that dialled.
func (s *Conn) ClientTLS(ctx context.Context, cfg *tls.Config) error {
	return s.handshake(ctx, tls.Client(newStagedSocket(s.raw), cfg))
}

func (s *Conn) handshake(ctx context.Context, t *tls.Conn) error {
	if s.tls.Load() != nil {
		return errors.New("socket: TLS within TLS")
	}
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	below(t).begin()
	s.tls.Store(t)
	return nil
}

// TLS returns the state of the TLS connection; false if there is none.
func (s *Conn) TLS() (tls.ConnectionState, bool) {
	if t := s.tls.Load(); t != nil {
		return t.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}

// Read reads what the peer has sent. Only one goroutine may call it. It waits outside of the TLS layer, see
// stagedSocket.
func (s *Conn) Read(p []byte) (int, error) {
	t := s.tls.Load()
	if t == nil {
		return s.raw.Read(p)
	}
	for {
		n, err := t.Read(p)
		if err != errNoInput {
			return n, err
		}
		below(t).wait()
	}
}

// Write writes all of p. It blocks until that is done.
func (s *Conn) Write(p []byte) (int, error) {
	if t := s.tls.Load(); t != nil {
		return t.Write(p)
	}
	return s.raw.Write(p)
}

// TryWrite accepts all of p and writes as much as the socket accepts without blocking, in one system
// call. more reports that bytes remain for Drain. Only one goroutine at a time may call TryWrite, Write
// or Drain. TryWrite must not be called if CanTry is false.
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

// Touch reads memory that a write uses, so that the processor has it then. What it returns means nothing.
func (s *Conn) Touch() int {
	n := 0
	if s.raw.fd != nil {
		n++
	}
	if s.raw.Conn.LocalAddr() != nil {
		n++
	}
	return n
}

// CanTry reports whether TryWrite may be used: whether the socket has non-blocking writes.
func (s *Conn) CanTry() bool { return s.raw.fd != nil }

// Drain blocks until the bytes that TryWrite did not write are written.
func (s *Conn) Drain() error { return s.raw.drain() }

// Linger ends our direction, with close_notify if there is TLS, and then reads and discards input
// until the peer ends its direction or the deadline passes. Closing a socket with unread input
// resets the connection, and the peer loses what was written last. The caller must not write during or after it.
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

// LocalAddr returns the local address.
func (s *Conn) LocalAddr() net.Addr { return s.raw.LocalAddr() }

// RemoteAddr returns the address of the peer.
func (s *Conn) RemoteAddr() net.Addr { return s.raw.RemoteAddr() }

// SetDeadline sets the read and write deadline of the socket.
func (s *Conn) SetDeadline(t time.Time) error { return s.raw.SetDeadline(t) }

// SetReadDeadline sets the read deadline of the socket.
func (s *Conn) SetReadDeadline(t time.Time) error { return s.raw.SetReadDeadline(t) }

// SetWriteDeadline sets the write deadline of the socket.
func (s *Conn) SetWriteDeadline(t time.Time) error { return s.raw.SetWriteDeadline(t) }

// rawSocket is the connection below the TLS layer. TLS may write from the goroutine that reads (alerts, key
// updates), so rawSocket serialises those writes with the others.
type rawSocket struct {
	net.Conn
	fd  syscall.RawConn // nil if there are no non-blocking writes
	put func(fd uintptr) bool

	mu         sync.Mutex
	collecting bool    // writes are only appended to unsent
	draining   bool    // drain is writing
	unsent     *[]byte // what the socket has not accepted yet

	// Arguments and results of put, guarded by mu. No write under mu blocks.
	out    []byte
	putN   int
	putErr error

	// Arguments and results of get, used by the reading goroutine only.
	get    func(fd uintptr) bool
	in     []byte
	getN   int
	getErr error
}

func (s *rawSocket) Write(p []byte) (int, error) {
	s.mu.Lock()
	if !s.collecting && !s.draining && s.unsent == nil {
		s.mu.Unlock()
		return s.Conn.Write(p)
	}
	defer s.mu.Unlock()
	if !s.collecting && s.unsent != nil && len(*s.unsent)+len(p) > maxUnsent {
		return 0, &net.OpError{Op: "write", Net: s.LocalAddr().Network(), Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: errUnsent}
	}
	s.appendUnsent(p)
	return len(p), nil
}

// appendUnsent adds p to unsent. The caller holds mu.
func (s *rawSocket) appendUnsent(p []byte) {
	if s.unsent == nil {
		s.unsent = buffers.Get().(*[]byte)
	}
	*s.unsent = append(*s.unsent, p...)
}

func (s *rawSocket) collect(on bool) {
	s.mu.Lock()
	s.collecting = on
	s.mu.Unlock()
}

// attempt writes p, or unsent if p is nil, as far as the socket accepts it without
// blocking, and keeps the rest in unsent.
func (s *rawSocket) attempt(p []byte) (more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining:
		return s.unsent != nil, nil
	case s.unsent == nil:
		n, err := s.push(p)
		if err != nil || n == len(p) {
			return false, err
		}
		s.appendUnsent(p[n:])
		return true, nil
	}
	n, err := s.push(*s.unsent)
	if err == nil && n < len(*s.unsent) {
		*s.unsent = append((*s.unsent)[:0], (*s.unsent)[n:]...)
		return true, nil
	}
	recycle(s.unsent)
	s.unsent = nil
	return false, err
}

// Close writes unsent as far as that does not block, and closes the socket.
func (s *rawSocket) Close() error {
	s.finish()
	return s.Conn.Close()
}

// finish tries once to write unsent, which contains close_notify (RFC 6120 §4.9.1.1). The write may take
// closeNotifyTime on a connection without non-blocking writes.
func (s *rawSocket) finish() {
	s.mu.Lock()
	unsent := s.unsent
	if s.draining {
		unsent = nil // drain is writing earlier bytes
	}
	switch {
	case unsent == nil:
	case s.fd != nil:
		// crypto/tls has set a deadline in the past; push does not block anyway.
		_ = s.Conn.SetWriteDeadline(time.Time{})
		n, _ := s.push(*unsent) // the peer may be gone
		if *unsent = append((*unsent)[:0], (*unsent)[n:]...); len(*unsent) == 0 {
			s.unsent = nil
		}
	default:
		s.unsent, s.draining = nil, true
	}
	s.mu.Unlock()
	if unsent != nil && s.fd == nil {
		_ = s.Conn.SetWriteDeadline(time.Now().Add(closeNotifyTime))
		_, _ = s.Conn.Write(*unsent)
	}
}

func (s *rawSocket) drain() error {
	for {
		s.mu.Lock()
		b := s.unsent
		s.unsent, s.draining = nil, b != nil
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
