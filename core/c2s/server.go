package c2s

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Namespaces of binding.
const (
	nsBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	nsSession = "urn:ietf:params:xml:ns:xmpp-session"
	nsPing    = "urn:xmpp:ping"
	nsLimits  = "urn:xmpp:stream-limits:0"
)

// Server accepts clients for its hosts, on any number of listeners.
type Server struct {
	cfg       Config
	current   atomic.Pointer[settings]
	hosts     map[string]*host
	first     *host
	gone      map[jid.JID]bool
	direct    *tls.Config // for connections that begin with TLS
	addresses *peerlimit.Connections
	guesses   *peerlimit.Guesses
	log       *slog.Logger
	conns     *stream.Group
	sessions  *resumables
	rechecks  rechecks
	started   time.Time
	Counters  Counters
}

// host is a Host with what the server derives from it.
type host struct {
	Host
	domain string
	tls    *tls.Config // after STARTTLS; nil without TLS
	certs  socket.Certificates
	offers offers
}

// NewServer returns a server.
func NewServer(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, hosts: map[string]*host{}, gone: map[jid.JID]bool{}, log: cfg.Log, conns: stream.NewGroup(),
		sessions: newResumables(), started: time.Now(),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.addresses = peerlimit.NewConnections(peerlimit.ConnectionLimits{})
	s.guesses = peerlimit.NewGuesses(peerlimit.GuessLimits{})
	s.SetLimits(cfg.Limits)
	for _, h := range cfg.Hosts {
		entry := &host{Host: h, domain: h.Router.Domain().String()}
		if certs := cfg.Certificates; certs != nil {
			// The host is that of the stream's to, whatever name the client sent in TLS.
			entry.certs = func(string) (*tls.Certificate, error) { return certs(entry.domain) }
			entry.tls = socket.ServerTLS(entry.certs, "")
			cfg.ClientCertificates.ask(entry.tls)
		}
		s.hosts[entry.domain] = entry
		if s.first == nil {
			s.first = entry
		}
	}
	for _, domain := range cfg.Gone {
		s.gone[domain] = true
	}
	if cfg.Certificates != nil {
		s.direct = socket.ServerTLS(cfg.Certificates, socket.ALPNClient)
		cfg.ClientCertificates.ask(s.direct)
	}
	return s, nil
}

// settings are what SetLimits changes as a whole.
type settings struct {
	limits Limits
	stream stream.Config
}

// SetLimits replaces the limits. Streams that have begun keep those of size, rate, queue and silence.
func (s *Server) SetLimits(limits Limits) {
	l := limits.filled()
	s.current.Store(&settings{l, stream.Config{
		Content: stanza.NSClient, Limits: l.BeforeLogin, Queue: outbound.Limits{Bytes: l.Queue},
		Rate: l.Rate, Burst: l.Burst, Idle: l.Idle, Pace: s.cfg.Pace, Elements: elements,
		Counters: &s.Counters.Counters, Log: s.log,
	}})
	s.addresses.SetLimits(peerlimit.ConnectionLimits{Open: l.Connections, PerSecond: l.Arrivals, Pending: l.Pending})
	s.guesses.SetLimits(peerlimit.GuessLimits{Network: l.Tries, Name: l.AccountTries})
}

func (s *Server) limits() *Limits { return &s.current.Load().limits }

// Serve accepts connections that begin without TLS until ctx ends; the listener is closed
// then. Connections continue until Shutdown.
func (s *Server) Serve(ctx context.Context, l net.Listener) error { return s.accept(ctx, l, false) }

// ServeTLS is Serve for connections that begin with TLS (XEP-0368).
func (s *Server) ServeTLS(ctx context.Context, l net.Listener) error {
	if s.direct == nil {
		return fmt.Errorf("direct TLS without a certificate")
	}
	return s.accept(ctx, l, true)
}

func (s *Server) accept(ctx context.Context, l net.Listener, direct bool) error {
	if err := stream.Accept(ctx, l, s.log, func(nc net.Conn) { s.arrive(nc, direct) }); err != nil {
		return fmt.Errorf("clients: %w", err)
	}
	return nil
}

// arrive starts a connection or refuses it.
func (s *Server) arrive(nc net.Conn, direct bool) {
	from := peerlimit.Address(nc)
	address, verdict := s.addresses.Open(from)
	switch verdict {
	case peerlimit.TooMany:
		s.Counters.TooMany.Add(1)
	case peerlimit.TooFast:
		s.Counters.TooFast.Add(1)
	default:
		c := s.newConn(from)
		c.useTransport(socket.New(nc))
		c.AddLog("conn", nc.RemoteAddr().String())
		c.address, c.direct = address, direct
		address.OnDisplaced(c.displaced)
		if !s.start(c) {
			_ = nc.Close()
		}
		return
	}
	if !direct {
		sendRefusal(nc, s.first.domain)
	}
	_ = nc.Close()
}

// displaced ends a connection that has not logged in, in favour of another one. Any goroutine may call it.
func (c *conn) displaced(why peerlimit.Verdict) {
	if why == peerlimit.TooMany {
		c.Stop(errTooMany)
	} else {
		c.Stop(errDisplaced)
	}
}

// start runs a connection in a goroutine of its own; false if the server is stopping.
func (s *Server) start(c *conn) bool {
	s.Counters.Connections.Add(1)
	if !s.conns.Go(c.Conn, c.serve) {
		c.left()
		return false
	}
	s.Counters.Accepted.Add(1)
	return true
}

// sendRefusal sends the reason to a refused connection. A new socket takes that little at once.
func sendRefusal(nc net.Conn, domain string) {
	h := stream.Header{Content: stanza.NSClient, From: domain, ID: newID(), Version: "1.0", Lang: "en"}
	e := stream.NewError(stream.ResourceConstraint, "too many connections from your address")
	_ = nc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = nc.Write(stream.AppendClose(e.Append(h.Append(nil)))) // it is closed either way
}

// Rest lets silent connections do without a goroutine, where the system can do that, until ctx ends. The owner of the server calls it once.
// See stream.Group.Rest.
func (s *Server) Rest(ctx context.Context, every time.Duration) error {
	w, err := socket.NewWatcher()
	if err != nil {
		s.log.Debug("each connection keeps its goroutine", "err", err)
		<-ctx.Done()
		return nil
	}
	s.conns.Rest(ctx, w, every)
	return nil
}

// Shutdown ends all streams with system-shutdown and waits until their sessions have
// ended; those that are not when ctx ends are disconnected. Sessions that can be resumed are stored. Stop the listeners first.
func (s *Server) Shutdown(ctx context.Context) {
	left := s.conns.Shutdown(ctx, stream.NewError(stream.SystemShutdown, "")) // checklist 120
	if left > 0 {
		s.log.Error("connections have not ended: their handlers block", "connections", left)
	}
	s.suspendDetached(ctx)
}
