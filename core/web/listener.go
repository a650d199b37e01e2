package web

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"github.com/dragoman-im/dragoman/core/peerlimit"
)

// listener limits the connections of each address.
type listener struct {
	net.Listener
	server *Server
}

// connection is a connection that was accepted. It is a TCP connection with all its methods, so that files are sent by the system.
type connection struct {
	*net.TCPConn
	peer   *peerlimit.Connection // nil: of a proxy
	closed sync.Once
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.server.admit(nc); c != nil {
			return c, nil
		}
		_ = nc.Close()
	}
}

// admit returns nil for a connection that is one too many.
func (s *Server) admit(nc net.Conn) net.Conn {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	c := &connection{TCPConn: tcp}
	from := peerlimit.Address(nc)
	if s.trusts(from) {
		return c
	}
	peer, verdict := s.addresses.Open(from)
	switch verdict {
	case peerlimit.TooMany:
		s.Counters.TooMany.Add(1)
		return nil
	case peerlimit.TooFast:
		s.Counters.TooFast.Add(1)
		return nil
	}
	c.peer = peer
	peer.OnDisplaced(func(peerlimit.Verdict) {
		s.Counters.Displaced.Add(1)
		_ = tcp.Close()
	})
	return c
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.closed.Do(c.peer.Closed)
	return c.TCPConn.Close()
}

type connectionKey struct{}

// withConnection lets requests find their connection.
func withConnection(ctx context.Context, nc net.Conn) context.Context {
	if over, ok := nc.(*tls.Conn); ok {
		nc = over.NetConn()
	}
	return context.WithValue(ctx, connectionKey{}, nc)
}

// Known marks the connection of a request as one of a peer that has shown that it is welcome here: it is not ended in favour of new
// connections.
func Known(r *http.Request) {
	if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
		c.peer.Authenticated()
	}
}
