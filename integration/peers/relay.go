package peers

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Relay passes connections on to an address, and can cut them off, as a network does that is gone for a moment.
type Relay struct {
	Addr   string
	listen net.Listener
	to     string

	mu    sync.Mutex
	conns []net.Conn
	held  bool // new connections are closed
	ended bool
	all   sync.WaitGroup
}

// StartRelay starts a relay at an address, which may have port 0. It ends with the test.
func StartRelay(t testing.TB, addr, to string) *Relay {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{Addr: l.Addr().String(), listen: l, to: to}
	r.all.Go(r.accept)
	t.Cleanup(func() {
		_ = l.Close()
		r.mu.Lock()
		r.ended = true
		r.mu.Unlock()
		r.Cut()
		r.all.Wait()
	})
	return r
}

func (r *Relay) accept() {
	var dialer net.Dialer
	for {
		in, err := r.listen.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		out, err := dialer.DialContext(context.Background(), "tcp", r.to)
		if err != nil || !r.keep(in, out) {
			_ = in.Close()
			continue
		}
		r.all.Go(func() { pass(in, out) })
		r.all.Go(func() { pass(out, in) })
	}
}

// keep remembers connections for Cut; after the end, and while new connections are not wanted, it closes the second one.
func (r *Relay) keep(in, out net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || r.held {
		_ = out.Close()
		return false
	}
	r.conns = append(r.conns, in, out)
	return true
}

// pass copies until either end closes.
func pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_ = from.Close()
	_ = to.Close()
}

// Hold cuts the connections and closes new ones, until Release.
func (r *Relay) Hold() {
	r.hold(true)
	r.Cut()
}

// Release ends Hold.
func (r *Relay) Release() { r.hold(false) }

func (r *Relay) hold(held bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = held
}

// Cut resets the connections of now, which nobody could take for an end that was meant; new ones are passed on again.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
	r.conns = nil
}
