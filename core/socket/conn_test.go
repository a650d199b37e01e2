package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// rawSocket.Read returns the same errors as the Read of package net.
func TestConnRead(t *testing.T) {
	t.Parallel()
	a, b := sockets(t)
	testConnRead(t, a, b)
}

// So does a connection with TLS, whose reads wait below the TLS layer.
func TestConnReadTLS(t *testing.T) {
	t.Parallel()
	a, b := sockets(t)
	secure(t, a, b)
	testConnRead(t, a, b)
}

// testConnRead reads from a what b has written.
func testConnRead(t *testing.T, a, b *Conn) {
	buf := make([]byte, 8)
	want := func(text string) {
		t.Helper()
		if n, err := a.Read(buf); err != nil || string(buf[:n]) != text {
			t.Fatalf("read %q, %v, want %q", buf[:n], err, text)
		}
	}
	write := func(text string) {
		t.Helper()
		if _, err := b.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}

	write("longer than that")
	want("longer t")
	want("han that")

	if err := a.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if n, err := a.Read(buf); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("read %d bytes after the deadline: %v", n, err)
	}
	if err := a.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = b.Write([]byte("later"))
	}()
	want("later")
	if n, err := a.Read(nil); n != 0 || err != nil {
		t.Errorf("Read with an empty buffer returned %d bytes: %v", n, err)
	}

	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := a.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("read %d bytes at the end: %v", n, err)
	}
}

func TestConnReadFails(t *testing.T) {
	t.Parallel()
	var op *net.OpError
	a, b := sockets(t)
	if err := b.raw.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = b.Close()
	if n, err := a.Read(make([]byte, 8)); n != 0 || !errors.As(err, &op) || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %d bytes after a reset: %v", n, err)
	}

	a, _ = sockets(t)
	ended := make(chan error, 1)
	go func() {
		_, err := a.Read(make([]byte, 8))
		ended <- err
	}()
	_ = a.Close()
	if err := <-ended; !errors.As(err, &op) || !errors.Is(err, net.ErrClosed) {
		t.Errorf("read from a connection that we closed: %v", err)
	}
}

func TestConnReadDoesNotAllocate(t *testing.T) {
	a, b := sockets(t)
	buf, text := make([]byte, 1<<10), bytes.Repeat([]byte("x"), 300)
	if n := testing.AllocsPerRun(500, func() {
		if _, err := b.Write(text); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(text); {
			more, err := a.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			n += more
		}
	}); n > 0 && !raceDetector {
		t.Errorf("%v allocations for a read", n)
	}
}
