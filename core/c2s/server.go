package c2s

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
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
	cfg      Config
	limits   Limits
	hosts    map[string]*host
	first    *host
	gone     map[jid.JID]bool
	direct   *tls.Config // for connections that begin with TLS
	gate     *gate
	log      *slog.Logger
	Counters Counters

	base   context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	conns    map[*conn]struct{}
	stopping bool
}

// host is a Host with what this package adds.
type host struct {
	Host
	domain string
	tls    *tls.Config // after STARTTLS; nil without TLS
	certs  stream.Certificates
	offers offers
}

// NewServer makes a server. It registers what a client may ask about its own session
// with the hosts.
func NewServer(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, limits: cfg.Limits.filled(), hosts: map[string]*host{}, gone: map[jid.JID]bool{}, log: cfg.Log, conns: map[*conn]struct{}{},
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.gate = newGate(s.limits)
	s.base, s.cancel = context.WithCancel(context.Background())
	for _, h := range cfg.Hosts {
		entry := &host{Host: h, domain: h.Router.Domain().String()}
		if certs := cfg.Certificates; certs != nil {
			// The stream's to says which host is meant, whatever name TLS was asked for.
			entry.certs = func(string) (*tls.Certificate, error) { return certs(entry.domain) }
			entry.tls = stream.ServerTLS(entry.certs, "")
		}
		s.hosts[entry.domain] = entry
		if s.first == nil {
			s.first = entry
		}
		h.Router.HandleIQ(nsSession, legacySession)
		h.Router.HandleIQ(nsBind, secondBind)
	}
	for _, domain := range cfg.Gone {
		s.gone[domain] = true
	}
	if cfg.Certificates != nil {
		s.direct = stream.ServerTLS(cfg.Certificates, stream.ALPNClient)
	}
	return s, nil
}

// Serve accepts connections that begin in clear until ctx ends; the listener is closed
// then. Connections go on until Shutdown.
func (s *Server) Serve(ctx context.Context, l net.Listener) error { return s.accept(ctx, l, false) }

// ServeTLS is Serve for connections that begin with TLS (XEP-0368).
func (s *Server) ServeTLS(ctx context.Context, l net.Listener) error {
	if s.direct == nil {
		return fmt.Errorf("direct TLS without a certificate")
	}
	return s.accept(ctx, l, true)
}

func (s *Server) accept(ctx context.Context, l net.Listener, direct bool) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	defer func() { _ = l.Close() }()
	for {
		nc, err := l.Accept()
		if err == nil {
			s.arrive(nc, direct)
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		if t, ok := err.(interface{ Temporary() bool }); !ok || !t.Temporary() {
			return fmt.Errorf("accept clients: %w", err)
		}
		s.log.Error("client not accepted", "err", err) // such as out of descriptors
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// arrive starts a connection or turns it away.
func (s *Server) arrive(nc net.Conn, direct bool) {
	from := address(nc)
	switch s.gate.enter(from) {
	case tooMany:
		s.Counters.TooMany.Add(1)
	case tooFast:
		s.Counters.TooFast.Add(1)
	default:
		c := newConn(s, nc, from)
		if !s.add(c) {
			s.gate.leave(from)
			_ = nc.Close()
			return
		}
		go func() {
			defer s.group.Done()
			defer s.remove(c)
			c.serve(direct)
		}()
		return
	}
	if !direct {
		turnAway(nc, s.first.domain)
	}
	_ = nc.Close()
}

// turnAway says why, to a socket that certainly takes so little at once.
func turnAway(nc net.Conn, domain string) {
	h := stream.Header{Content: stanza.NSClient, From: domain, ID: newID(), Version: "1.0", Lang: "en"}
	e := stream.NewError(stream.ResourceConstraint, "too many connections from your address")
	_ = nc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = nc.Write(stream.AppendClose(e.Append(h.Append(nil)))) // it is gone either way
}

func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.conns[c] = struct{}{}
	s.group.Add(1)
	s.Counters.Accepted.Add(1)
	s.Counters.Connections.Add(1)
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.Counters.Connections.Add(-1)
	s.gate.leave(c.from)
}

// Shutdown ends all streams with system-shutdown and waits until their sessions have
// said good-bye; what is not done when ctx ends is cut off. Stop the listeners first.
func (s *Server) Shutdown(ctx context.Context) {
	s.each(func(c *conn) { c.stop(stream.NewError(stream.SystemShutdown, "")) }) // checklist 120
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.group.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.cancel()
		s.each(func(c *conn) { _ = c.tcp.Close() })
		<-done
	}
	s.cancel()
}

// each lets no further connection in and calls f for those that there are.
func (s *Server) each(f func(*conn)) {
	s.mu.Lock()
	s.stopping = true
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		f(c)
	}
}
