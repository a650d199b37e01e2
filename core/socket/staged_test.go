package socket

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// record returns what c writes for text, without writing it.
func record(t *testing.T, c *Conn, text string) []byte {
	t.Helper()
	c.raw.collect(true)
	_, err := c.Write([]byte(text))
	c.raw.collect(false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { c.raw.unsent = nil }()
	return bytes.Clone(*c.raw.unsent)
}

// A deadline that passes between two parts of a record does not end the TLS connection.
func TestStagedParts(t *testing.T) {
	t.Parallel()
	a, b := sockets(t)
	secure(t, a, b)
	buf := make([]byte, 64)
	for _, cut := range []int{1, 4, 5, 6, 20} {
		r := record(t, b, "romeo and juliet")
		if _, err := b.raw.Write(r[:cut]); err != nil {
			t.Fatal(err)
		}
		_ = a.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if n, err := a.Read(buf); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read %d bytes of a part: %v", n, err)
		}
		_ = a.SetReadDeadline(time.Time{})
		if _, err := b.raw.Write(r[cut:]); err != nil {
			t.Fatal(err)
		}
		if n, err := a.Read(buf); err != nil || string(buf[:n]) != "romeo and juliet" {
			t.Fatalf("read %q: %v", buf[:n], err)
		}
	}
	if _, err := b.raw.Write(record(t, b, "exit")[:8]); err != nil {
		t.Fatal(err)
	}
	_ = b.raw.Close()
	if n, err := a.Read(buf); n != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %d bytes of a record that was cut off: %v", n, err)
	}
}

// Records that arrive together, and those that are larger than a buffer, are read completely.
func TestStagedMany(t *testing.T) {
	t.Parallel()
	a, b := sockets(t)
	secure(t, a, b)
	var want []byte
	for i := range 200 {
		want = append(want, bytes.Repeat([]byte{byte(i)}, 1+i*i%50_000)...)
	}
	done := make(chan error, 1)
	go func() {
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 1+len(rest)%30_000)
			if _, err := b.Write(rest[:n]); err != nil {
				done <- err
				return
			}
			rest = rest[n:]
		}
		done <- b.Close()
	}()
	got, err := io.ReadAll(a)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d bytes of %d: %v", len(got), len(want), err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func BenchmarkConnReadTLS(b *testing.B) {
	x, y := sockets(b)
	secure(b, x, y)
	buf, text := make([]byte, 1<<10), bytes.Repeat([]byte("x"), 300)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := y.Write(text); err != nil {
			b.Fatal(err)
		}
		if n, err := x.Read(buf); err != nil || n != len(text) {
			b.Fatal(n, err)
		}
	}
}
