package s2s

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
	"github.com/dragoman-im/dragoman/core/s2s/dialback"
	"github.com/dragoman-im/dragoman/core/s2s/outbox"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Config configures a Server. All fields but Evidence, Servers, Revoked, Roots, Outbox, Policy, Limits and Pace are required.
type Config struct {
	Router   *router.Router
	Name     jid.JID // of the server, in answers to peers that ask for no domain of ours
	Dialer   Dialer
	Evidence func(domain string) certificate.Evidence // about the certificates of servers that connect to us; nil: none
	// Servers returns what decides whether the certificates of a domain's servers are valid, if one of them has connected to us and wants to be sent
	// stanzas on that connection. An error says that it cannot be known: nothing is sent there. Nil: nothing but the certificate decides.
	Servers      func(domain string) (certificate.Evidence, error)
	Certificates socket.Certificates
	Revoked      certificate.Revoked // says which certificates were revoked; nil: none
	Roots        *x509.CertPool      // of the certificates of other servers; nil: those of the system
	Outbox       outbox.Store        // nil: nothing outlives the process
	Secret       []byte              // of dialback keys; all servers of our domains share it
	Policy       Policy
	Limits       Limits
	Pace         func(stop <-chan struct{}) // see stream.Config
	Log          *slog.Logger
}

// settings are what SetLimits changes as a whole.
type settings struct {
	limits  Limits
	in, out stream.Config
}

// Server has the connections with other servers. It is the router's destination for their domains.
type Server struct {
	cfg        Config
	current    atomic.Pointer[settings]
	policy     atomic.Pointer[Policy]
	keys       keys
	tls        tlsConfigs
	conns      *stream.Group
	addresses  *peerlimit.Connections
	links      links
	directory  directory
	incoming   incoming
	resumables resumables
	opening    opening
	unflushed  unflushed
	Counters   Counters
}

// opening are the connections that are being opened.
type opening struct {
	ctx                     context.Context // ends with Shutdown
	cancel                  context.CancelFunc
	running                 sync.WaitGroup
	mu                      sync.Mutex // held by start and stop
	attempts, verifications atomic.Int64
	domains                 peerlimit.Shares[string]  // of keys that are verified on connections of their own
	accounts                peerlimit.Shares[jid.JID] // for whose stanzas links are connecting
}

// NewServer returns a server. The caller makes it the router's remote destination.
func NewServer(cfg Config) (*Server, error) {
	if len(cfg.Secret) < 16 {
		return nil, errors.New("links to other servers: the secret of dialback keys is too short")
	}
	if cfg.Dialer == nil || cfg.Certificates == nil {
		return nil, errors.New("links to other servers need a dialer and certificates")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Evidence == nil {
		cfg.Evidence = func(string) certificate.Evidence { return certificate.Evidence{Initiator: true} }
	}
	if cfg.Servers == nil {
		cfg.Servers = func(string) (certificate.Evidence, error) { return certificate.Evidence{}, nil }
	}
	s := &Server{
		cfg: cfg, keys: keys{dialback.NewKeys(cfg.Secret)}, conns: stream.NewGroup(), addresses: peerlimit.NewConnections(peerlimit.ConnectionLimits{}),
	}
	s.tls.init(cfg.Certificates)
	s.links.all, s.links.max, s.links.maxWaiting = map[pair]*link{}, maxLinks, maxWaiting
	s.links.outbox = outbox.New(cfg.Outbox, &s.Counters.LimitCounters.Outbox)
	s.directory.all = map[string][]*outConn{}
	s.opening.ctx, s.opening.cancel = context.WithCancel(context.Background())
	s.SetLimits(cfg.Limits)
	s.SetPolicy(cfg.Policy)
	return s, nil
}

// SetLimits replaces the limits. Streams that have begun keep those of size, rate, queue and silence.
func (s *Server) SetLimits(limits Limits) {
	l := limits.filled()
	in := stream.Config{
		Content: stanza.NSServer, Limits: l.BeforeLogin, Queue: outbound.Limits{Bytes: l.Queue, Write: l.Element}, Element: l.Element, Rate: l.Rate, Burst: l.Burst,
		Idle: l.Idle, Pace: s.cfg.Pace, Elements: inElements, Counters: &s.Counters.Counters, Log: s.cfg.Log,
	}
	in.Queue.Retain = outbound.RetainLimits{Stanzas: l.Queue / 256, Bytes: l.Queue}
	out := in
	out.Elements = outElements
	s.current.Store(&settings{l, in, out})
	s.links.outbox.SetLimits(l.Outbox)
	s.addresses.SetLimits(peerlimit.ConnectionLimits{Open: l.Connections, PerSecond: l.Arrivals, Pending: l.Pending})
}

// SetPolicy replaces the policy. Connections that it would not have allowed end with the next stanza.
func (s *Server) SetPolicy(p Policy) { s.policy.Store(&p) }

func (s *Server) limits() *Limits { return &s.current.Load().limits }

func (s *Server) rule(domain string) Rule { return s.policy.Load().Rule(domain) }

// serves reports whether a domain is ours.
func (s *Server) serves(domain string) bool {
	d, err := jid.Parse(domain)
	return err == nil && s.cfg.Router.Serves(d)
}

// Serve accepts connections that begin without TLS until ctx ends; the listener is closed then. Connections continue until Shutdown.
func (s *Server) Serve(ctx context.Context, l net.Listener) error { return s.accept(ctx, l, false) }

// ServeTLS is Serve for connections that begin with TLS (XEP-0368).
func (s *Server) ServeTLS(ctx context.Context, l net.Listener) error { return s.accept(ctx, l, true) }

func (s *Server) accept(ctx context.Context, l net.Listener, direct bool) error {
	if err := stream.Accept(ctx, l, s.cfg.Log, func(nc net.Conn) { s.arrive(nc, direct) }); err != nil {
		return fmt.Errorf("servers: %w", err)
	}
	return nil
}

// arrive starts a connection or refuses it.
func (s *Server) arrive(nc net.Conn, direct bool) {
	address, verdict := s.addresses.Open(peerlimit.Address(nc))
	if verdict != peerlimit.Accepted {
		s.Counters.Refused.Add(1)
		if verdict == peerlimit.TooMany {
			s.Counters.LimitCounters.TooMany.Add(1)
		} else {
			s.Counters.LimitCounters.TooFast.Add(1)
		}
		_ = nc.Close()
		return
	}
	current := s.current.Load()
	c := &inConn{address: address, direct: direct}
	c.receiver = receiver{server: s, batch: router.NewBatch(s.conns.Context()), suits: c.suits, extends: c.extends}
	c.Conn = stream.NewConn(s.conns.Context(), &current.in, socket.New(nc), c)
	c.AddLog("conn", nc.RemoteAddr().String())
	c.deadline = time.Now().Add(current.limits.Wait)
	c.Expire(c.deadline, errLate)
	c.Budget(negotiationBytes, errFlood)
	address.OnDisplaced(c.displaced)
	if !s.conns.Go(c.Conn, c.serve) {
		address.Closed()
		_ = nc.Close()
	}
}

// Run connects the links of Restore, and removes unused links until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	var restoring sync.WaitGroup
	restoring.Go(func() { s.connectRestored(ctx) })
	defer restoring.Wait()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			for _, o := range s.directory.list() {
				o.expire(now)
			}
			s.recount()
			s.links.sweep(now)
			s.links.outbox.Sweep(now)
			s.resumables.sweep(now)
		case <-ctx.Done():
			return nil
		}
	}
}

// Shutdown ends all streams with system-shutdown, after what their queues have, and returns stanzas that wait for a connection, unless they
// are in the outbox. When ctx ends
// it closes what is left. Stop the listeners, and what sends stanzas, first.
func (s *Server) Shutdown(ctx context.Context) {
	s.opening.stop()
	if left := s.conns.Shutdown(ctx, errStopping); left > 0 { // checklist 120
		s.cfg.Log.Error("connections with other servers have not ended: their handlers block", "connections", left)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.opening.running.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	if err := s.links.outbox.Flush(ctx); err != nil {
		s.cfg.Log.Warn("some messages may be sent to other servers again", "err", err)
	}
}

// newID returns an id of a stream that cannot be guessed (RFC 6120 §4.7.3, CVE-2016-1232).
func newID() string { return rand.Text() }

// tlsConfigs are the TLS configurations of the accepting side.
type tlsConfigs struct {
	certificates socket.Certificates
	direct       *tls.Config

	mu  sync.Mutex
	all map[string]*tls.Config // after STARTTLS, by our domain
}

func (t *tlsConfigs) init(certificates socket.Certificates) {
	t.certificates, t.all = certificates, map[string]*tls.Config{}
	t.direct = acceptingTLS(certificates, socket.ALPNServer)
}

// of returns the configuration for streams to a domain of ours.
func (t *tlsConfigs) of(domain string) *tls.Config {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.all[domain]
	if c == nil {
		// The host is that of the stream's to, whatever name the peer sends in TLS.
		c = acceptingTLS(func(string) (*tls.Certificate, error) { return t.certificates(domain) }, "")
		t.all[domain] = c
	}
	return c
}

// acceptingTLS asks peers for their certificates, which are checked for each domain that they want to send for.
func acceptingTLS(certificates socket.Certificates, alpn string) *tls.Config {
	c := socket.ServerTLS(certificates, alpn)
	c.ClientAuth = tls.RequestClientCert
	return c
}
