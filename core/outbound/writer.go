package outbound

import "time"

// Writer is a connection that carries the bytes of a stream without frames, such as a stream.Transport.
type Writer interface {
	Write(p []byte) (int, error)
	SetWriteDeadline(t time.Time) error
}

// FrameWriter is a connection that carries a framed stream, such as a stream.FrameTransport.
type FrameWriter interface {
	// WriteFrames writes all of p; frame i ends at ends[i] and begins where the previous one ends.
	WriteFrames(p []byte, ends []int) error
	SetWriteDeadline(t time.Time) error
}

// FrameSocket is a FrameWriter with non-blocking writes.
type FrameSocket interface {
	// CanTry reports whether TryWriteFrames may be used.
	CanTry() bool
	// TryWriteFrames is Socket.TryWrite for frames: see FrameWriter.
	TryWriteFrames(p []byte, ends []int) (more bool, err error)
	// Drain blocks until the remaining bytes are written.
	Drain() error
	SetWriteDeadline(t time.Time) error
}

// Socket is a Writer with non-blocking writes, such as socket.Conn.
type Socket interface {
	// CanTry reports whether TryWrite may be used.
	CanTry() bool
	// TryWrite accepts all of p and writes what the operating system accepts at once; more means that
	// bytes remain for Drain.
	TryWrite(p []byte) (more bool, err error)
	// Drain blocks until the remaining bytes are written.
	Drain() error
	SetWriteDeadline(t time.Time) error
}
