package stream

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/outbound"
)

// batches is a FrameTransport on which frames arrive together. What is written is counted.
type batches struct {
	in      [][]string
	at      []string
	limit   int
	writes  chan int // frames of each write
	queue   *outbound.Queue
	timeout time.Time
}

func (b *batches) HasFrame() bool { return len(b.at) > 0 }

func (b *batches) ReadFrame() ([]byte, error) {
	for len(b.at) == 0 {
		if len(b.in) == 0 {
			return nil, io.EOF
		}
		b.at, b.in = b.in[0], b.in[1:]
	}
	f := b.at[0]
	b.at = b.at[1:]
	if f == "" { // no element
		return nil, nil
	}
	return []byte(f), nil
}

func (b *batches) WriteFrames(_ []byte, ends []int) error {
	b.writes <- len(ends)
	return nil
}

func (b *batches) CanTry() bool { return true }

func (b *batches) TryWriteFrames(_ []byte, ends []int) (bool, error) {
	b.writes <- len(ends)
	return false, nil
}
func (b *batches) Drain() error                       { return nil }
func (b *batches) SetMaxFrame(n int)                  { b.limit = n }
func (b *batches) UseQueue(q *outbound.Queue)         { b.queue = q }
func (b *batches) SetReadDeadline(time.Time) error    { return nil }
func (b *batches) SetWriteDeadline(t time.Time) error { b.timeout = t; return nil }
func (b *batches) Close() error                       { return nil }

// What frames that arrived together cause leaves in one write, and limits of frames follow those of the stream.
func TestFramesThatArriveTogether(t *testing.T) {
	t.Parallel()
	const message = "<message xmlns='jabber:client'><body>x</body></message>"
	b := &batches{writes: make(chan int, 10), in: [][]string{
		{"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a' version='1.0'/>", establish},
		{message, "", message, message},
		{message},
	}}
	r := &recorder{}
	r.Conn = NewFramedConn(context.Background(), testConfig(), b, r)
	if b.limit != ForClients().Bytes || b.queue != r.Queue() {
		t.Errorf("limit %d", b.limit)
	}
	r.SetLimits(Limits{Bytes: 20_000})
	if b.limit != 20_000 {
		t.Errorf("limit %d", b.limit)
	}
	if err := r.Run(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	for _, want := range []int{1, 3, 1} {
		if got := <-b.writes; got != want {
			t.Errorf("%d frames in a write, want %d", got, want)
		}
	}
	if len(b.writes) > 0 {
		t.Error("more writes")
	}
}
