package outbound

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/internal/socketpair"
	"github.com/dragoman-im/dragoman/core/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// message has about 300 bytes.
var message = "<message><body>" + strings.Repeat("x", 270) + "</body></message>"

// kinds runs a test over every kind of transport.
func kinds(t *testing.T, f func(t *testing.T, near net.Conn, far net.Conn)) {
	t.Helper()
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		a, b := socketpair.New(t)
		f(t, a, b)
	})
	t.Run("tls", func(t *testing.T) {
		t.Parallel()
		a, b := socketpair.New(t)
		socketpair.Secure(t, a, b)
		f(t, a, b)
	})
	t.Run("pipe", func(t *testing.T) {
		t.Parallel()
		a, b := net.Pipe()
		t.Cleanup(func() { _, _ = a.Close(), b.Close() })
		f(t, a, b)
	})
	t.Run("wrapped pipe with tls", func(t *testing.T) {
		t.Parallel()
		a, b := net.Pipe()
		x, y := socket.New(a), socket.New(b)
		t.Cleanup(func() { _, _ = a.Close(), b.Close() })
		socketpair.Secure(t, x, y)
		f(t, x, y)
	})
}

// written returns how many bytes the socket has taken.
func written(q *Queue) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.written
}

// errOf is why the queue has failed.
func errOf(q *Queue) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

func TestQueueOrder(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, near, far net.Conn) {
		q := NewQueue(near, Limits{Bytes: 64 << 20}, nil)
		const writers, lines = 4, 3000
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for i := range lines {
					if !q.Append(func(dst []byte) []byte { return fmt.Appendf(dst, "%d %d %s\n", w, i, strings.Repeat("x", i%500)) }) {
						t.Error("refused")
					}
					if i%7 == 0 {
						q.Flush()
					}
				}
				q.Flush()
			})
		}
		got := make(chan []byte)
		go func() {
			b, _ := io.ReadAll(far)
			got <- b
		}()
		all.Wait()
		if err := q.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		q.Wait()
		if q.Pending() != 0 || q.AppendBytes([]byte("x")) {
			t.Error("a closed queue accepts bytes")
		}
		written := written(q)
		_ = near.Close()
		var next [writers]int
		text := <-got
		for line := range bytes.Lines(text) {
			var w, i int
			if _, err := fmt.Sscanf(string(line), "%d %d", &w, &i); err != nil || next[w] != i {
				t.Fatalf("%q after %d: %v", line, next[w], err)
			}
			next[w]++
		}
		if next != [writers]int{lines, lines, lines, lines} || written != int64(len(text)) {
			t.Error(next, written, len(text))
		}
	})
}

func TestCVE_2010_0305_SlowReaderIsDisconnected(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, near, _ net.Conn) {
		var failure atomic.Value
		unwritten := make(chan int, 2)
		q := NewQueue(near, Limits{Bytes: 1 << 16, Write: time.Minute}, func(err error, n int) {
			failure.Store(err)
			unwritten <- n
			_ = near.Close()
		})
		chunk := bytes.Repeat([]byte("x"), 1000)
		accepted := 0
		for q.AppendBytes(chunk) {
			accepted += len(chunk)
			q.Flush()
			if accepted > 64<<20 {
				t.Fatal("unlimited output for a peer that does not read")
			}
		}
		if err, _ := failure.Load().(error); !errors.Is(err, ErrSlow) || !errors.Is(errOf(q), ErrSlow) {
			t.Error(err)
		}
		if n := <-unwritten; n <= 0 || n > 1<<16 || n > accepted {
			t.Errorf("%d of %d unwritten", n, accepted)
		}
		q.Wait()
		q.Flush()
		if q.AppendBytes(chunk) || q.Sync(t.Context()) == nil {
			t.Error("a failed queue accepts bytes")
		}
		select {
		case <-unwritten:
			t.Error("onFail is called twice")
		default:
		}
	})
}

func TestQueuePeerGone(t *testing.T) { // checklist 12
	t.Parallel()
	kinds(t, func(t *testing.T, near, far net.Conn) {
		failed := make(chan error, 1)
		q := NewQueue(near, Limits{}, func(err error, _ int) { failed <- err })
		_ = far.Close()
		for q.AppendBytes([]byte("<message/>")) {
			q.Flush()
		}
		if err := <-failed; err == nil {
			t.Error("no reason")
		}
		q.Wait()
	})
}

// A peer that reads nothing ends a write by its deadline, not only by the limit.
func TestQueueWriteDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		failed := make(chan int, 1)
		q := NewQueue(a, Limits{Write: time.Minute}, func(_ error, n int) { failed <- n })
		start := time.Now()
		q.AppendBytes([]byte("<message/>"))
		q.Flush()
		if n := <-failed; n != len("<message/>") || time.Since(start) != time.Minute {
			t.Error(n, time.Since(start))
		}
		q.Wait()
		_, _ = a.Close(), b.Close()
	})
}

func TestQueueDeadlineOfSocket(t *testing.T) {
	t.Parallel()
	a, _ := socketpair.New(t)
	failed := make(chan error, 1)
	q := NewQueue(a, Limits{Bytes: 64 << 20, Write: 20 * time.Millisecond}, func(err error, _ int) { failed <- err })
	q.AppendBytes(make([]byte, 16<<20))
	q.Flush()
	var e net.Error
	if err := <-failed; !errors.As(err, &e) || !e.Timeout() {
		t.Error(err)
	}
	q.Wait()
}

// A deadline of an earlier write must not end later ones.
func TestQueueAfterWaiting(t *testing.T) {
	t.Parallel()
	for _, encrypted := range []bool{false, true} {
		a, b := socketpair.New(t)
		if encrypted {
			socketpair.Secure(t, a, b)
		}
		q := NewQueue(a, Limits{Bytes: 64 << 20, Write: time.Minute}, nil)
		const n = 16 << 20
		q.AppendBytes(make([]byte, n))
		q.Flush()
		if q.Pending() == 0 {
			t.Error("the socket accepted all bytes at once, so that the test tests nothing")
		}
		got := make(chan error)
		go func() {
			_, err := io.ReadFull(b, make([]byte, n+1))
			got <- err
		}()
		if err := q.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		q.AppendBytes([]byte("x"))
		q.Flush()
		if err := <-got; err != nil {
			t.Error(err)
		}
		if err := q.Sync(t.Context()); err != nil || written(q) != n+1 {
			t.Error(err, written(q))
		}
		q.Wait()
	}
}

func TestQueueCloseGivesUp(t *testing.T) { // checklist 13
	t.Parallel()
	kinds(t, func(t *testing.T, near, _ net.Conn) {
		q := NewQueue(near, Limits{Bytes: 64 << 20}, nil)
		q.AppendBytes(make([]byte, 16<<20))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := q.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if n := q.Pending(); n <= 0 || n > 16<<20 {
			t.Error(n)
		}
		_ = near.Close()
		q.Wait()
	})
}

func TestQueueDoesNotAllocate(t *testing.T) {
	a, b := socketpair.New(t)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, struct{ io.Reader }{b})
	}()
	q := NewQueue(a, Limits{}, nil)
	text := []byte([]byte(message))
	if n := testing.AllocsPerRun(500, func() {
		q.Append(func(dst []byte) []byte { return append(dst, text...) })
		q.Flush()
	}); n > 0 && !raceDetector {
		t.Errorf("%v allocations per flush", n)
	}
	_ = a.Close()
	<-drained
	q.Wait()
}
