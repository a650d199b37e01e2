package c2s

import (
	"errors"
	"net/netip"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Errors of Admit. Their texts are for the client.
var (
	ErrInsecure = errors.New("use TLS: the address begins with https or wss")
	ErrTooMany  = errors.New("too many connections from your address")
)

// Arrival is a client that comes over HTTP and has been admitted. The caller calls Start or Cancel.
type Arrival struct {
	server  *Server
	from    netip.Addr
	address *peerlimit.Connection
	secure  bool
}

// Admit counts a connection that is about to begin over a stream.FrameTransport, as those of TCP are counted. secure is whether nobody can
// read it on its way: STARTTLS does not exist there (RFC 7395 §3.9).
func (s *Server) Admit(from netip.Addr, secure bool) (*Arrival, error) {
	if !secure && !s.cfg.Plain {
		return nil, ErrInsecure
	}
	address, verdict := s.addresses.Open(from)
	switch verdict {
	case peerlimit.TooMany:
		s.Counters.TooMany.Add(1)
		return nil, ErrTooMany
	case peerlimit.TooFast:
		s.Counters.TooFast.Add(1)
		return nil, ErrTooMany
	}
	return &Arrival{s, from, address, secure}, nil
}

// Cancel ends an arrival that has not started.
func (a *Arrival) Cancel() { a.address.Closed() }

// Start runs the connection in a goroutine of its own. It returns false if the server is stopping; then the caller closes the transport.
func (a *Arrival) Start(t stream.FrameTransport) bool {
	c := a.server.newConn(a.from)
	c.Conn = stream.NewFramedConn(a.server.conns.Context(), &a.server.current.Load().stream, t, c)
	c.AddLog("conn", a.from.String())
	c.negotiation.secure, c.address = a.secure, a.address
	c.expire()
	a.address.OnDisplaced(c.displaced)
	return a.server.start(c)
}

// MaxFragments returns how many frames a message over WebSocket may have, and what counts those that have more.
func (s *Server) MaxFragments() (n int, exceeded *atomic.Uint64) {
	return s.limits().Fragments, &s.Counters.Fragments
}

// MaxStanza returns the bytes of the largest element that a client may send before and after its login.
func (s *Server) MaxStanza() (before, after int) {
	l := s.limits()
	return l.BeforeLogin.Bytes, l.Stanza.Bytes
}
