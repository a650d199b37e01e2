package fake

import (
	"net"
	"sync"
)

// faultyListener is a listener that can cut all its connections and refuse new ones.
type faultyListener struct {
	net.Listener
	mu     sync.Mutex
	conns  map[*listenerConn]struct{}
	closed bool // refuses
}

func newFaultyListener(l net.Listener) *faultyListener {
	return &faultyListener{Listener: l, conns: map[*listenerConn]struct{}{}}
}

// listenerConn is a connection of a faultyListener.
type listenerConn struct {
	net.Conn
	faultyListener *faultyListener
}

// Accept resets connections while the gate is shut: the client sees what it sees of a host
// that is gone.
func (g *faultyListener) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.mu.Lock()
		if g.closed {
			g.mu.Unlock()
			abort(c)
			continue
		}
		k := &listenerConn{Conn: c, faultyListener: g}
		g.conns[k] = struct{}{}
		g.mu.Unlock()
		return k, nil
	}
}

// Close forgets the connection.
func (c *listenerConn) Close() error {
	c.faultyListener.mu.Lock()
	delete(c.faultyListener.conns, c)
	c.faultyListener.mu.Unlock()
	return c.Conn.Close()
}

func (g *faultyListener) shut() {
	g.mu.Lock()
	g.closed = true
	conns := make([]*listenerConn, 0, len(g.conns))
	for c := range g.conns {
		conns = append(conns, c)
	}
	g.mu.Unlock()
	for _, c := range conns {
		abort(c.Conn)
		_ = c.Close()
	}
}

func (g *faultyListener) open() {
	g.mu.Lock()
	g.closed = false
	g.mu.Unlock()
}

// Outage makes the network go: every connection is reset, new ones are reset at once. Life in
// Slack goes on; envelopes are tried and lost as Slack does, so after Restore an app gets at
// most the retries that are still due, and must read the rest from the history.
func (s *Server) Outage() {
	s.mu.Lock()
	s.down = true
	faultyListener := s.faultyListener
	s.dropSockets()
	s.mu.Unlock()
	if faultyListener != nil {
		faultyListener.shut()
	}
}

// Restore ends an Outage.
func (s *Server) Restore() {
	s.mu.Lock()
	s.down = false
	faultyListener := s.faultyListener
	s.mu.Unlock()
	if faultyListener != nil {
		faultyListener.open()
	}
}

// DropSockets cuts all Socket Mode connections without a close frame.
func (s *Server) DropSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropSockets()
}

func (s *Server) dropSockets() {
	for _, a := range s.apps {
		for _, k := range a.sockets {
			k.kill()
		}
		a.sockets = nil
	}
}
