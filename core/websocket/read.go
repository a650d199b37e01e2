package websocket

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stream"
)

const (
	// usualFragments is how many frames a message may have without SetMaxFragments.
	usualFragments = 8
	// smallBuffer is what a silent connection keeps, and readBuffer what a busy one reads into.
	smallBuffer = 512
	readBuffer  = 8 << 10
)

var readBuffers = sync.Pool{New: func() any { b := make([]byte, readBuffer); return &b }}

// Conn is the server's end of a WebSocket: a stream.FrameTransport.
type Conn struct {
	net   *socket.Conn
	queue *outbound.Queue // pongs are appended to it

	in      input
	message fragments

	writing atomic.Bool   // a writer has the connection, or nothing is written any more
	code    atomic.Uint32 // of the close frame; 0: normal
}

// input is what has arrived. The goroutine that reads owns it.
type input struct {
	small []byte
	big   *[]byte // from the pool; nil: buf is small, or was made for one long frame
	buf   []byte
	r, w  int  // what of buf is unread
	full  bool // the latest read filled buf
	max   int  // bytes of a message
}

// fragments are the frames of a message whose last one has not arrived (RFC 6455 §5.4).
type fragments struct {
	begun bool
	count int
	data  []byte

	max      int            // of a message
	exceeded *atomic.Uint64 // counts those that have more
}

// newConn returns the connection; early is what the client has sent after its handshake.
func newConn(nc net.Conn, early []byte) *Conn {
	c := &Conn{net: socket.New(nc), message: fragments{max: usualFragments, exceeded: new(atomic.Uint64)}}
	c.in.small = make([]byte, smallBuffer)
	c.in.buf = c.in.small
	if len(early) > 0 {
		c.in.buf, c.in.w = early, len(early)
	}
	return c
}

// SetMaxFragments limits the frames of a message, and counts messages that have more.
func (c *Conn) SetMaxFragments(n int, exceeded *atomic.Uint64) {
	c.message.max, c.message.exceeded = n, exceeded
}

// SetMaxFrame sets the bytes of a message that may arrive. The goroutine that reads calls it.
func (c *Conn) SetMaxFrame(n int) { c.in.max = n }

// UseQueue sets the queue to which answers to pings are appended.
func (c *Conn) UseQueue(q *outbound.Queue) { c.queue = q }

// SetReadDeadline implements stream.FrameTransport.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.net.SetReadDeadline(t) }

// HasFrame reports whether ReadFrame would return a message without waiting.
func (c *Conn) HasFrame() bool {
	h, size, code := parseHeader(c.in.buf[c.in.r:c.in.w])
	return code == 0 && size > 0 && h.fin && uint64(c.in.w-c.in.r-size) >= h.length
}

// ReadFrame implements stream.FrameTransport: it returns the next message, or nil after a ping or pong.
func (c *Conn) ReadFrame() ([]byte, error) {
	for {
		h, payload, err := c.next()
		if err != nil {
			return nil, err
		}
		switch {
		case h.opcode == ping:
			c.queue.Append(func(dst []byte) []byte { return append(appendHeader(dst, pong, len(payload)), payload...) })
			c.queue.Flush()
			return nil, nil
		case h.opcode == pong:
			return nil, nil
		case h.opcode == closing: // RFC 7395 §3.6: the stream has ended with it
			return nil, io.EOF
		case h.fin && !c.message.begun:
			return payload, nil
		}
		if whole, ok, err := c.message.add(h, payload); ok || err != nil {
			return whole, err
		}
	}
}

// add adds a frame to the message. It returns the whole message if the frame is the last one.
func (f *fragments) add(h header, payload []byte) (whole []byte, ok bool, err error) {
	if f.count++; f.count > f.max { // they may be empty
		f.exceeded.Add(1)
		return nil, false, stream.NewError(stream.PolicyViolation, "too many fragments")
	}
	if !f.begun {
		f.begun, f.data = true, make([]byte, 0, len(payload)) // not nil, which would be no message
	}
	f.data = append(f.data, payload...)
	if !h.fin {
		return nil, false, nil
	}
	whole = f.data
	f.begun, f.count, f.data = false, 0, nil
	return whole, true, nil
}

// next returns the next frame. Its payload is valid until the following call.
func (c *Conn) next() (h header, payload []byte, err error) {
	in := &c.in
	for {
		h, size, code := parseHeader(in.buf[in.r:in.w])
		if code == 0 && size > 0 && !h.opcode.isControl() && (h.opcode == continuation) != c.message.begun {
			code = protocolError // RFC 6455 §5.4
		}
		switch {
		case code != 0:
			return h, nil, c.violation(code)
		case size > 0 && !h.opcode.isControl() && h.length+uint64(len(c.message.data)) > uint64(in.max):
			return h, nil, stream.ErrTooBig
		case size > 0 && in.w-in.r >= size+int(h.length):
			payload = in.buf[in.r+size : in.r+size+int(h.length)]
			unmask(payload, h.mask)
			in.r += size + int(h.length)
			return h, payload, nil
		}
		if err := in.fill(c.net, size+int(h.length)); err != nil {
			return h, nil, err
		}
	}
}

// violation ends the connection because the client breaks RFC 6455: it is told so by the close frame, not in the stream.
func (c *Conn) violation(code uint16) error {
	c.code.Store(uint32(code))
	return fmt.Errorf("close frame %d: %w", code, net.ErrClosed)
}

// fill reads once. frame is the size of the frame that begins at r, as far as it is known.
func (in *input) fill(from io.Reader, frame int) error {
	in.makeRoom(frame)
	n, err := from.Read(in.buf[in.w:])
	in.w += n
	if n > 0 {
		in.full = in.w == len(in.buf)
		return nil
	}
	return err
}

// makeRoom makes space after w. A connection of which nothing has arrived returns to the small buffer, unless its latest read has
// filled what it had. A buffer grows with what has arrived, not with what a header announces.
func (in *input) makeRoom(frame int) {
	have := in.w - in.r
	switch {
	case have == 0 && !in.full:
		in.release()
	case have == 0 && in.big != nil:
		in.r, in.w = 0, 0
	case in.w < len(in.buf):
	case have <= readBuffer/2 && in.big == nil:
		in.move(readBuffers.Get().(*[]byte), nil)
	case have <= len(in.buf)/2:
		copy(in.buf, in.buf[in.r:in.w])
		in.r, in.w = 0, have
	default:
		in.move(nil, make([]byte, max(have+1, min(2*have, frame))))
	}
}

// move continues in another buffer: of the pool, or one that was made.
func (in *input) move(big *[]byte, made []byte) {
	next := made
	if big != nil {
		next = *big
	}
	have := copy(next, in.buf[in.r:in.w])
	if in.big != nil {
		readBuffers.Put(in.big)
	}
	in.big, in.buf, in.r, in.w = big, next, 0, have
}

// release returns to the small buffer. Nothing is unread.
func (in *input) release() {
	if in.big != nil {
		readBuffers.Put(in.big)
		in.big = nil
	}
	in.buf, in.r, in.w = in.small, 0, 0
}
