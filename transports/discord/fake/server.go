package fake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options are how a fake server behaves. The zero value is like Discord.
type Options struct {
	// URL is the address that links lead to, where the server is used as a handler of
	// another listener; Start sets it by itself.
	URL string
	// Heartbeat is the interval in HELLO; 41.25 s where zero.
	Heartbeat time.Duration
	// ResumeWindow is for how long a session without connection can be resumed; 3 minutes.
	ResumeWindow time.Duration
	// ReconnectGrace is how long a connection lives after it was asked to reconnect; 5 s.
	ReconnectGrace time.Duration
	// LinkTTL is for how long a link to an attachment is good; 24 hours.
	LinkTTL time.Duration
	// IdentifyLimit is how many sessions an application may begin; 1000. One more and its
	// token is reset. (events/gateway.mdx, Session Start Limit)
	IdentifyLimit int
	// IdentifySpacing is the least time between two sessions that an application begins; one
	// that comes earlier is answered with opcode 9. Discord has 5 seconds, here it is zero so
	// that tests are quick. (events/gateway.mdx, Session Start Limit: max_concurrency)
	IdentifySpacing time.Duration
	// Unlimited switches the rate limits off; their headers are sent all the same.
	Unlimited bool
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Checker gets all traffic; may be nil.
	Checker Checker
	// Log gets warnings; may be nil.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&o.Heartbeat, 41250*time.Millisecond)
	set(&o.ResumeWindow, 3*time.Minute)
	set(&o.ReconnectGrace, 5*time.Second)
	set(&o.LinkTTL, 24*time.Hour)
	if o.IdentifyLimit == 0 {
		o.IdentifyLimit = 1000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Server is one Discord.
type Server struct {
	opts           Options
	log            *slog.Logger
	http           *http.Server
	faultyListener *faultyListener
	routes         []*route
	done           chan struct{} // closed by Close
	work           sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	base   string // http://127.0.0.1:port
	data
	gateway
	hooks  hooks
	faults faults
}

// gateway is the state of the gateway connections and of the limits.
type gateway struct {
	sessions  []*session
	conns     map[*conn]struct{}
	invalid   int
	partial   bool          // previews come as partial updates
	held      bool          // events are kept back
	ackLag    time.Duration // of heartbeats
	anonymous limiter       // of requests without a bot
	linkKey   []byte
	lastID    uint64
	changed   chan struct{} // closed and replaced at every change
}

// New makes an empty Discord. It serves as a handler at once; Start gives it a listener
// of its own. Close it in the end.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		opts: o, log: o.Log, base: strings.TrimSuffix(o.URL, "/"), data: newData(), done: make(chan struct{}),
		gateway: gateway{conns: map[*conn]struct{}{}, linkKey: newKey(), changed: make(chan struct{})}, routes: routes(),
	}
	s.hooks.wake = make(chan struct{}, 1)
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ConnContext: withConn}
	s.work.Go(s.runHooks)
	return s
}

func newKey() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	return key
}

// Start listens on a free port of 127.0.0.1.
func (s *Server) Start() error {
	g, err := listen("127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the fake Discord server: %w", err)
	}
	s.mu.Lock()
	s.faultyListener = g
	s.base = "http://" + g.Addr().String()
	s.mu.Unlock()
	s.work.Go(func() {
		if err := s.http.Serve(g); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("fake Discord server stopped serving", "err", err)
		}
	})
	return nil
}

// URL is where it listens, such as http://127.0.0.1:4711.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// APIURL is the base of the REST API, version 10, without a slash at the end.
func (s *Server) APIURL() string { return s.URL() + "/api/v10" }

// Close cuts all connections and returns when every goroutine has ended.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	for c := range s.conns {
		c.cut()
	}
	g := s.faultyListener
	s.mu.Unlock()
	err := s.http.Close()
	if g != nil {
		g.cutAll()
	}
	s.work.Wait()
	if err != nil {
		return fmt.Errorf("close the fake Discord server: %w", err)
	}
	return nil
}

// ServeHTTP serves the API, the gateway and the files.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		http.Error(w, "closed", http.StatusServiceUnavailable)
		return
	}
	if s.base == "" {
		s.base = "http://" + r.Host
	}
	s.work.Add(1)
	s.mu.Unlock()
	defer s.work.Done()

	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/api/"):
		s.serveREST(w, r)
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && (path == "/" || strings.HasPrefix(path, "/resume/")):
		s.serveGateway(w, r)
	case strings.HasPrefix(path, "/attachments/"):
		s.serveFile(w, r, strings.TrimPrefix(path, "/attachments/"))
	case strings.HasPrefix(path, "/proxy/attachments/"):
		s.serveFile(w, r, strings.TrimPrefix(path, "/proxy/attachments/"))
	case strings.HasPrefix(path, "/avatars/"), strings.HasPrefix(path, "/icons/"), strings.HasPrefix(path, "/emojis/"),
		strings.HasPrefix(path, "/guilds/"), strings.HasPrefix(path, "/embed/avatars/"), strings.HasPrefix(path, "/stickers/"):
		servePicture(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) now() time.Time { return s.opts.Now() }

// touch wakes all who wait for a change.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait returns when cond, which is called with the lock held, is true.
func (s *Server) wait(ctx context.Context, cond func() bool) error {
	for {
		s.mu.Lock()
		ok, changed := cond(), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return net.ErrClosed
		}
	}
}
