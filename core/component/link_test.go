package component

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// runLink starts a link to addr and returns it with what its handler receives and the changes of its
// state.
func runLink(t testing.TB, addr string, change func(*Options)) (*Link, received, chan error) {
	t.Helper()
	states := make(chan error, 1000)
	o := Options{
		Addr: addr, Domain: jid.MustParse("gate.test"), Secret: "s3cret", Log: quiet,
		RetryMin: 5 * time.Millisecond, RetryMax: 20 * time.Millisecond, State: func(err error) { states <- err },
	}
	if change != nil {
		change(&o)
	}
	l, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	got := make(received, 100_000)
	l.Handle(got.Deliver)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return l, got, states
}

func waitState(t testing.TB, states chan error, want func(error) bool) {
	t.Helper()
	limit := time.After(testTimeout)
	for {
		select {
		case err := <-states:
			if want(err) {
				return
			}
		case <-limit:
			t.Fatal("state not reached")
		}
	}
}

func up(err error) bool { return err == nil }

func TestBothEnds(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	l, got, states := runLink(t, o.addr, nil)
	waitState(t, states, up)
	const n = 2000
	var wg sync.WaitGroup
	wg.Go(func() {
		send, flush := l.Collect()
		for i := range n {
			if i < n/2 {
				l.Send(message("romeo@home.test", "bot@gate.test", fmt.Sprint(i)))
				continue
			}
			send(message("romeo@home.test", "bot@gate.test", fmt.Sprint(i)))
			if i%10 == 9 {
				flush()
			}
		}
		flush()
	})
	wg.Go(func() {
		for i := range n {
			o.router.Route(message("bot@gate.test", "romeo@home.test/a", fmt.Sprint(i)))
		}
	})
	for i := range n {
		if st := o.home.next(t); st.Body() != fmt.Sprint(i) {
			t.Fatalf("server got %s, want %d", st, i)
		}
		if st := got.next(t); st.Body() != fmt.Sprint(i) {
			t.Fatalf("link got %s, want %d", st, i)
		}
	}
	wg.Wait()
	if l.Domain().String() != "gate.test" {
		t.Error("domain")
	}
}

// What is sent while there is no server arrives in order when there is one.
func TestWaitsForServer(t *testing.T) {
	t.Parallel()
	// An address of its own: on 127.0.0.1 another program may get the port before the server does.
	l0, err := net.Listen("tcp", "127.77.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l0.Addr().String()
	_ = l0.Close()
	l, _, states := runLink(t, addr, nil)
	const n = 5000
	body := strings.Repeat("x", 500)
	for i := range n {
		l.Send(message("romeo@home.test", "bot@gate.test", fmt.Sprint(i)+body))
	}
	waitState(t, states, func(err error) bool { return err != nil })
	o := newTestServer(t, nil)
	relay(t, addr, func() string { return o.addr })
	waitState(t, states, up)
	l.Send(message("romeo@home.test", "bot@gate.test", fmt.Sprint(n)+body))
	for i := range n + 1 {
		if st := o.home.next(t); st.Body() != fmt.Sprint(i)+body {
			t.Fatalf("got %.20q, want %d", st.Body(), i)
		}
	}
}

// relay forwards connections so that the address stays the same while servers change. It returns
// a function that cuts all connections.
func relay(t testing.TB, addr string, to func() string) (cut func(), listen string) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return relayOn(t, l, to)
}

func relayOn(t testing.TB, l net.Listener, to func() string) (cut func(), listen string) {
	t.Helper()
	var mu sync.Mutex
	var conns []net.Conn
	var wg sync.WaitGroup
	cut = func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			_ = c.Close()
		}
		conns = nil
	}
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to())
			if err != nil {
				_ = in.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, in, out)
			mu.Unlock()
			for _, p := range [][2]net.Conn{{in, out}, {out, in}} {
				wg.Go(func() { _, _ = io.Copy(p[0], p[1]); _ = p[0].Close(); _ = p[1].Close() })
			}
		}
	})
	t.Cleanup(func() { _ = l.Close(); cut(); wg.Wait() })
	return cut, l.Addr().String()
}

func TestReconnects(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	cut, addr := relay(t, "127.0.0.1:0", func() string { return o.addr })
	l, got, states := runLink(t, addr, nil)
	for i := range 5 {
		waitState(t, states, up)
		l.Send(message("romeo@home.test", "bot@gate.test", fmt.Sprint(i)))
		st := o.home.next(t)
		for st.Body() < fmt.Sprint(i) { // again: the connection was cut before it was confirmed
			st = o.home.next(t)
		}
		if st.Body() != fmt.Sprint(i) {
			t.Fatalf("got %s", st)
		}
		o.router.Route(message("bot@gate.test", "romeo@home.test/a", "x"))
		if st := got.next(t); st.Body() != "x" {
			t.Fatalf("got %s", st)
		}
		cut()
		waitState(t, states, func(err error) bool { return err != nil })
	}
}

// If a server stops reading and then disconnects, what it had not read is sent again.
func TestUnwrittenIsSentAgain(t *testing.T) {
	t.Parallel()
	stuck, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := newTestServer(t, nil)
	l, _, states := runLink(t, stuck.Addr().String(), nil)
	conn, err := stuck.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p := rawstream.New(t, conn)
	p.Until("to='gate.test'")
	p.Send("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='gate.test'>")
	p.Until("</handshake>")
	p.Send("<handshake/>")
	waitState(t, states, up)
	const n = 200 // 20 MB: more than sockets and queue take
	body := strings.Repeat("x", 100_000)
	for i := range n {
		l.Send(message("romeo@home.test", "bot@gate.test", fmt.Sprintf("%03d", i)+body))
	}
	relayOn(t, stuck, func() string { return o.addr }) // another server, on the same address
	_ = conn.Close()
	waitState(t, states, up)
	// The first are those that the socket had taken; all others come once, in order.
	first := o.home.next(t)
	var from int
	if _, err := fmt.Sscanf(first.Body()[:3], "%03d", &from); err != nil || from > n-20 {
		t.Fatalf("begins with %.10q", first.Body())
	}
	for i := from + 1; i < n; i++ {
		if st := o.home.next(t); !strings.HasPrefix(st.Body(), fmt.Sprintf("%03d", i)) {
			t.Fatalf("got %.10q, want %d", st.Body(), i)
		}
	}
}

func TestLinkRefused(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	for name, change := range map[string]func(*Options){
		"secret": func(o *Options) { o.Secret = "wrong" },
		"domain": func(o *Options) { o.Domain = jid.MustParse("nobody.test") },
	} {
		t.Run(name, func(t *testing.T) {
			_, _, states := runLink(t, o.addr, change)
			for range 3 { // it continues to retry
				waitState(t, states, func(err error) bool { return errors.Is(err, ErrRefused) })
			}
		})
	}
}

// If the server says that another process has attached the domain, the link waits longest before it tries again.
func TestLinkConflict(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	change := func(o *Options) { o.RetryMin, o.RetryMax = time.Millisecond, time.Hour }
	_, _, first := runLink(t, o.addr, change)
	waitState(t, first, up)
	_, _, second := runLink(t, o.addr, change)
	waitState(t, second, up)
	waitState(t, first, func(err error) bool { return err != nil })
	select {
	case err := <-first:
		t.Errorf("the first link's state became %v", err)
	case err := <-second:
		t.Errorf("the second link's state became %v", err)
	case <-time.After(200 * time.Millisecond):
	}
}

// A port for something else is distinguished from a server that is not running.
func TestLinkToAnotherService(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"clients": "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>",
		"mail":    "220 mail.test ESMTP\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			t.Cleanup(func() { _ = listener.Close(); <-done })
			go func() {
				defer close(done)
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = io.WriteString(conn, answer)
					_, _ = io.Copy(io.Discard, conn) // until the link disconnects
					_ = conn.Close()
				}
			}()
			_, _, states := runLink(t, listener.Addr().String(), nil)
			waitState(t, states, func(err error) bool { return errors.Is(err, ErrNotComponents) && errors.Is(err, ErrRefused) })
		})
	}
}

// The handler gets an error for a stanza for which there is no room.
func TestLinkOverflow(t *testing.T) {
	t.Parallel()
	l, got, _ := runLink(t, "127.0.0.1:1", func(o *Options) { o.Waiting = 10; o.MaxBytes = 50_000 })
	for i := range 12 {
		l.Send(message("romeo@home.test", "bot@gate.test", fmt.Sprint(i)))
	}
	for range 2 {
		if e := got.next(t).Err(); e == nil || e.Condition != "remote-server-timeout" {
			t.Errorf("handler got %v", e)
		}
	}
	o := newTestServer(t, nil)
	l, got, states := runLink(t, o.addr, func(o *Options) { o.MaxBytes = 50_000 })
	waitState(t, states, up)
	l.Send(message("romeo@home.test", "bot@gate.test", strings.Repeat("x", 60_000)))
	if e := got.next(t).Err(); e == nil || e.Condition != "policy-violation" {
		t.Errorf("handler got %v", e)
	}
	l.Send(message("romeo@home.test", "bot@evil.test", "spoofed"))
	l.Send(message("romeo@home.test", "bot@gate.test", "real"))
	if st := o.home.next(t); st.Body() != "real" {
		t.Errorf("server got %s", st)
	}
}

func TestLinkHandlerPanics(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	l, _, states := runLink(t, o.addr, nil)
	waitState(t, states, up)
	l.Handle(func(*stanza.Stanza) { panic("handler fault") })
	for range 2 {
		o.router.Route(message("bot@gate.test", "romeo@home.test/a", "x"))
		if e := o.home.next(t).Err(); e == nil || e.Condition != "internal-server-error" {
			t.Errorf("answered %v", e)
		}
	}
}

// A link that receives nothing pings itself through the server, and its handler does not get that ping.
func TestLinkPingsItself(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	_, got, states := runLink(t, o.addr, func(o *Options) { o.Idle = 200 * time.Millisecond })
	waitState(t, states, up)
	deadline := time.Now().Add(testTimeout)
	for o.server.Counters.Received.Load() < 3 {
		if time.Now().After(deadline) {
			t.Fatal("no pings")
		}
		time.Sleep(time.Millisecond)
	}
	if len(states) > 0 || len(got) > 0 {
		t.Errorf("%d changes of the state and %d stanzas", len(states), len(got))
	}
}

// When the link stops, what was sent before still arrives, and what is received meanwhile is handled.
func TestLinkStops(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, nil)
	l, err := Dial(Options{Addr: o.addr, Domain: jid.MustParse("gate.test"), Secret: "s3cret", Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.opts.State = func(error) {
		for i := range 100 {
			l.Send(message("romeo@home.test", "bot@gate.test", fmt.Sprint(i)))
		}
		cancel()
	}
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if st := o.home.next(t); st.Body() != fmt.Sprint(i) {
			t.Fatalf("got %s, want %d", st, i)
		}
	}
}

func TestDialChecks(t *testing.T) {
	t.Parallel()
	good := Options{Addr: "localhost:5347", Domain: jid.MustParse("gate.test"), Secret: "x"}
	for name, spoil := range map[string]func(*Options){
		"address": func(o *Options) { o.Addr = "localhost" },
		"domain":  func(o *Options) { o.Domain = jid.MustParse("a@gate.test") },
		"secret":  func(o *Options) { o.Secret = "" },
	} {
		o := good
		spoil(&o)
		if _, err := Dial(o); err == nil {
			t.Errorf("wrong %s accepted", name)
		}
	}
	if _, err := Dial(good); err != nil {
		t.Error(err)
	}
}
