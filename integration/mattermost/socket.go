package mattermost

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// inString is an object as JSON in a string, which events contain.
func inString(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// emit sends an event to all clients. The caller holds the lock.
func (s *Server) emit(event, channel string, data object) {
	message := object{"event": event, "data": data, "broadcast": object{"channel_id": channel, "team_id": "", "user_id": ""}, "seq": s.tick()}
	for _, c := range s.sockets {
		_ = wsjson.Write(context.Background(), c, message)
	}
}

// action is what a client asks for by WebSocket.
type action struct {
	Seq    int             `json:"seq"`
	Action string          `json:"action"`
	Data   json.RawMessage `json:"data"`
}

// webSocket serves a connection for events.
func (s *Server) webSocket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	s.handlers.Add(1)
	defer s.handlers.Done()
	defer func() { _ = c.CloseNow() }()
	var login struct{ Token string }
	var a action
	if wsjson.Read(r.Context(), c, &a) != nil || a.Action != "authentication_challenge" || json.Unmarshal(a.Data, &login) != nil || login.Token != Token {
		return
	}
	s.mu.Lock()
	hello := object{"event": "hello", "data": object{"server_version": "test"}, "broadcast": object{"channel_id": "", "team_id": "", "user_id": Ann}, "seq": 0}
	for _, message := range []object{hello, {"status": "OK", "seq_reply": a.Seq}} {
		_ = wsjson.Write(r.Context(), c, message)
	}
	s.sockets = append(s.sockets, c)
	s.mu.Unlock()
	for wsjson.Read(r.Context(), c, &a) == nil {
		reply := object{"status": "OK", "seq_reply": a.Seq}
		if a.Action == "get_statuses_by_ids" {
			reply["data"] = object{Ann: "online", Ben: "online"}
		}
		s.mu.Lock()
		_ = wsjson.Write(r.Context(), c, reply)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = slices.DeleteFunc(s.sockets, func(o *websocket.Conn) bool { return o == c })
}
