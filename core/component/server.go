package component

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	"math"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Config configures a Server. Fields that are zero have the defaults of this package.
type Config struct {
	Router     *router.Router
	Name       jid.JID // of the server, which pings silent components
	Components []External
	Limits     Limits
	// Certificates, which may be nil, are for listeners with TLS.
	Certificates socket.Certificates
	// OnAttach, which may be nil, is called when a component has authenticated, before
	// anything that it sends is read. send sends to that connection, for as long as OnAttach runs.
	OnAttach func(domain jid.JID, send func(*stanza.Stanza))
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

	Rate  int           // bytes a second that a component may send, and twice as many at once; negative: no limit; 32 MiB
	Queue int           // bytes that may be unwritten before a component is disconnected; 16 MiB. At half of them it is not read from
	Wait  time.Duration // from connecting to the handshake; 15 s, which is also the maximum
	Idle  time.Duration // silence before a ping, and then before the stream ends; 5 min
}

func (l Limits) filled() Limits {
	l.Stanza = l.Stanza.Or(stream.ForServers())
	l.Connections, l.Arrivals = cmp.Or(l.Connections, defaultConnections), cmp.Or(l.Arrivals, defaultArrivals)
	l.Tries, l.DomainTries = cmp.Or(l.Tries, defaultTries), cmp.Or(l.DomainTries, defaultTries)
	l.Queue, l.Rate = cmp.Or(l.Queue, defaultQueue), cmp.Or(l.Rate, defaultRate)
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
	direct    *tls.Config  // for connections that begin with TLS; nil: there are none
	seed      maphash.Seed // of the hashes by which endpoints choose connections
	conns     *stream.Group
	addresses *peerlimit.Connections
	guesses   *peerlimit.Guesses // of secrets
	Counters  Counters
}

// NewServer checks the configuration and attaches every domain to the router, so that
// stanzas to a component that is not connected are answered with service-unavailable.
func NewServer(cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg, endpoints: map[string]*endpoint{}, seed: maphash.MakeSeed(), conns: stream.NewGroup(),
		addresses: peerlimit.NewConnections(peerlimit.ConnectionLimits{}), guesses: peerlimit.NewGuesses(peerlimit.GuessLimits{}),
	}
	if cfg.Certificates != nil {
		s.direct = socket.ServerTLS(cfg.Certificates, "")
	}
	for _, a := range cfg.Components {
		if a.Secret == "" {
			s.detach()
			return nil, fmt.Errorf("component %s: no secret", a.Domain)
		}
		e := newEndpoint(s, a)
		if err := cfg.Router.Attach(a.Domain, e); err != nil {
			s.detach()
			return nil, fmt.Errorf("component: %w", err)
		}
		s.endpoints[a.Domain.String()] = e
	}
	s.SetLimits(cfg.Limits)
	return s, nil
}

// SetLimits replaces the limits. Streams that have begun keep those of size before the handshake, queue and silence.
func (s *Server) SetLimits(limits Limits) {
	l := limits.filled()
	s.current.Store(&settings{l, stream.Config{
		Content: stanza.NSComponent, Limits: l.BeforeLogin,
		Queue: outbound.Limits{Bytes: l.Queue, Retain: outbound.RetainLimits{Stanzas: math.MaxInt, Bytes: math.MaxInt}}, // Bytes limits them
		Idle:  l.Idle, Counters: &s.Counters.Counters, Log: s.cfg.Log,
	}})
	s.addresses.SetLimits(peerlimit.ConnectionLimits{Open: l.Connections, PerSecond: l.Arrivals, Pending: maxHandshaking})
	s.guesses.SetLimits(peerlimit.GuessLimits{Network: l.Tries, Name: l.DomainTries})
	for _, e := range s.endpoints {
		e.setRate(l.Rate)
	}
}

func (s *Server) detach() {
	for _, e := range s.endpoints {
		s.cfg.Router.Detach(e.Domain)
	}
}

// Attached reports whether the component of that domain is connected.
func (s *Server) Attached(domain jid.JID) bool {
	e := s.endpoints[domain.String()]
	return e != nil && len(e.state().Connections) > 0
}

// States returns all components, by domain.
func (s *Server) States() []admin.Component {
	list := make([]admin.Component, 0, len(s.endpoints))
	for _, name := range slices.Sorted(maps.Keys(s.endpoints)) {
		list = append(list, s.endpoints[name].state())
	}
	return list
}

// Run accepts components until ctx ends: without TLS on the listeners plain, with TLS from the start on direct. Then they get
// system-shutdown, and Run returns when the last has disconnected. It closes the listeners and detaches the domains from the router.
func (s *Server) Run(ctx context.Context, plain, direct []net.Listener) error {
	defer s.shutDown()
	if len(direct) > 0 && s.direct == nil {
		return errors.New("components: TLS without a certificate")
	}
	var accepting sync.WaitGroup
	failed := make(chan error, len(plain)+len(direct))
	for i, l := range slices.Concat(plain, direct) {
		accepting.Go(func() { failed <- s.accept(ctx, l, i >= len(plain)) })
	}
	accepting.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	<-ctx.Done() // without listeners the domains stay attached
	return nil
}

func (s *Server) accept(ctx context.Context, l net.Listener, direct bool) error {
	if err := stream.Accept(ctx, l, s.cfg.Log, func(nc net.Conn) { s.arrive(nc, direct) }); err != nil {
		return fmt.Errorf("components: %w", err)
	}
	return nil
}

// shutDown ends all streams with system-shutdown, waits until they have ended, and detaches the domains from the router.
func (s *Server) shutDown() {
	defer s.detach()
	stopping, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if left := s.conns.Shutdown(stopping, stream.NewError(stream.SystemShutdown, "")); left > 0 { // checklist 120
		s.cfg.Log.Error("connections of components have not ended: their handlers block", "connections", left)
	}
}

// arrive starts a connection or refuses it.
func (s *Server) arrive(nc net.Conn, direct bool) {
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
	c := &serverConn{server: s, from: from, address: address, direct: direct, batch: router.NewBatch(s.conns.Context())}
	current := s.current.Load()
	c.Conn = stream.NewConn(s.conns.Context(), &current.stream, socket.New(nc), c)
	c.AddLog("conn", nc.RemoteAddr().String())
	c.until = time.Now().Add(current.limits.Wait)
	c.Expire(c.until, errLate)
	c.Budget(handshakeStanzas*current.limits.BeforeLogin.Bytes, errFlood)
	address.OnDisplaced(c.displaced)
	s.Counters.Connections.Add(1)
	if !s.conns.Go(c.Conn, c.serve) {
		s.Counters.Connections.Add(-1)
		address.Closed()
		_ = nc.Close()
	}
}

// displaced ends a connection without a handshake, to make room for another one. Any goroutine may call it.
func (c *serverConn) displaced(why peerlimit.Verdict) {
	if why == peerlimit.TooMany {
		c.Stop(errTooMany)
	} else {
		c.Stop(errDisplaced)
	}
}
