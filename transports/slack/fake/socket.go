package fake

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// ticket is the right to open one socket.
type ticket struct {
	app   *App
	until time.Time
}

// socket is a Socket Mode connection of an app.
type socket struct {
	app   *App
	conn  *websocket.Conn
	out   chan outFrame
	quit  chan struct{}
	once  sync.Once
	stale atomic.Bool // writes nothing any more, without a word
}

// outFrame is a frame to the app: a map, or raw bytes that are not checked.
type outFrame struct {
	body map[string]any
	raw  []byte
	last bool // close after it
}

const (
	writeWait = 5 * time.Second
	closeWait = time.Second
)

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }} // the SDKs send https://api.slack.com

// connectionsOpen is apps.connections.open.
func (c *call) connectionsOpen() (map[string]any, error) {
	if err := c.need("connections:write"); err != nil {
		return nil, err
	}
	now := c.server.opt.Now()
	for id, t := range c.server.tickets {
		if now.After(t.until) {
			delete(c.server.tickets, id)
		}
	}
	id := uuid()
	c.server.tickets[id] = &ticket{app: c.tok.app, until: now.Add(ticketLife)}
	return map[string]any{"url": wsURL(c.server.base) + "/link/?ticket=" + id + "&app_id=" + c.tok.app.ID}, nil
}

// wsURL is an http address as a ws address.
func wsURL(base string) string { return "ws" + base[min(len("http"), len(base)):] }

// serveLink is the WebSocket. The URL is good once.
func (s *Server) serveLink(w http.ResponseWriter, r *http.Request) {
	f := s.takeFault("socket")
	if f.before(s, "socket", w, r) || f.instead(w) {
		return
	}
	id := r.URL.Query().Get("ticket")
	s.mu.Lock()
	t := s.tickets[id]
	delete(s.tickets, id)
	ok := t != nil && !s.opt.Now().After(t.until)
	s.mu.Unlock()
	if !ok {
		http.Error(w, "ticket is not valid", http.StatusForbidden)
		return
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	k := &socket{app: t.app, conn: conn, out: make(chan outFrame, maxQueue), quit: make(chan struct{})}
	conn.SetReadLimit(maxReadFrame)
	s.mu.Lock()
	if s.closed || s.down {
		s.mu.Unlock()
		abort(conn.NetConn())
		return
	}
	k.sendHello(s)
	s.wg.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.wg.Done()
		k.write(s)
	}()
	k.read(s)
}

// sendHello says hello and joins the rotation, or refuses the eleventh socket. mu must be held.
func (k *socket) sendHello(s *Server) {
	if k.app.silent {
		k.app.silentSockets = append(k.app.silentSockets, k)
		s.changed()
		return
	}
	host := "applink-" + k.app.ID
	if len(k.app.sockets) >= maxSockets {
		k.out <- outFrame{body: disconnectFrame("too_many_websockets", host), last: true}
		return
	}
	k.app.sockets = append(k.app.sockets, k)
	s.changed()
	k.out <- outFrame{body: map[string]any{
		"type": "hello", "num_connections": len(k.app.sockets),
		"connection_info": map[string]any{"app_id": k.app.ID},
		"debug_info":      map[string]any{"host": host, "build_number": 1, "approximate_connection_time": 18060},
	}}
}

func disconnectFrame(reason, host string) map[string]any {
	return map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": host}}
}

// nextSocket is the socket whose turn it is: each envelope goes to one of them only.
func (a *App) nextSocket() *socket {
	if len(a.sockets) == 0 {
		return nil
	}
	a.turn++
	return a.sockets[a.turn%len(a.sockets)]
}

// send queues a frame; a socket that does not read is ended. mu must be held.
func (k *socket) send(body map[string]any) { k.push(outFrame{body: body}) }

func (k *socket) push(f outFrame) {
	select {
	case k.out <- f:
	default:
		k.kill()
	}
}

// disconnect announces the end. After a warning the socket stays for a while; otherwise it
// leaves the rotation and is closed. mu must be held.
func (k *socket) disconnect(reason string) {
	last := reason != "warning"
	k.push(outFrame{body: disconnectFrame(reason, "applink-"+k.app.ID), last: last})
	if last {
		k.leave()
	}
}

func (k *socket) leave() {
	isIt := func(o *socket) bool { return o == k }
	k.app.sockets, k.app.silentSockets = slices.DeleteFunc(k.app.sockets, isIt), slices.DeleteFunc(k.app.silentSockets, isIt)
}

// kill cuts the connection. It may be called at any time, by anyone.
func (k *socket) kill() {
	k.once.Do(func() {
		close(k.quit)
		abort(k.conn.NetConn())
	})
}

// write is the writer's loop.
func (k *socket) write(s *Server) {
	graceful := false
	defer func() {
		if !graceful {
			k.kill()
		}
	}()
	ping := time.NewTicker(s.opt.PingEvery)
	defer ping.Stop()
	for {
		select {
		case <-k.quit:
			return
		case <-ping.C:
			if k.stale.Load() {
				continue
			}
			if k.conn.WriteControl(websocket.PingMessage, []byte("Ping from applink"), time.Now().Add(writeWait)) != nil {
				return
			}
		case f := <-k.out:
			if k.stale.Load() {
				continue
			}
			if k.writeFrame(s, f) != nil {
				return
			}
			if f.last {
				// The reader waits for the other side's close frame, so that a reset does not
				// overtake what was written.
				graceful = k.conn.SetReadDeadline(time.Now().Add(closeWait)) == nil
				return
			}
		}
	}
}

func (k *socket) writeFrame(s *Server, f outFrame) error {
	b := f.raw
	if f.body != nil {
		name, _ := f.body["type"].(string)
		s.check(KindFrame, name, f.body)
		var err error
		if b, err = json.Marshal(f.body); err != nil {
			return err
		}
	}
	_ = k.conn.SetWriteDeadline(time.Now().Add(writeWait))
	if err := k.conn.WriteMessage(websocket.TextMessage, b); err != nil {
		return err
	}
	if f.last {
		msg := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		return k.conn.WriteControl(websocket.CloseMessage, msg, time.Now().Add(writeWait))
	}
	return nil
}

// read is the reader's loop; it runs in the handler's goroutine.
func (k *socket) read(s *Server) {
	defer func() {
		k.kill()
		s.mu.Lock()
		k.leave()
		s.changed()
		s.mu.Unlock()
	}()
	for {
		_, b, err := k.conn.ReadMessage()
		if err != nil {
			return
		}
		if len(b) >= maxAckFrame {
			continue // Slack drops them without a word
		}
		var ack map[string]any
		if json.Unmarshal(b, &ack) != nil {
			continue
		}
		s.check(KindAck, "ack", ack)
		id, _ := ack["envelope_id"].(string)
		s.acknowledge(k.app, id)
	}
}

// Sockets is the number of open Socket Mode connections of the app.
func (a *App) Sockets() int {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	return len(a.sockets)
}
