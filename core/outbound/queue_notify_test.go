package outbound

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// A single long stanza is accepted by an empty queue whatever its size, and the limit holds
// for what is appended after it.
func TestQueueTakesALongStanza(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	q := NewQueue(here, Limits{Bytes: 1000}, nil)
	long := bytes.Repeat([]byte("x"), 5000)
	if !q.AppendBytes(long) || !q.AppendBytes(long[:900]) {
		t.Fatal("not taken")
	}
	if q.AppendBytes(long[:200]) {
		t.Error("no limit for bytes after the long stanza")
	}

	here, there = net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	q = NewQueue(here, Limits{Bytes: 1000}, nil)
	read := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, there)
		read <- n
	}()
	for range 3 {
		if !q.AppendBytes(long) {
			t.Fatal("not taken")
		}
		if err := q.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	q.Wait()
	here.Close()
	if n := <-read; n != 3*5000 {
		t.Errorf("%d bytes came, want 15000", n)
	}
}

// Notify reports when bytes have been written, and when they never will be.
func TestQueueNotify(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	q := NewQueue(here, Limits{}, nil)
	results := make(chan bool, 3)
	note := func(written bool) { results <- written }
	q.Notify(note)
	if !<-results {
		t.Error("nothing was pending, and still it was not written")
	}
	q.AppendBytes([]byte("first"))
	q.Notify(note)
	q.Flush()
	select {
	case <-results:
		t.Fatal("reported before anything was read")
	default:
	}
	buf := make([]byte, 5)
	if _, err := io.ReadFull(there, buf); err != nil {
		t.Fatal(err)
	}
	if !<-results {
		t.Error("written, and reported otherwise")
	}
	q.AppendBytes([]byte("second"))
	q.Notify(note)
	q.Flush()
	there.Close()
	if <-results {
		t.Error("the peer has disconnected, and still it was written")
	}
	q.Notify(note)
	if <-results {
		t.Error("the queue had failed, but Notify reported success")
	}
	q.Wait()
}
