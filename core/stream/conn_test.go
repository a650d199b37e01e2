package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/internal/socketpair"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stanza"
)

var quiet = slog.New(slog.DiscardHandler)

// recorder is a Handler that answers the header, calls Establish at an element "go", echoes messages,
// and records its calls.
type recorder struct {
	*Conn
	mu      sync.Mutex
	calls   []string
	receive func(*Item) error // may be nil
}

func (r *recorder) record(call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
}

func (r *recorder) recorded() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.calls, " ")
}

func (r *recorder) Open(h *Header) error {
	r.record("open:" + h.To)
	r.SendHeader(&Header{Content: stanza.NSClient, ID: "1", Version: "1.0"})
	return nil
}

func (r *recorder) Negotiate(it *Item) error {
	r.record("negotiate:" + string(it.Local()))
	switch string(it.Local()) {
	case "go":
		r.Establish()
	case "restart":
		r.Restart()
	case "panic":
		panic("in a handler")
	}
	return nil
}

func (r *recorder) Receive(it *Item) error {
	if r.receive != nil {
		return r.receive(it)
	}
	st, err := it.Stanza()
	if err != nil {
		return err
	}
	r.Send(st)
	return nil
}

func (r *recorder) Flush() {}

func (r *recorder) Ping() *stanza.Stanza {
	return stanza.NewIQ(jid.JID{}, jid.JID{}, stanza.TypeGet, stanza.NewElement("urn:xmpp:ping", "ping"))
}

// testConfig returns a configuration with an idle time of a minute.
func testConfig() *Config {
	return &Config{
		Content: stanza.NSClient, Limits: ForClients(), Idle: time.Minute, Counters: &Counters{}, Log: quiet,
		Elements: map[Name]func(Handler, *Item) error{
			{"urn:test", "mark"}: func(h Handler, _ *Item) error {
				h.(*recorder).record("mark")
				return nil
			},
		},
	}
}

// pipeConn returns a connection over a pipe, which can be used in a synctest bubble.
func pipeConn(t testing.TB, config *Config) (r *recorder, peer *rawstream.Peer) {
	here, there := net.Pipe()
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	r = &recorder{}
	r.Conn = NewConn(context.Background(), config, here, r)
	return r, rawstream.New(t, there)
}

const establish = "<go xmlns='urn:test'/>"

// A connection dispatches elements by its state, and those that are not stanzas by their name.
func TestConnDispatch(t *testing.T) {
	t.Parallel()
	r, peer := pipeConn(t, testConfig())
	ended := make(chan error, 1)
	go func() {
		err := r.Run()
		r.Close(err, nil)
		ended <- err
	}()
	peer.Send(head)
	peer.Until(">") // of the XML declaration
	peer.Until(">")
	peer.Send("<message id='1'/>" + establish + "<mark xmlns='urn:test'/><message id='2'/>")
	if got := peer.Until("/>"); got != "<message id='2'/>" {
		t.Errorf("got %q", got)
	}
	go peer.Send("<unknown xmlns='urn:test'/>")
	if got := peer.Rest(); !strings.Contains(got, "<unsupported-stanza-type ") || !strings.HasSuffix(got, "</stream:error></stream:stream>") {
		t.Errorf("got %q", got)
	}
	if err := <-ended; !errors.Is(err, NewError(UnsupportedStanzaType, "")) {
		t.Error(err)
	}
	if want := "open:example.org negotiate:message negotiate:go mark"; r.recorded() != want {
		t.Errorf("calls: %s, want %s", r.recorded(), want)
	}
}

// The reason for the end of a stream determines what the peer reads last.
func TestConnEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		input string
		err   error
		last  string
	}{
		"closed by the peer": {head + "</stream:stream>", ErrEnded, "</stream:stream>"},
		"cut":                {head + "<message", io.ErrUnexpectedEOF, "'>"},
		"error of the peer":  {head + "<stream:error><reset xmlns='" + NSStreams + "'/></stream:error>", PeerError{}, "version='1.0'></stream:stream>"},
		"not XML":            {head + "<<", NewError(NotWellFormed, ""), "</stream:error></stream:stream>"},
		"no header":          {"<message/>", NewError(InvalidNamespace, ""), "</stream:error></stream:stream>"},
		"panic":              {head + "<panic/>", NewError(InternalServerError, ""), "</stream:error></stream:stream>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, y := rawstream.Pair(t)
			config := testConfig()
			r, peer := &recorder{}, rawstream.New(t, x)
			r.Conn = NewConn(context.Background(), config, socket.New(y), r)
			ended := make(chan error, 1)
			go func() {
				err := r.Run()
				r.Close(err, func() { r.SendHeader(&Header{Content: stanza.NSClient, ID: "1", Version: "1.0"}) })
				ended <- err
			}()
			peer.Send(c.input)
			if name == "cut" {
				_ = x.(*net.TCPConn).CloseWrite()
			}
			if got := peer.Rest(); !strings.HasSuffix(got, c.last) {
				t.Errorf("got %q, want %q at the end", got, c.last)
			}
			err := <-ended
			if _, isPeer := errors.AsType[PeerError](err); !errors.Is(err, c.err) && !isPeer {
				t.Errorf("ended with %v, want %v", err, c.err)
			}
			if n := config.Counters.Panics.Load(); n > 0 != (name == "panic") {
				t.Errorf("%d panics", n)
			}
		})
	}
}

// A silent peer gets a ping and then connection-timeout; one that answers goes on.
func TestConnPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := testConfig()
		config.Idle = 10 * time.Second
		r, peer := pipeConn(t, config)
		ended := make(chan error, 1)
		go func() {
			err := r.Run()
			r.Close(err, nil)
			ended <- err
		}()
		start := time.Now()
		peer.Send(head)
		peer.Until("version='1.0'>")
		peer.Send(establish)
		peer.Until("<ping ")
		if d := time.Since(start); d != config.Idle {
			t.Errorf("ping after %v", d)
		}
		peer.Send(" ") // white space counts as an answer
		peer.Until("<ping ")
		go func() { peer.Until("</stream:stream>") }()
		if err := <-ended; err != error(ErrSilent) {
			t.Error(err)
		}
		if d, n := time.Since(start), config.Counters.Silent.Load(); d != 3*config.Idle || n != 1 {
			t.Errorf("ended after %v, counted %d times", d, n)
		}
	})
}

// Expire and Budget end a stream that is not established, whatever the peer sends.
func TestConnLimitsBeforeEstablish(t *testing.T) {
	t.Parallel()
	late, excess := errors.New("late"), errors.New("excess")
	synctest.Test(t, func(t *testing.T) {
		r, peer := pipeConn(t, testConfig())
		r.Expire(time.Now().Add(10*time.Second), late)
		ended := make(chan error, 1)
		go func() { ended <- r.Run() }()
		peer.Send(head)
		peer.Until("version='1.0'>")
		for range 9 {
			time.Sleep(time.Second)
			peer.Send(" ")
		}
		if err := <-ended; err != late {
			t.Error(err)
		}
		_ = r.transport.Close()
		r.queue.Wait()
	})
	synctest.Test(t, func(t *testing.T) {
		r, peer := pipeConn(t, testConfig())
		r.Budget(1000, excess)
		ended := make(chan error, 1)
		go func() { ended <- r.Run() }()
		peer.Send(head)
		peer.Until("version='1.0'>")
		go func() {
			for range 100 {
				_, _ = peer.Write([]byte(strings.Repeat(" ", 100)))
			}
		}()
		if err := <-ended; err != excess {
			t.Error(err)
		}
		_ = r.transport.Close()
		r.queue.Wait()
	})
}

// The rate limits the average number of bytes read per second, and Stop ends the wait.
func TestConnRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := testConfig()
		config.Rate = 1000
		r, peer := pipeConn(t, config)
		ended := make(chan error, 1)
		go func() { ended <- r.Run() }()
		start := time.Now()
		peer.Send(head)
		peer.Until("version='1.0'>")
		peer.Send(establish)
		for range 30 {
			peer.Send("<message>" + strings.Repeat("x", 1000) + "</message>")
			peer.Until("</message>")
		}
		if d := time.Since(start); d < 13*time.Second || d > 16*time.Second { // 30,000 bytes less a burst of 16 KiB
			t.Errorf("took %v", d)
		}
		stop := errors.New("stop")
		r.Stop(stop)
		if err := <-ended; err != stop {
			t.Error(err)
		}
		if config.Counters.Throttled.Load() == 0 {
			t.Error("not counted")
		}
		_ = r.transport.Close()
		r.queue.Wait()
	})
}

// Leave ends our direction, handles further input, and waits for the end of the peer's direction until a deadline.
func TestConnLeave(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]bool{"the peer ends its side": true, "the peer does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, peer := pipeConn(t, testConfig())
				ended := make(chan error, 1)
				go func() {
					err := r.Run()
					if errors.Is(err, ErrLeave) {
						err = r.Leave()
					}
					r.Close(err, nil)
					ended <- err
				}()
				peer.Send(head)
				peer.Until("version='1.0'>")
				peer.Send(establish)
				r.Stop(ErrLeave)
				peer.Until("</stream:stream>")
				got := 0
				r.receive = func(*Item) error { got++; return nil }
				peer.Send("<message/>")
				want := error(ErrSilent)
				if answers {
					peer.Send("</stream:stream>")
					want = ErrEnded
				}
				if err := <-ended; err != want || got != 1 {
					t.Errorf("ended with %v, want %v; %d stanzas", err, want, got)
				}
				if rest := peer.Rest(); rest != "" {
					t.Errorf("sent after the end of our direction: %q", rest)
				}
			})
		})
	}
}

// flushes notes calls of Flush. The channel holds one note, so that none is lost while nobody receives.
type flushes struct {
	recorder
	flushed chan struct{}
}

func (f *flushes) Flush() {
	select {
	case f.flushed <- struct{}{}:
	default:
	}
}

func TestConnWake(t *testing.T) {
	t.Parallel()
	x, y := rawstream.Pair(t)
	f := &flushes{flushed: make(chan struct{}, 1)}
	f.Conn = NewConn(context.Background(), testConfig(), socket.New(y), f)
	ended := make(chan error, 1)
	go func() { ended <- f.Run() }()
	<-f.flushed
	for range 100 {
		f.Wake()
		<-f.flushed
	}
	_ = x.Close()
	if err := <-ended; err != io.EOF {
		t.Error(err)
	}
	f.Conn.Close(io.EOF, nil)
}

// A shutdown ends in time even if a handler blocks and a peer reads nothing.
func TestGroupShutdown(t *testing.T) {
	t.Parallel()
	g := NewGroup()
	stuck, release := make(chan struct{}), make(chan struct{})
	start := func(receive func(*Item) error) *recorder {
		x, y := rawstream.Pair(t)
		r := &recorder{receive: receive}
		config := testConfig()
		config.Queue.Bytes = 64 << 20
		r.Conn = NewConn(g.Context(), config, socket.New(y), r)
		if !g.Go(r.Conn, func() bool { r.Close(r.Run(), nil); return false }) {
			t.Fatal("not started")
		}
		rawstream.New(t, x).Send(head + establish + "<message/>")
		return r
	}
	start(func(*Item) error {
		close(stuck)
		<-release
		return nil
	})
	full := make(chan struct{})
	var slow *recorder
	ready := make(chan struct{})
	slow = start(func(*Item) error {
		<-ready
		slow.Queue().AppendBytes(bytes.Repeat([]byte("x"), 32<<20))
		close(full)
		return nil
	})
	close(ready)
	<-stuck
	<-full
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if left := g.Shutdown(ctx, NewError(SystemShutdown, "")); left == 0 {
		t.Error("no connection is left, though the handler of one blocks")
	}
	if d := time.Since(begin); d > rawstream.Timeout {
		t.Errorf("took %v", d)
	}
	rawstream.Eventually(t, "only the connection whose handler blocks is left", func() bool { return g.Len() == 1 })
	close(release)
	rawstream.Eventually(t, "the last connection has ended", func() bool { return g.Len() == 0 })
	if g.Go(slow.Conn, func() bool { return false }) {
		t.Error("started after the shutdown")
	}
	g.wait.Wait()
}

// An established connection makes no allocations for a stanza except for the stanza itself.
func TestConnAllocations(t *testing.T) {
	near, far := socketpair.New(t)
	r := &recorder{}
	text := strings.Repeat(stanza300, 10)
	r.receive = func(it *Item) error {
		r.Queue().Append(func(dst []byte) []byte { return it.AppendXML(dst, "alice@example.org/desk") })
		return nil
	}
	r.Conn = NewConn(context.Background(), testConfig(), near, r)
	ended := make(chan error, 1)
	go func() { ended <- r.Run() }()
	peer := rawstream.New(t, far)
	peer.Send(head)
	peer.Until("version='1.0'>")
	peer.Send(establish)
	data := []byte(text)
	buf := make([]byte, 64<<10)
	size := 0
	step := func() {
		if _, err := far.Write(data); err != nil {
			t.Fatal(err)
		}
		for want := size; want > 0; {
			n, err := far.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			want -= n
		}
	}
	step()
	it, err := opened(t, strings.NewReader(head+stanza300)).Next()
	if err != nil {
		t.Fatal(err)
	}
	size = 10 * len(it.AppendXML(nil, "alice@example.org/desk"))
	if _, err := io.ReadFull(far, buf[:size]); err != nil { // output of the first step
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(200, step); n > 1 && !raceDetector {
		t.Errorf("%v allocations for ten stanzas", n)
	}
	_ = far.Close()
	r.Close(<-ended, nil)
}
