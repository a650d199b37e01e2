package fake

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options of a Server. The zero value is a Slack with Slack's own times.
type Options struct {
	// Check sees all that passes: kind is one of the Kind constants, name the method or the
	// event's type. Its error is kept for Complaints; nothing else changes.
	Check func(kind, name string, payload any) error
	// AckTimeout is how long an envelope may stay unacknowledged; 0 means 3 s.
	AckTimeout time.Duration
	// RetryAfter are the waits before the redeliveries, counted from the timeout of the one
	// before; nil means at once, 1 min, 5 min.
	RetryAfter []time.Duration
	// PingEvery is the time between WebSocket pings; 0 means 5 s.
	PingEvery time.Duration
	// Now is the clock for timestamps; nil means time.Now.
	Now func() time.Time
}

// Kinds of payloads that Options.Check sees.
const (
	KindRequest  = "request"  // url.Values or map[string]any; name is the method
	KindResponse = "response" // map[string]any; name is the method
	KindEvent    = "event"    // the event_callback around an event; name is its type or type/subtype
	KindFrame    = "frame"    // map[string]any, a frame to the app; name is its type
	KindAck      = "ack"      // map[string]any, a frame from the app
)

// Limits of the fake server. They bound what one client can make it hold.
const (
	maxBody      = 1 << 20         // of a Web API request
	maxUpload    = 1 << 30         // of one file
	maxSockets   = 10              // per app, as Slack
	maxAckFrame  = 20 << 10        // longer frames from an app are ignored, as by Slack
	maxReadFrame = 1 << 20         // longer frames end the connection
	maxQueue     = 1024            // frames waiting for a socket; more end it
	ticketLife   = 5 * time.Minute // of a socket's and an upload's URL
	echoLead     = 250 * time.Millisecond
)

// Server is the fake server. It is an http.Handler; Start gives it a port of its own.
type Server struct {
	opt            Options
	mux            *http.ServeMux
	closing        chan struct{}
	wg             sync.WaitGroup
	http           *http.Server
	faultyListener *faultyListener

	mu     sync.Mutex // guards what follows
	base   string
	closed bool
	data
	injected
	delivery
	hooks
}

// data is what the fake server stores.
type data struct {
	workspaces []*Workspace
	files      map[string]*File
	apps       map[string]*App
	tokens     map[string]*token
	tickets    map[string]*ticket
	uploads    map[string]*File
	ids        idSource
}

// injected are the faults that a test has asked for.
type injected struct {
	faults        []*fault
	hanging       int
	shortPages    int
	stubFiles     bool
	emptyPrevious bool
	down          bool
}

// delivery is what is on its way to the apps.
type delivery struct {
	envelopes map[string]*envelope
	pending   outbox // of the current critical section
	timers    map[*timer]struct{}
}

// hooks are the callbacks of tests and of the demo, and what they can ask about.
type hooks struct {
	onMessage  []func(Message)
	notices    []Message // waiting for the hooks
	noticing   bool
	changes    chan struct{} // closed at the next change, for Await
	complaints []error
	calls      map[string]int
}

// New makes an empty Slack. Call Close when done.
func New(opt Options) *Server {
	if opt.AckTimeout == 0 {
		opt.AckTimeout = 3 * time.Second
	}
	if opt.RetryAfter == nil {
		opt.RetryAfter = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	if opt.PingEvery == 0 {
		opt.PingEvery = 5 * time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s := &Server{
		opt:     opt,
		closing: make(chan struct{}),
		data: data{
			files: map[string]*File{}, apps: map[string]*App{}, tokens: map[string]*token{}, tickets: map[string]*ticket{}, uploads: map[string]*File{},
		},
		delivery: delivery{envelopes: map[string]*envelope{}, timers: map[*timer]struct{}{}},
		hooks:    hooks{changes: make(chan struct{}), calls: map[string]int{}},
	}
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("/api/", s.serveAPI)
	s.mux.HandleFunc("/link/", s.serveLink)
	s.mux.HandleFunc("/upload/v1/", s.serveUpload)
	s.mux.HandleFunc("GET /files-pri/", s.serveDownload)
	s.mux.HandleFunc("GET /avatars/", s.serveAvatar)
	s.mux.HandleFunc("/", s.serveRoot)
	return s
}

// Start listens on a free port of the loopback and serves until Close.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the fake Slack server: %w", err)
	}
	return s.Serve(l)
}

// Serve serves on l until Close. It returns at once.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.http != nil {
		_ = l.Close()
		return errors.New("the fake Slack server is closed or serves already")
	}
	if s.base == "" {
		s.base = "http://" + l.Addr().String()
	}
	s.faultyListener = newFaultyListener(l)
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() { _ = s.http.Serve(s.faultyListener) })
	return nil
}

// URL is the address of the fake server, without a slash at its end.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// APIURL is what a client takes as the base of the Web API, as https://slack.com/api/.
func (s *Server) APIURL() string { return s.URL() + "/api/" }

// ServeHTTP serves the Web API, Socket Mode, and files.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	down, closed := s.down, s.closed
	if !closed {
		s.wg.Add(1) // under mu, so never after Close began to wait
	}
	s.mu.Unlock()
	if closed {
		http.Error(w, "closed", http.StatusServiceUnavailable)
		return
	}
	defer s.wg.Done()
	if down {
		cut(w)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Close ends all connections and goroutines and waits for them.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.closing)
	for t := range s.timers {
		t.stop()
	}
	clear(s.timers)
	for _, a := range s.apps {
		for _, k := range a.sockets {
			k.kill()
		}
	}
	server := s.http
	s.mu.Unlock()
	if server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		cancel()
	}
	s.wg.Wait()
}

// Complaints are the errors that Options.Check returned, and the actions that users had no right to
// could not, oldest first.
func (s *Server) Complaints() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]error(nil), s.complaints...)
}

// check shows a payload to Options.Check. It must be called without mu.
func (s *Server) check(kind, name string, payload any) {
	if s.opt.Check == nil {
		return
	}
	if err := s.opt.Check(kind, name, payload); err != nil {
		s.mu.Lock()
		s.complain(fmt.Errorf("%s %s: %w", kind, name, err))
		s.mu.Unlock()
	}
}

const maxComplaints = 1000

func (s *Server) complain(err error) {
	if len(s.complaints) < maxComplaints {
		s.complaints = append(s.complaints, err)
	}
}

// timer is a time.AfterFunc that Close stops.
type timer struct{ t *time.Timer }

func (t *timer) stop() { t.t.Stop() }

// after runs f without mu once d is over, unless stopped or closed. mu must be held.
func (s *Server) after(d time.Duration, f func()) *timer {
	t := &timer{}
	if s.closed {
		t.t = time.NewTimer(time.Hour)
		t.t.Stop()
		return t
	}
	s.timers[t] = struct{}{}
	t.t = time.AfterFunc(d, func() {
		s.mu.Lock()
		_, live := s.timers[t]
		delete(s.timers, t)
		if !live || s.closed {
			s.mu.Unlock()
			return
		}
		s.wg.Add(1)
		s.mu.Unlock()
		defer s.wg.Done()
		f()
	})
	return t
}

// cancel stops a timer of after. mu must be held.
func (s *Server) cancel(t *timer) {
	if t != nil {
		t.stop()
		delete(s.timers, t)
	}
}

// cut ends a request's connection without an answer.
func cut(w http.ResponseWriter) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	c, _, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	abort(c)
}

// abort closes a connection with a reset.
func abort(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

func (s *Server) serveRoot(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("redir") != "" {
		// Slack answers requests without the right to a file with the sign-in page and status 200.
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Sign in</title><p>Sign in to see this file.\n"))
		return
	}
	http.NotFound(w, r)
}
