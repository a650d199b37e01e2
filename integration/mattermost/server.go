package mattermost

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// Token is what the owner logs in with.
const Token = "token-of-ann"

// Ids of what there is.
const (
	Ann     = "annaaaaaaaaaaaaaaaaaaaaaaa" // the owner of the token
	Ben     = "benaaaaaaaaaaaaaaaaaaaaaaa"
	team    = "teamaaaaaaaaaaaaaaaaaaaaaa"
	General = "generalaaaaaaaaaaaaaaaaaaa" // a private channel with both
	direct  = "directaaaaaaaaaaaaaaaaaaaa" // Ann's and Ben's
)

// object is a JSON object.
type object map[string]any

// Post is a message.
type Post struct {
	ID, Channel, User, Text string
	Files                   []string // their ids
	Reactions               []Reaction
	made, changed           int64 // milliseconds
}

// Reaction is an emoji by its name.
type Reaction struct{ User, Emoji string }

// File is an uploaded file.
type File struct {
	Name string
	Data []byte
}

// Server is the fake server.
type Server struct {
	URL  string
	http *httptest.Server

	handlers sync.WaitGroup // of WebSockets

	mu      sync.Mutex
	posts   []*Post // those that are not deleted, oldest first
	files   map[string]File
	sockets []*websocket.Conn
	now     int64 // a clock, in milliseconds
	last    int   // for ids
	unknown []string
}

// Start starts a server.
func Start(now int64) *Server {
	s := &Server{files: map[string]File{}, now: now}
	s.http = httptest.NewServer(s.routes())
	s.URL = s.http.URL
	return s
}

// Close ends the server and all connections.
func (s *Server) Close() {
	s.mu.Lock()
	for _, c := range s.sockets {
		_ = c.CloseNow()
	}
	s.mu.Unlock()
	s.http.Close()
	s.handlers.Wait()
}

// Unknown are requests that the server cannot answer.
func (s *Server) Unknown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unknown)
}

// routes are the requests that there are.
func (s *Server) routes() http.Handler {
	m := http.NewServeMux()
	on := func(pattern string, answer func(r *http.Request) (int, any)) {
		method, path, _ := strings.Cut(pattern, " ")
		m.HandleFunc(method+" /api/v4"+path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, answer) })
	}
	s.people(on)
	s.channels(on)
	s.messages(on)
	s.reactions(on)
	s.uploads(on)
	m.HandleFunc("GET /api/v4/websocket", s.webSocket)
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/v4/users/username/") { // there are no others
			s.mu.Lock()
			s.unknown = append(s.unknown, r.Method+" "+r.URL.Path)
			s.mu.Unlock()
		}
		status, v := refused(http.StatusNotFound, "there is nothing")
		write(w, status, v)
	})
	return m
}

// serve answers a request that has the token.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, answer func(r *http.Request) (int, any)) {
	if r.Header.Get("Authorization") != "Bearer "+Token {
		write(w, http.StatusUnauthorized, object{"id": "api.context.session_expired.app_error", "message": "Invalid or expired session", "status_code": 401})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status, v := answer(r)
	if data, ok := v.([]byte); ok {
		w.WriteHeader(status)
		_, _ = w.Write(data)
		return
	}
	write(w, status, v)
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// refused is an error as the API has it.
func refused(status int, text string) (int, any) {
	return status, object{"id": "test." + strconv.Itoa(status), "message": text, "status_code": status}
}

// read reads the body of a request.
func read[T any](r *http.Request) (v T) {
	_ = json.NewDecoder(r.Body).Decode(&v)
	return v
}

// id makes an id of the length that Mattermost's have. The caller holds the lock.
func (s *Server) id(kind string) string {
	s.last++
	id := kind + strconv.Itoa(s.last)
	return id + strings.Repeat("x", 26-len(id))
}

// tick is the time of something new. The caller holds the lock.
func (s *Server) tick() int64 {
	s.now++
	return s.now
}
