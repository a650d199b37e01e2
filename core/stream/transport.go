package stream

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/dragoman-im/dragoman/core/outbound"
)

// Transport carries the bytes of a stream without frames, for example a socket.Conn. Close ends a Read and a
// Write in progress. A read deadline also applies to a Read in progress, and reading can continue after a
// later deadline has been set.
type Transport interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	Close() error
}

// FrameTransport carries a framed stream: the messages of a WebSocket (RFC 7395), or the bodies of a
// BOSH session (XEP-0206), which are read and written as if they had the open and close elements of RFC 7395 instead of the attributes of
// a body. Each frame is one complete element. Deadlines and Close behave as those of a Transport.
type FrameTransport interface {
	// ReadFrame blocks until the next frame arrives. The frame must stay unchanged until the following call. It returns nil without an
	// error if something else has arrived that shows that the peer lives. A frame that is longer than its frameLimiter allows is ErrTooBig.
	ReadFrame() ([]byte, error)
	// WriteFrames writes all of p; frame i ends at ends[i] and begins where the previous one ends.
	WriteFrames(p []byte, ends []int) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	Close() error
}

// frameLimiter is a FrameTransport that limits the bytes of a frame before it has arrived. The goroutine that reads calls SetMaxFrame.
type frameLimiter interface{ SetMaxFrame(n int) }

// buffered is a FrameTransport that reports whether ReadFrame would return without waiting.
type buffered interface{ HasFrame() bool }

// pinger is a FrameTransport that can ask the peer by itself whether it lives. The answer makes ReadFrame return nil.
type pinger interface{ AppendPing(dst []byte) []byte }

// answerer is a FrameTransport that appends answers to the queue of the connection: bytes that are not an element, and so do not begin
// with '<'.
type answerer interface{ UseQueue(q *outbound.Queue) }

// lingerer is a transport that can end its own direction and wait for the peer before it is closed.
type lingerer interface{ Linger(until time.Time) }

// tlsTransport is a transport that can change to TLS after it has been used without.
type tlsTransport interface {
	ServerTLS(ctx context.Context, cfg *tls.Config) error
	ClientTLS(ctx context.Context, cfg *tls.Config) error
	TLS() (tls.ConnectionState, bool)
}

// base returns what both kinds of transports have.
func (c *Conn) base() interface {
	SetReadDeadline(t time.Time) error
	Close() error
} {
	if c.frames != nil {
		return c.frames
	}
	return c.transport
}
