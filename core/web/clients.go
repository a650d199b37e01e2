package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/bosh"
	"github.com/dragoman-im/dragoman/core/c2s"
	"github.com/dragoman-im/dragoman/core/websocket"
)

// WebSocketPath is where clients find the WebSocket.
const WebSocketPath = "/ws"

// Clients lets XMPP clients connect over HTTP.
type Clients struct {
	Server  *c2s.Server
	Origins []string // of web pages whose scripts may connect, such as https://chat.example.org; "*": all
	OverTLS string   // where this server is reached over TLS, such as https://chat.example.org; "": unknown

	Sessions bosh.Sessions
}

// Routes returns the routes.
func (c *Clients) Routes() []Route {
	return []Route{
		{Pattern: WebSocketPath, Handler: http.HandlerFunc(c.webSocket)},
		{Pattern: BOSHPath, Handler: http.HandlerFunc(c.bosh), Streams: true},
	}
}

// webSocket begins a stream over a WebSocket (RFC 7395).
func (c *Clients) webSocket(w http.ResponseWriter, r *http.Request) {
	if !c.allows(r) {
		http.Error(w, "pages of this origin may not connect: see web.origins", http.StatusForbidden)
		return
	}
	arrival, err := c.Server.Admit(Client(r), Secure(r))
	if err != nil {
		refuse(w, err)
		return
	}
	ws, err := websocket.Upgrade(w, r)
	if err != nil { // it has been answered
		arrival.Cancel()
		return
	}
	ws.SetMaxFragments(c.Server.MaxFragments())
	Known(r) // from now on its address counts among the clients
	if !arrival.Start(ws) {
		_ = ws.Close()
	}
}

// refuse answers a client that is not admitted.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusForbidden
	if errors.Is(err, c2s.ErrTooMany) {
		w.Header().Set("Retry-After", "5")
		status = http.StatusTooManyRequests
	}
	http.Error(w, err.Error(), status)
}

// allows reports whether the page that makes a request may do that. A client that is no page says nothing about it, and may.
func (c *Clients) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(c.Origins, "*") {
		return true
	}
	_, host, _ := strings.Cut(origin, "://")
	return strings.EqualFold(host, r.Host) || slices.ContainsFunc(c.Origins, func(o string) bool { return strings.EqualFold(strings.TrimRight(o, "/"), origin) })
}
