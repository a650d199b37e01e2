package fake

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// faultyListener is the listener: it knows its connections, so that they can be cut, and can be
// shut for an outage of the whole network.
type faultyListener struct {
	addr string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]struct{}
	state    Outage
	closed   bool
	opened   chan struct{} // while listener is nil: closed when it opens again or ends
}

// Outage is how a network that is away looks to those who connect.
type Outage int

// The kinds of outages.
const (
	noOutage Outage = iota
	// Dropped connections are accepted and reset.
	Dropped
	// Refused means that nothing listens.
	Refused
)

func listen(addr string) (*faultyListener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &faultyListener{addr: l.Addr().String(), listener: l, conns: map[net.Conn]struct{}{}}, nil
}

// Accept is net.Listener's.
func (g *faultyListener) Accept() (net.Conn, error) {
	for {
		g.mu.Lock()
		l, closed, opened := g.listener, g.closed, g.opened
		g.mu.Unlock()
		if closed {
			return nil, net.ErrClosed
		}
		if l == nil {
			<-opened
			continue
		}
		c, err := l.Accept()
		if err != nil {
			g.mu.Lock()
			gone := g.listener != l
			g.mu.Unlock()
			if gone {
				continue // shut for an outage, or for good
			}
			return nil, err
		}
		if t := g.admit(c); t != nil {
			return t, nil
		}
	}
}

func (g *faultyListener) admit(c net.Conn) net.Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.state != noOutage {
		reset(c)
		return nil
	}
	t := &tracked{Conn: c, faultyListener: g}
	g.conns[t] = struct{}{}
	return t
}

// reset closes a connection so that the peer sees a reset, not an orderly end.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}

// Addr is net.Listener's.
func (g *faultyListener) Addr() net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", g.addr)
	if err != nil {
		panic(fmt.Sprintf("address %q that was listened on: %v", g.addr, err))
	}
	return addr
}

// Close is net.Listener's.
func (g *faultyListener) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	l := g.listener
	g.listener = nil
	if l == nil {
		close(g.opened) // Accept waits for it
		return nil
	}
	return l.Close()
}

// cutAll resets all connections.
func (g *faultyListener) cutAll() {
	g.mu.Lock()
	conns := g.conns
	g.conns = map[net.Conn]struct{}{}
	g.mu.Unlock()
	for c := range conns {
		reset(c.(*tracked).Conn)
	}
}

// shut begins an outage.
func (g *faultyListener) shut(o Outage) {
	g.mu.Lock()
	g.state = o
	if o == Refused && g.listener != nil {
		g.listener.Close()
		g.listener = nil
		g.opened = make(chan struct{})
	}
	g.mu.Unlock()
	g.cutAll()
}

// open ends an outage: the same port again, which nobody else should have taken.
func (g *faultyListener) open(ctx context.Context) error {
	for {
		g.mu.Lock()
		if g.closed || g.listener != nil {
			g.state = noOutage
			g.mu.Unlock()
			return nil
		}
		l, err := net.Listen("tcp", g.addr)
		if err == nil {
			g.listener, g.state = l, noOutage
			close(g.opened)
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		select {
		case <-ctx.Done():
			return fmt.Errorf("listen again on %s: %w", g.addr, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// tracked is a connection that the gate can cut.
type tracked struct {
	net.Conn
	faultyListener *faultyListener
}

// Close is net.Conn's.
func (t *tracked) Close() error {
	t.faultyListener.mu.Lock()
	delete(t.faultyListener.conns, t)
	t.faultyListener.mu.Unlock()
	return t.Conn.Close()
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// connOf is the connection of a request, nil where the listener is somebody else's.
func connOf(r *http.Request) net.Conn {
	c, _ := r.Context().Value(connKey{}).(net.Conn)
	return c
}
