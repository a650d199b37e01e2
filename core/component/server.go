package component

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
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

// Config is what a Server is made of. Fields that are zero have the defaults of this package.
type Config struct {
	Router   *router.Router
	Name     jid.JID // of the server, who asks silent components for a sign of life
	Accounts []Account
	Conflict Conflict
	// BeforeLogin and Stanza bound what is sent before and after the handshake; the defaults
	// are those of stream.BeforeLogin and stream.ForServers.
	BeforeLogin, Stanza stream.Limits

	Queue int           // bytes that wait for a component before it is cut off; 16 MiB
	Wait  time.Duration // from connecting to the handshake; 15 s, and never more
	Idle  time.Duration // silence before a ping, and again before the end; 5 min
	// OnAttach, which may be nil, is called when a component has proved itself, before
	// anything that it sends is read.
	OnAttach func(domain jid.JID)
	Log      *slog.Logger
}

// Server accepts components.
type Server struct {
	cfg      Config
	slots    map[string]*slot
	Counters Counters

	handshaking chan struct{} // one token each
	mu          sync.Mutex
	wires       map[*wire]struct{}
	stopping    bool
}

// NewServer checks the configuration and attaches every domain to the router, so that
// what is sent to a component that is away is answered with service-unavailable.
func NewServer(cfg Config) (*Server, error) {
	cfg.Stanza = filled(cfg.Stanza)
	if cfg.Queue == 0 {
		cfg.Queue = defaultQueue
	}
	if cfg.Idle == 0 {
		cfg.Idle = defaultIdle
	}
	if cfg.Wait == 0 || cfg.Wait > defaultWait {
		cfg.Wait = defaultWait
	}
	if cfg.BeforeLogin.Bytes == 0 {
		cfg.BeforeLogin.Bytes = stream.BeforeLogin().Bytes
	}
	s := &Server{
		cfg: cfg, slots: map[string]*slot{}, wires: map[*wire]struct{}{},
		handshaking: make(chan struct{}, maxHandshaking),
	}
	for _, a := range cfg.Accounts {
		if a.Secret == "" {
			s.detach()
			return nil, fmt.Errorf("component %s: no secret", a.Domain)
		}
		slot := &slot{server: s, domain: a.Domain, secret: a.Secret}
		if err := cfg.Router.Attach(a.Domain, slot); err != nil {
			s.detach()
			return nil, fmt.Errorf("component: %w", err)
		}
		s.slots[a.Domain.String()] = slot
	}
	return s, nil
}

func (s *Server) detach() {
	for _, slot := range s.slots {
		s.cfg.Router.Detach(slot.domain)
	}
}

// Attached tells whether the component of that domain is connected.
func (s *Server) Attached(domain jid.JID) bool {
	slot := s.slots[domain.String()]
	return slot != nil && slot.current() != nil
}

// Serve accepts components until ctx ends; then they get system-shutdown, and it returns
// when the last has gone. The listener is closed and the domains are given back. It is
// called once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	var group sync.WaitGroup
	defer s.detach()
	defer group.Wait()
	defer s.stop()
	stopped := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stopped()
	defer func() { _ = l.Close() }()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if t, ok := err.(interface{ Temporary() bool }); ok && t.Temporary() { // such as out of descriptors
				s.cfg.Log.Error("component not accepted", "err", err)
				select {
				case <-time.After(100 * time.Millisecond):
				case <-ctx.Done():
				}
				continue
			}
			return fmt.Errorf("accept components: %w", err)
		}
		select {
		case s.handshaking <- struct{}{}:
		default:
			s.Counters.Refused.Add(1)
			s.Counters.Strangers.Add(1)
			_ = conn.Close() // too many strangers at once
			continue
		}
		group.Go(func() { s.serve(ctx, conn) })
	}
}

// serve is the life of one connection.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	s.Counters.Connections.Add(1)
	defer s.Counters.Connections.Add(-1)
	known := sync.OnceFunc(func() { <-s.handshaking })
	defer known()
	log := s.cfg.Log.With("conn", conn.RemoteAddr().String())
	w := newWire(conn, s.cfg.Queue, s.cfg.Idle, log)
	w.scanner.SetLimits(s.cfg.BeforeLogin)
	w.until, w.budget = time.Now().Add(s.cfg.Wait), strangerItems*s.cfg.BeforeLogin.Bytes
	if !s.enter(w) {
		_ = conn.Close()
		return
	}
	defer s.leave(w)
	var a arrival
	defer func() {
		if v := recover(); v != nil {
			log.Error("panic", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			w.end(stream.NewError(stream.InternalServerError, ""), a.open)
		}
	}()
	slot, err := s.negotiate(w, &a)
	known()
	if err != nil {
		s.Counters.refused(err)
		log.Warn("component refused", "domain", a.domain, "err", err)
		w.end(err, a.open)
		return
	}
	log.Info("component attached", "domain", slot.domain)
	if s.cfg.OnAttach != nil {
		s.cfg.OnAttach(slot.domain)
	}
	err = s.run(ctx, w, slot)
	s.Counters.ended(err, !w.peerLeft(err))
	log.Info("component detached", "domain", slot.domain, "err", err)
	w.end(err, true)
}

// run reads an attached component.
func (s *Server) run(ctx context.Context, w *wire, slot *slot) error {
	s.Counters.Attached.Add(1)
	defer s.Counters.Attached.Add(-1)
	defer slot.release(w)
	batch := router.NewBatch(ctx)
	defer batch.Flush()
	w.flush = batch.Flush
	w.ping = func() *stanza.Stanza { return newPing(slot.domain, s.cfg.Name) }
	return w.each(func(it *stream.Item) error {
		s.Counters.Received.Add(1)
		return s.receive(batch, slot, it)
	})
}

// enter registers a connection; false where the server is stopping.
func (s *Server) enter(w *wire) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.wires[w] = struct{}{}
	return true
}

func (s *Server) leave(w *wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.wires, w)
}

func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for w := range s.wires {
		w.stop(stream.NewError(stream.SystemShutdown, "")) // checklist 120
	}
}

var errConflict = stream.NewError(stream.Conflict, "component is connected elsewhere")
