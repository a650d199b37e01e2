package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clientFrame is a frame as a client sends it.
func clientFrame(first byte, payload []byte, mask [4]byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, maskBit|byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, maskBit|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, maskBit|127), uint64(n))
	}
	b = append(b, mask[:]...)
	for i, x := range payload {
		b = append(b, x^mask[i&3])
	}
	return b
}

// Messages of all sizes, in fragments and in parts of any size, with control frames between them, arrive as they were sent, also when a
// deadline passes within one; afterwards the connection holds no large buffer.
func TestMessagesArrive(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		var wire []byte
		var sent [][]byte
		for range 30 {
			message := make([]byte, [...]int{0, 1, 125, 126, 500, 513, 4000, 8191, 8192, 8193, 40_000, 65_535, 65_536, 200_000}[r.IntN(14)])
			for i := range message {
				message[i] = byte(r.Uint32())
			}
			sent = append(sent, message)
			rest, first := message, byte(text)
			for range r.IntN(4) {
				n := r.IntN(len(rest) + 1)
				wire = append(wire, clientFrame(first, rest[:n], [4]byte{byte(seed), 2, 3, 4})...)
				rest, first = rest[n:], byte(continuation)
				if r.IntN(3) == 0 {
					wire = append(wire, clientFrame(finBit|byte([]opcode{ping, pong}[r.IntN(2)]), rest[:min(5, len(rest))], [4]byte{9, 8, 7, 6})...)
				}
			}
			wire = append(wire, clientFrame(finBit|first, rest, [4]byte{byte(r.Uint32()), 7})...)
		}
		ours, theirs := net.Pipe()
		go func() {
			for len(wire) > 0 {
				n := min(len(wire), 1+r.IntN(20_000))
				_, _ = theirs.Write(wire[:n])
				wire = wire[n:]
			}
			_ = theirs.Close()
		}()
		c := newConn(ours, nil)
		c.SetMaxFrame(200_000)
		c.UseQueue(outbound.NewFrameQueue(discard{}, "", outbound.Limits{}, nil))
		for i, want := range sent {
			var got []byte
			var err error
			for got == nil && err == nil {
				got, err = c.ReadFrame()
			}
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("seed %d: message %d of %d bytes is %d bytes, %v", seed, i, len(want), len(got), err)
			}
		}
		if _, err := c.ReadFrame(); err != io.EOF || len(c.in.buf) > readBuffer {
			t.Errorf("seed %d: at the end %v, with a buffer of %d bytes", seed, err, len(c.in.buf))
		}
		c.queue.Wait()
		_ = c.Close()
	}
}

// discard is a transport that takes everything.
type discard struct{}

func (discard) WriteFrames([]byte, []int) error  { return nil }
func (discard) SetWriteDeadline(time.Time) error { return nil }

// A frame that is too long is refused by its header.
func TestTooLong(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	c := newConn(ours, clientFrame(finBit|byte(text), make([]byte, 1001), [4]byte{})[:20])
	c.SetMaxFrame(1000)
	if _, err := c.ReadFrame(); err != stream.ErrTooBig {
		t.Error(err)
	}
}

// A deadline in the middle of a frame loses nothing.
func TestDeadlineWithinFrame(t *testing.T) {
	t.Parallel()
	ours, theirs := rawstream.Pair(t)
	c := newConn(ours, nil)
	c.SetMaxFrame(10_000)
	wire := clientFrame(finBit|byte(text), []byte(strings.Repeat("<a/>", 500)), [4]byte{1, 2, 3, 4})
	for at, part := range [][]byte{wire[:1], wire[1:5], wire[5:900]} {
		if _, err := theirs.Write(part); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if f, err := c.ReadFrame(); err == nil {
			t.Fatalf("part %d gave %d bytes", at, len(f))
		}
	}
	if _, err := theirs.Write(wire[900:]); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Time{})
	if f, err := c.ReadFrame(); err != nil || string(f) != strings.Repeat("<a/>", 500) {
		t.Errorf("%d bytes, %v", len(f), err)
	}
}

// Frames leave in one write, and nothing after the close frame.
func TestWrites(t *testing.T) {
	t.Parallel()
	ours, theirs := rawstream.Pair(t)
	c := newConn(ours, nil)
	long := "<" + strings.Repeat("x", 70_000) + ">"
	p := "<a/>" + "<" + strings.Repeat("b", 200) + ">" + long + string(c.AppendPing(nil))
	more, err := c.TryWriteFrames([]byte(p), []int{4, 206, 206 + len(long), len(p)})
	if err != nil {
		t.Fatal(err)
	}
	want := "\x81\x04<a/>" + "\x81\x7e\x00\xca" + p[4:206] + "\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x72" + long + "\x89\x00" + "\x88\x02\x03\xe8"
	done := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(theirs)
		done <- string(b)
	}()
	if more {
		if err := c.Drain(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
	if _, err := c.TryWriteFrames([]byte("<a/>"), []int{4}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("written after the end: %v", err)
	}
}

// FuzzHeader: no header makes the size of a frame wrong.
func FuzzHeader(f *testing.F) {
	f.Add([]byte("\x81\xfe\x01\x00abcd"))
	f.Add([]byte("\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00abcd"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, size, code := parseHeader(b)
		if size > len(b) || size > 0 && code != 0 || size > maxHeader || size > 0 && h.length >= 1<<63 {
			t.Errorf("%x: %d %d %d", b, size, code, h.length)
		}
	})
}
