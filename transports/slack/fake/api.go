package fake

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// call is one call of a Web API method.
type call struct {
	*args
	server *Server
	method string
	tok    *token // nil for methods without one
	team   *Workspace
	user   *User
	later  []func() // run with mu after the answer was written
}

// method is a Web API method: who may call it, and what it does with mu held.
type method struct {
	run   func(*call) (map[string]any, error)
	kinds []tokenKind // empty: no token
	// bot and user are the scopes of which each kind of token needs one; the methods on
	// conversations check theirs when they know the conversation.
	bot, user []string
}

// refusal is an answer with ok:false.
type refusal struct {
	code string
	more map[string]any
}

func (r *refusal) Error() string { return r.code }

func refuse(code string) error { return &refusal{code: code} }

var (
	botOrUser = []tokenKind{botToken, userToken}
	appOnly   = []tokenKind{appToken}
)

// botOrUserMethod returns a method that tokens of bots and of users may call, both with the same scopes.
func botOrUserMethod(run func(*call) (map[string]any, error), scope ...string) method {
	return method{run: run, kinds: botOrUser, bot: scope, user: scope}
}

// methods are all that is implemented; anything else is unknown_method.
var methods = map[string]method{
	"apps.connections.open":        {run: (*call).connectionsOpen, kinds: appOnly},
	"auth.test":                    {run: (*call).authTest, kinds: []tokenKind{botToken, userToken, appToken}},
	"chat.delete":                  botOrUserMethod((*call).chatDelete, "chat:write"),
	"chat.postMessage":             botOrUserMethod((*call).chatPost, "chat:write"),
	"chat.update":                  botOrUserMethod((*call).chatUpdate, "chat:write"),
	"conversations.history":        botOrUserMethod((*call).convHistory),
	"conversations.info":           botOrUserMethod((*call).convInfo),
	"conversations.join":           {run: (*call).convJoin, kinds: botOrUser, bot: []string{"channels:join"}, user: []string{"channels:write"}},
	"conversations.leave":          botOrUserMethod((*call).convLeave),
	"conversations.list":           botOrUserMethod((*call).convList),
	"conversations.mark":           botOrUserMethod((*call).convMark),
	"conversations.members":        botOrUserMethod((*call).convMembers),
	"conversations.open":           botOrUserMethod((*call).convOpen),
	"conversations.replies":        botOrUserMethod((*call).convReplies),
	"conversations.setTopic":       botOrUserMethod((*call).convSetTopic),
	"files.completeUploadExternal": botOrUserMethod((*call).filesComplete, "files:write"),
	"files.getUploadURLExternal":   botOrUserMethod((*call).filesUploadURL, "files:write"),
	"files.info":                   botOrUserMethod((*call).filesInfo, "files:read"),
	"reactions.add":                botOrUserMethod((*call).reactionsAdd, "reactions:write"),
	"reactions.remove":             botOrUserMethod((*call).reactionsRemove, "reactions:write"),
	"usergroups.list":              botOrUserMethod((*call).usergroupsList, "usergroups:read"),
	"users.conversations":          botOrUserMethod((*call).usersConversations),
	"users.getPresence":            botOrUserMethod((*call).usersGetPresence, "users:read"),
	"users.info":                   botOrUserMethod((*call).usersInfo, "users:read"),
	"users.list":                   botOrUserMethod((*call).usersList, "users:read"),
	"users.setPresence":            botOrUserMethod((*call).usersSetPresence, "users:write"),
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/api/")
	m, ok := methods[name]
	if !ok {
		s.check(KindResponse, name, map[string]any{"ok": false, "error": "unknown_method", "req_method": name})
		writeJSON(w, map[string]any{"ok": false, "error": "unknown_method", "req_method": name})
		return
	}
	a, err := readArgs(w, r)
	if err != nil {
		s.answer(w, name, nil, err)
		return
	}
	s.check(KindRequest, name, a.raw())
	s.mu.Lock()
	s.calls[name]++
	s.mu.Unlock()
	f := s.takeFault(name)
	if f.before(s, name, w, r) {
		return
	}
	c := &call{args: a, server: s, method: name}
	s.mu.Lock()
	body, err := c.run(m, r)
	if c.tok != nil {
		w.Header().Set("X-OAuth-Scopes", strings.Join(c.tok.scopes, ","))
	}
	if err != nil {
		c.later = nil
	}
	events := s.takePending()
	s.mu.Unlock()
	if f.is(echoFirst) {
		s.runLater(c)
		s.publishAndWait(events, echoLead)
		s.answer(w, name, body, err)
		return
	}
	if f.is(lateReply) {
		s.publish(events)
		s.runLater(c)
		select {
		case <-time.After(f.wait):
		case <-r.Context().Done():
		}
		s.answer(w, name, body, err)
		return
	}
	if f.instead(w) {
		s.publish(events)
		s.runLater(c)
		return
	}
	s.answer(w, name, body, err)
	s.publish(events)
	s.runLater(c)
}

// runLater does what Slack does after the answer, such as sharing an uploaded file.
func (s *Server) runLater(c *call) {
	for _, f := range c.later {
		s.do(f)
	}
}

// run checks the token and calls the method. mu is held.
func (c *call) run(m method, r *http.Request) (map[string]any, error) {
	if len(m.kinds) > 0 {
		if err := c.authenticate(m, r); err != nil {
			return nil, err
		}
	}
	return m.run(c)
}

// answer writes the answer of a method and shows it to the check.
func (s *Server) answer(w http.ResponseWriter, name string, body map[string]any, err error) {
	if err != nil {
		var r *refusal
		if !errors.As(err, &r) {
			r = &refusal{code: "internal_error"}
		}
		body = map[string]any{"ok": false, "error": r.code}
		for k, v := range r.more {
			body[k] = v
		}
	} else {
		if body == nil {
			body = map[string]any{}
		}
		body["ok"] = true
	}
	s.check(KindResponse, name, body)
	writeJSON(w, body)
}

func writeJSON(w http.ResponseWriter, body map[string]any) {
	b, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "unprintable answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
	if f, ok := w.(http.Flusher); ok {
		f.Flush() // the answer is out before the events of the call
	}
}
