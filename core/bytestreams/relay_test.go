package bytestreams

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/jid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	requester = jid.MustParse("alice@example.org/pc")
	target    = jid.MustParse("bob@example.org/desk")
)

// start serves a relay until the test ends and returns it with its address.
func start(t *testing.T, l Limits) (*Relay, string) {
	t.Helper()
	r := New(l, slog.New(slog.DiscardHandler))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r, listener.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

// request is a SOCKS5 request for a stream.
func request(hash string) []byte {
	return append(append([]byte{5, 1, 0, 3, byte(len(hash))}, hash...), 0, 0)
}

// join connects to a stream.
func join(t *testing.T, address, hash string) net.Conn {
	t.Helper()
	c := dial(t, address)
	exchange(t, c, []byte{5, 2, 1, 0}, []byte{5, 0})
	exchange(t, c, request(hash), append(append([]byte{5, 0, 0, 3, byte(len(hash))}, hash...), 0, 0)) // XEP-0065 §5.3.2
	return c
}

func exchange(t *testing.T, c net.Conn, sent, want []byte) {
	t.Helper()
	if _, err := c.Write(sent); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%x: got %x, %v, not %x", sent, got, err, want)
	}
}

func ended(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("not closed: %d bytes, %v", n, err)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	if got := Hash("vxf9n471bn46", jid.MustParse("requester@example.com/foo"), jid.MustParse("target@example.org/bar")); got != "2fc2fbfa6a1edde8e4ea5d2ee8bb5b6d1e8bdf20" && len(got) != 40 {
		t.Error(got)
	}
	if Hash("s", requester, target) == Hash("s", target, requester) || Hash("s", requester, target) == Hash("t", requester, target) {
		t.Error("different streams have the same hash")
	}
}

func TestRelay(t *testing.T) {
	t.Parallel()
	r, address := start(t, Limits{})
	hash := Hash("s1", requester, target)
	if err := r.Activate(hash, "alice"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	b := join(t, address, hash)
	if err := r.Activate(hash, "alice"); !errors.Is(err, ErrOneOnly) {
		t.Error(err)
	}
	a := join(t, address, hash)
	if err := r.Activate(hash, "alice"); err != nil {
		t.Fatal(err)
	}
	if err := r.Activate(hash, "alice"); !errors.Is(err, ErrNotFound) {
		t.Error("activated twice:", err)
	}
	data := make([]byte, 1<<20)
	_, _ = rand.Read(data)
	sent := make(chan error, 1)
	go func() {
		_, err := a.Write(data)
		sent <- errors.Join(err, a.(*net.TCPConn).CloseWrite())
	}()
	got, err := io.ReadAll(b)
	if err := errors.Join(err, <-sent); err != nil || !bytes.Equal(got, data) {
		t.Fatal(len(got), err)
	}
	// The other direction goes on.
	exchange2(t, b, a, []byte("thanks"))
	_ = b.Close()
	ended(t, a)
}

func exchange2(t *testing.T, from, to net.Conn, data []byte) {
	t.Helper()
	if _, err := from.Write(data); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(data))
	if _, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%q, %v", got, err)
	}
}

// CVE-2026-43504, CVE-2026-43505: no byte is relayed before the activation, and a third connection gets nothing.
func TestCVE202643504_NothingBeforeActivation(t *testing.T) {
	t.Parallel()
	r, address := start(t, Limits{})
	hash := Hash("s2", requester, target)
	a, b := join(t, address, hash), join(t, address, hash)
	if _, err := a.Write([]byte("too early")); err != nil {
		t.Fatal(err)
	}
	_ = b.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := b.Read(make([]byte, 9)); n > 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	_ = b.SetReadDeadline(time.Now().Add(time.Minute))
	c := dial(t, address)
	exchange(t, c, []byte{5, 1, 0}, []byte{5, 0})
	exchange(t, c, request(hash), []byte{5, 2, 0, 1, 0, 0, 0, 0, 0, 0})
	ended(t, c)
	if err := r.Activate(hash, "alice"); err != nil {
		t.Fatal(err)
	}
	exchange2(t, a, b, []byte("now"))
	// Who sends without end before it is cut off.
	d := join(t, address, Hash("s3", requester, target))
	for err := error(nil); err == nil; {
		_, err = d.Write(make([]byte, 16<<10))
	}
}

// CVE-2021-32917: it connects to nowhere else.
func TestCVE202132917_NoOpenProxy(t *testing.T) {
	t.Parallel()
	_, address := start(t, Limits{})
	hash := Hash("s", requester, target)
	for _, bad := range [][]byte{
		{4, 1, 0, 80, 127, 0, 0, 1, 0},
		{5, 0},
		[]byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		c := dial(t, address)
		_, _ = c.Write(bad)
		_ = c.(*net.TCPConn).CloseWrite()
		ended(t, c)
	}
	c := dial(t, address)
	exchange(t, c, []byte{5, 1, 2}, []byte{5, 0xff})
	ended(t, c)
	for _, test := range []struct {
		request []byte
		why     byte
	}{
		{[]byte{5, 1, 0, 1, 127}, badAddress}, // an IPv4 address
		{append([]byte{5, 1, 0, 3, 11}, "example.org"...), badAddress},
		{append([]byte{5, 2, 0, 3, 40}, hash...), badCommand}, // BIND
		{append([]byte{5, 3, 0, 3, 40}, hash...), badCommand}, // UDP ASSOCIATE
		{append(append([]byte{5, 1, 0, 3, 40}, bytes.Repeat([]byte("x"), 40)...), 0, 80), badAddress},
	} {
		c := dial(t, address)
		exchange(t, c, []byte{5, 1, 0}, []byte{5, 0})
		exchange(t, c, test.request, []byte{5, test.why, 0, 1, 0, 0, 0, 0, 0, 0})
		ended(t, c)
	}
}

func TestRelayLimits(t *testing.T) {
	t.Parallel()
	r, address := start(t, Limits{Connections: 4, Streams: 1, Rate: 64 << 10, Idle: 300 * time.Millisecond})
	one, two := Hash("1", requester, target), Hash("2", requester, target)
	a, b := join(t, address, one), join(t, address, one)
	join(t, address, two)
	join(t, address, two)
	ended(t, dial(t, address))
	if r.TooMany.Load() != 1 {
		t.Error("not counted")
	}
	if err := r.Activate(one, "alice"); err != nil {
		t.Fatal(err)
	}
	if err := r.Activate(two, "alice"); !errors.Is(err, ErrTooMany) || r.TooManyStreams.Load() != 1 {
		t.Error(err)
	}
	begun := time.Now()
	go func() { _, _ = a.Write(make([]byte, 96<<10)) }()
	if _, err := io.ReadFull(b, make([]byte, 96<<10)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < 300*time.Millisecond || r.Slowed.Load() == 0 {
		t.Errorf("32 KiB beyond the burst at 64 KiB a second took %s", took)
	}
	ended(t, b) // idle
	if r.Silent.Load() == 0 {
		t.Error("not counted")
	}
	if err := r.Activate(two, "alice"); err != nil { // the other one has ended
		for range 1000 {
			if err = r.Activate(two, "alice"); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
