package component

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Conflict is what happens when a domain's component connects a second time.
type Conflict uint8

// The policies of Conflict.
const (
	Replace Conflict = iota // the old connection is ended: it is probably dead
	Reject                  // the new one is refused
)

// Account is a component that may attach.
type Account struct {
	Domain jid.JID
	Secret string
}

// Config configures a Server. Fields that are zero have the defaults of this package.
type Config struct {
	Router   *router.Router
	Name     jid.JID // of the server, which pings silent components
	Accounts []Account
	Conflict Conflict
	Limits   Limits
	// OnAttach, which may be nil, is called when a component has authenticated, before
	// anything that it sends is read.
	OnAttach func(domain jid.JID)
	Log      *slog.Logger
}

// Limits limit what components can make the server do. Fields that are zero have the defaults of this package.
type Limits struct {
	// BeforeLogin and Stanza limit what components send before and after the handshake; the defaults
	// are those of stream.BeforeLogin and stream.ForServers.
	BeforeLogin, Stanza stream.Limits

	Connections int // from one address; 100, negative: no limit
	Arrivals    int // new connections a second from one address; 20, negative: no limit
	Tries       int // wrong secrets a minute from one address; 20, negative: no limit
	DomainTries int // wrong secrets a minute for one domain from all addresses; 20, negative: no limit

	Queue int           // bytes that may be unwritten before a component is disconnected; 16 MiB
	Wait  time.Duration // from connecting to the handshake; 15 s, which is also the maximum
	Idle  time.Duration // silence before a ping, and then before the stream ends; 5 min
}

func (l Limits) filled() Limits {
	l.Stanza = filled(l.Stanza)
	l.Connections, l.Arrivals = cmp.Or(l.Connections, defaultConnections), cmp.Or(l.Arrivals, defaultArrivals)
	l.Tries, l.DomainTries = cmp.Or(l.Tries, defaultTries), cmp.Or(l.DomainTries, defaultTries)
	l.Queue = cmp.Or(l.Queue, defaultQueue)
	l.Idle = cmp.Or(l.Idle, defaultIdle)
	l.Wait = min(cmp.Or(l.Wait, defaultWait), defaultWait)
	l.BeforeLogin.Bytes = cmp.Or(l.BeforeLogin.Bytes, stream.BeforeLogin().Bytes)
	return l
}

// settings are what SetLimits changes as a whole.
type settings struct {
	limits Limits
	stream stream.Config
}

// Server accepts components.
type Server struct {
	cfg       Config
	current   atomic.Pointer[settings]
	endpoints map[string]*endpoint
	conns     *stream.Group
	addresses *peerlimit.Connections
	guesses   *peerlimit.Guesses // of secrets
	Counters  Counters
}

// NewServer checks the configuration and attaches every domain to the router, so that
// stanzas to a component that is not connected are answered with service-unavailable.
func NewServer(cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg, endpoints: map[string]*endpoint{}, conns: stream.NewGroup(),
		addresses: peerlimit.NewConnections(peerlimit.ConnectionLimits{}), guesses: peerlimit.NewGuesses(peerlimit.GuessLimits{}),
	}
	s.SetLimits(cfg.Limits)
	for _, a := range cfg.Accounts {
		if a.Secret == "" {
			s.detach()
			return nil, fmt.Errorf("component %s: no secret", a.Domain)
		}
		e := &endpoint{server: s, domain: a.Domain, secret: a.Secret}
		if err := cfg.Router.Attach(a.Domain, e); err != nil {
			s.detach()
			return nil, fmt.Errorf("component: %w", err)
		}
		s.endpoints[a.Domain.String()] = e
	}
	return s, nil
}

// SetLimits replaces the limits. Streams that have begun keep those of size before the handshake, queue and silence.
func (s *Server) SetLimits(limits Limits) {
	l := limits.filled()
	s.current.Store(&settings{l, stream.Config{
		Content: stanza.NSComponent, Limits: l.BeforeLogin, Queue: stream.QueueLimits{Bytes: l.Queue},
		Idle: l.Idle, Counters: &s.Counters.Counters, Log: s.cfg.Log,
	}})
	s.addresses.SetLimits(peerlimit.ConnectionLimits{Open: l.Connections, PerSecond: l.Arrivals, Pending: maxHandshaking})
	s.guesses.SetLimits(peerlimit.GuessLimits{Network: l.Tries, Name: l.DomainTries})
}

func (s *Server) detach() {
	for _, e := range s.endpoints {
		s.cfg.Router.Detach(e.domain)
	}
}

// Attached reports whether the component of that domain is connected.
func (s *Server) Attached(domain jid.JID) bool {
	e := s.endpoints[domain.String()]
	return e != nil && e.current() != nil
}

// Serve accepts components until ctx ends; then they get system-shutdown, and it returns
// when the last has disconnected. It closes the listener and detaches the domains from the router. It is
// called once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer s.detach()
	err := stream.Accept(ctx, l, s.cfg.Log, s.arrive)
	stopping, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if left := s.conns.Shutdown(stopping, stream.NewError(stream.SystemShutdown, "")); left > 0 { // checklist 120
		s.cfg.Log.Error("connections of components have not ended: their handlers block", "connections", left)
	}
	if err != nil {
		return fmt.Errorf("components: %w", err)
	}
	return nil
}

// arrive starts a connection or refuses it.
func (s *Server) arrive(nc net.Conn) {
	from := peerlimit.Address(nc)
	address, verdict := s.addresses.Open(from)
	if verdict != peerlimit.Accepted {
		s.Counters.Refused.Add(1)
		if verdict == peerlimit.TooMany {
			s.Counters.TooMany.Add(1)
		} else {
			s.Counters.TooFast.Add(1)
		}
		_ = nc.Close()
		return
	}
	c := &serverConn{server: s, from: from, address: address, batch: router.NewBatch(s.conns.Context())}
	current := s.current.Load()
	c.Conn = stream.NewConn(s.conns.Context(), &current.stream, socket.New(nc), c)
	c.AddLog("conn", nc.RemoteAddr().String())
	c.Expire(time.Now().Add(current.limits.Wait), errLate)
	c.Budget(handshakeStanzas*current.limits.BeforeLogin.Bytes, errFlood)
	address.OnDisplaced(c.displaced)
	s.Counters.Connections.Add(1)
	if !s.conns.Go(c.Conn, c.serve) {
		s.Counters.Connections.Add(-1)
		address.Closed()
		_ = nc.Close()
	}
}

// displaced ends a connection without a handshake, in favour of another one. Any goroutine may call it.
func (c *serverConn) displaced(why peerlimit.Verdict) {
	if why == peerlimit.TooMany {
		c.Stop(errTooMany)
	} else {
		c.Stop(errDisplaced)
	}
}
