package websocket

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// closeTime limits the write of a close frame when the connection is closed at once.
	closeTime = 200 * time.Millisecond
	// lingerBytes limits the input that Linger discards.
	lingerBytes = 1 << 20
	// maxKeptBuffer is the largest buffer that goes back to the pool.
	maxKeptBuffer = 64 << 10
)

var writeBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// encode returns the frames of p in a buffer that the caller gives back. An element begins with '<'; what begins with a byte of which the
// highest bit is set is a control frame already.
func encode(p []byte, ends []int) *[]byte {
	b := writeBuffers.Get().(*[]byte)
	from := 0
	for _, end := range ends {
		frame := p[from:end]
		if frame[0]&finBit == 0 {
			*b = appendHeader(*b, text, len(frame))
		}
		*b = append(*b, frame...)
		from = end
	}
	return b
}

func recycle(b *[]byte) {
	if cap(*b) <= maxKeptBuffer {
		*b = (*b)[:0]
		writeBuffers.Put(b)
	}
}

// WriteFrames implements outbound.FrameWriter.
func (c *Conn) WriteFrames(p []byte, ends []int) error {
	if !c.writing.CompareAndSwap(false, true) {
		return net.ErrClosed
	}
	b := encode(p, ends)
	_, err := c.net.Write(*b)
	recycle(b)
	if err == nil {
		c.writing.Store(false)
	}
	return err
}

// CanTry implements outbound.FrameSocket.
func (c *Conn) CanTry() bool { return c.net.CanTry() }

// TryWriteFrames implements outbound.FrameSocket.
func (c *Conn) TryWriteFrames(p []byte, ends []int) (more bool, err error) {
	if !c.writing.CompareAndSwap(false, true) {
		return false, net.ErrClosed
	}
	b := encode(p, ends)
	more, err = c.net.TryWrite(*b)
	recycle(b)
	if err == nil && !more {
		c.writing.Store(false)
	}
	return more, err
}

// Drain implements outbound.FrameSocket.
func (c *Conn) Drain() error {
	err := c.net.Drain()
	if err == nil {
		c.writing.Store(false)
	}
	return err
}

// Touch reads memory that a write uses, so that the processor has it then.
func (c *Conn) Touch() int { return c.net.Touch() }

// SetWriteDeadline implements outbound.FrameWriter.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.net.SetWriteDeadline(t) }

// AppendPing appends a request to show that the connection lives (RFC 7395 §3.8).
func (c *Conn) AppendPing(dst []byte) []byte { return appendHeader(dst, ping, 0) }

// sendClose writes the close frame (RFC 6455 §5.5.1), unless something is being written.
func (c *Conn) sendClose(until time.Time) bool {
	if !c.writing.CompareAndSwap(false, true) {
		return false
	}
	code := uint16(normalClosure)
	if other := c.code.Load(); other != 0 {
		code = uint16(other)
	}
	frame := binary.BigEndian.AppendUint16(appendHeader(nil, closing, 2), code)
	if c.net.CanTry() {
		_, _ = c.net.TryWrite(frame) // the peer may be gone
		return true
	}
	_ = c.net.SetWriteDeadline(until)
	_, _ = c.net.Write(frame)
	return true
}

// Linger begins the closing handshake (RFC 7395 §3.6) and waits for the client's close frame, which browsers need to see a clean end.
func (c *Conn) Linger(until time.Time) {
	if !c.sendClose(until) {
		return
	}
	_ = c.net.SetReadDeadline(until)
	rest := &io.LimitedReader{R: c.net, N: lingerBytes}
	for {
		h, size, code := parseHeader(c.in.buf[c.in.r:c.in.w])
		switch {
		case code != 0: // what follows cannot be understood
			_, _ = io.Copy(io.Discard, rest)
			return
		case size > 0 && h.opcode == closing:
			return
		case size > 0:
			skipped := min(uint64(c.in.w-c.in.r-size), h.length)
			c.in.r += size + int(skipped)
			if n := int64(h.length - skipped); n > 0 {
				if m, _ := io.CopyN(io.Discard, rest, n); m < n {
					return
				}
			}
		default:
			if c.in.fill(rest, size) != nil {
				return
			}
		}
	}
}

// Close sends the close frame, as far as that does not block, and closes the connection.
func (c *Conn) Close() error {
	c.sendClose(time.Now().Add(closeTime))
	return c.net.Close()
}
