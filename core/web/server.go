package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/socket"
)

// Timeouts and limits that no setting changes.
const (
	headerTime  = 10 * time.Second // for the header of a request
	idleTime    = 60 * time.Second // between two requests
	requestTime = 30 * time.Second // for the body of a request, and again for its answer, unless the route streams
	headerBytes = 16 << 10
	bodyBytes   = 1 << 20 // unless the route streams
)

// Limits limit connections; zero and less mean no limit.
type Limits struct {
	Connections int // from one address
	Arrivals    int // new connections a second from one address
	Pending     int // from all addresses, of those that have not been marked with Known
}

// Options are the parameters of New.
type Options struct {
	Certificates socket.Certificates // nil: ServeTLS fails
	Proxies      []netip.Prefix      // whose X-Forwarded-For is believed
	Limits       Limits
	Pace         time.Duration // how long a peer may take for 64 KiB of a long body or answer; 0: one minute
	Log          *slog.Logger
}

// Route is a handler with its pattern, as http.ServeMux has it.
type Route struct {
	Pattern string
	Handler http.Handler
	// Streams is set where bodies or answers may be as long as files: the handler limits them itself, with Body and Writer.
	Streams bool
}

// Server serves HTTP on any number of listeners.
type Server struct {
	options   Options
	log       *slog.Logger
	mux       *http.ServeMux
	http      *http.Server
	addresses *peerlimit.Connections // connections, by address
	proxied   *peerlimit.Connections // requests that come through proxies, by the client's address

	mu      sync.Mutex
	ended   bool
	running sync.WaitGroup // handlers; added to under the lock while ended is false

	Counters Counters
}

// Counters may be read at any time.
type Counters struct {
	TooMany   atomic.Uint64 // connections or requests refused: too many from one address
	TooFast   atomic.Uint64 // connections refused: too many new ones from one address
	Displaced atomic.Uint64 // connections ended in favour of newer ones
	Panics    atomic.Uint64 // of handlers
}

// Limits returns the counters, under the names of the limits' settings.
func (k *Counters) Limits() []router.Counter {
	return []router.Counter{
		{Setting: "limits.connections", Value: &k.TooMany},
		{Setting: "limits.new_connections", Value: &k.TooFast},
		{Setting: "limits.pending_connections", Value: &k.Displaced},
	}
}

// New returns a server without routes.
func New(o Options) *Server {
	o.Pace = cmp.Or(o.Pace, paceTime)
	s := &Server{
		options: o, log: o.Log, mux: http.NewServeMux(),
		addresses: peerlimit.NewConnections(peerlimit.ConnectionLimits{}), proxied: peerlimit.NewConnections(peerlimit.ConnectionLimits{}),
	}
	s.SetLimits(o.Limits)
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.serveHTTP), ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug), ConnContext: withConnection,
	}
	s.http.Protocols = new(http.Protocols)
	s.http.Protocols.SetHTTP1(true)
	if o.Certificates != nil {
		s.http.TLSConfig = socket.ServerTLS(o.Certificates, "")
		s.http.TLSConfig.NextProtos = []string{"http/1.1"} // RFC 7301; no HTTP/2: see doc.go
	}
	return s
}

// SetLimits replaces the limits.
func (s *Server) SetLimits(l Limits) {
	s.addresses.SetLimits(peerlimit.ConnectionLimits{Open: l.Connections, PerSecond: l.Arrivals, Pending: l.Pending})
	s.proxied.SetLimits(peerlimit.ConnectionLimits{Open: l.Connections})
}

// Handle adds routes. Call it before Serve. It panics if a pattern conflicts with another one.
func (s *Server) Handle(routes ...Route) {
	for _, r := range routes {
		handler := r.Handler
		if !r.Streams {
			handler = short(handler)
		}
		s.mux.Handle(r.Pattern, handler)
	}
}

// short limits the body and the time of a request.
func short(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		begun := time.Now()
		if errors.Join(c.SetReadDeadline(begun.Add(requestTime)), c.SetWriteDeadline(begun.Add(2*requestTime))) != nil {
			return // the connection has ended
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyBytes)
		h.ServeHTTP(w, r)
	})
}

// Serve accepts connections until ctx ends; the listener is closed then. Connections continue until Shutdown.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return s.accept(ctx, l, s.http.Serve)
}

// ServeTLS is Serve with TLS.
func (s *Server) ServeTLS(ctx context.Context, l net.Listener) error {
	return s.accept(ctx, l, func(l net.Listener) error { return s.http.ServeTLS(l, "", "") })
}

func (s *Server) accept(ctx context.Context, l net.Listener, serve func(net.Listener) error) error {
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	err := serve(&listener{Listener: l, server: s})
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("web: %w", err)
}

// Shutdown waits for the requests that are served, at most until ctx ends, and then closes all connections. It returns when all
// handlers have returned: one that does not look at its connection is ended by whoever registered it.
func (s *Server) Shutdown(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.running.Wait()
}

// begin counts a handler, unless the server has ended.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.running.Add(1)
	}
	return !s.ended
}

// serveHTTP is the top of each request.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		panic(http.ErrAbortHandler)
	}
	defer s.running.Done()
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			s.Counters.Panics.Add(1)
			s.log.Error("panic in an HTTP handler", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			panic(http.ErrAbortHandler) // the answer may be written in part: the connection ends
		} else if v != nil {
			panic(v)
		}
	}()
	if r.ContentLength != 0 {
		// For a body that no handler reads: net/http waits for it. A handler that reads sets its own deadline.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(requestTime))
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	client, forwarded := s.clientOf(r)
	if forwarded {
		slot, verdict := s.proxied.Open(client)
		if verdict != peerlimit.Accepted {
			s.Counters.TooMany.Add(1)
			w.Header().Set("Retry-After", "5")
			http.Error(w, "too many requests at the same time", http.StatusTooManyRequests)
			return
		}
		slot.Authenticated() // it is not ended in favour of others
		defer slot.Closed()
	}
	s.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, &request{client, isSecure(r, forwarded), s.options.Pace})))
}
