package fake

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	userOnly  = []tokenKind{userToken}
	appOnly   = []tokenKind{appToken}
)

func both(run func(*call) (map[string]any, error), scope ...string) method {
	return method{run: run, kinds: botOrUser, bot: scope, user: scope}
}

// methods are all that is implemented; anything else is unknown_method.
var methods = map[string]method{
	"apps.connections.open":          {run: (*call).connectionsOpen, kinds: appOnly},
	"apps.event.authorizations.list": {run: (*call).authorizationsList, kinds: appOnly},
	"auth.revoke":                    both((*call).authRevoke),
	"auth.test":                      {run: (*call).authTest, kinds: []tokenKind{botToken, userToken, appToken}},
	"bots.info":                      both((*call).botsInfo, "users:read"),
	"chat.delete":                    both((*call).chatDelete, "chat:write"),
	"chat.getPermalink":              both((*call).chatPermalink),
	"chat.meMessage":                 both((*call).chatMe, "chat:write"),
	"chat.postEphemeral":             both((*call).chatEphemeral, "chat:write"),
	"chat.postMessage":               both((*call).chatPost, "chat:write"),
	"chat.update":                    both((*call).chatUpdate, "chat:write"),
	"conversations.archive":          both((*call).convArchive),
	"conversations.close":            both((*call).convClose),
	"conversations.create":           both((*call).convCreate),
	"conversations.history":          both((*call).convHistory),
	"conversations.info":             both((*call).convInfo),
	"conversations.invite":           both((*call).convInvite),
	"conversations.join":             {run: (*call).convJoin, kinds: botOrUser, bot: []string{"channels:join"}, user: []string{"channels:write"}},
	"conversations.kick":             both((*call).convKick),
	"conversations.leave":            both((*call).convLeave),
	"conversations.list":             both((*call).convList),
	"conversations.mark":             both((*call).convMark),
	"conversations.members":          both((*call).convMembers),
	"conversations.open":             both((*call).convOpen),
	"conversations.rename":           both((*call).convRename),
	"conversations.replies":          both((*call).convReplies),
	"conversations.setPurpose":       both((*call).convSetPurpose),
	"conversations.setTopic":         both((*call).convSetTopic),
	"conversations.unarchive":        both((*call).convUnarchive),
	"emoji.list":                     both((*call).emojiList, "emoji:read"),
	"files.completeUploadExternal":   both((*call).filesComplete, "files:write"),
	"files.delete":                   both((*call).filesDelete, "files:write"),
	"files.getUploadURLExternal":     both((*call).filesUploadURL, "files:write"),
	"files.info":                     both((*call).filesInfo, "files:read"),
	"files.list":                     both((*call).filesList, "files:read"),
	"oauth.v2.access":                {run: (*call).oauthAccess},
	"pins.add":                       both((*call).pinsAdd, "pins:write"),
	"pins.list":                      both((*call).pinsList, "pins:read"),
	"pins.remove":                    both((*call).pinsRemove, "pins:write"),
	"reactions.add":                  both((*call).reactionsAdd, "reactions:write"),
	"reactions.get":                  both((*call).reactionsGet, "reactions:read"),
	"reactions.remove":               both((*call).reactionsRemove, "reactions:write"),
	"team.info":                      both((*call).teamInfo, "team:read"),
	"usergroups.list":                both((*call).usergroupsList, "usergroups:read"),
	"usergroups.users.list":          both((*call).usergroupsUsersList, "usergroups:read"),
	"users.conversations":            both((*call).usersConversations),
	"users.getPresence":              both((*call).usersGetPresence, "users:read"),
	"users.info":                     both((*call).usersInfo, "users:read"),
	"users.list":                     both((*call).usersList, "users:read"),
	"users.lookupByEmail":            both((*call).usersLookup, "users:read.email"),
	"users.profile.get":              both((*call).usersProfileGet, "users.profile:read"),
	"users.profile.set":              {run: (*call).usersProfileSet, kinds: userOnly, user: []string{"users.profile:write"}},
	"users.setPresence":              both((*call).usersSetPresence, "users:write"),
}

// Methods are the names of the Web API methods that the stand-in knows, sorted.
func Methods() []string {
	out := make([]string, 0, len(methods))
	for name := range methods {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
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
	wait := s.limited(name, cmp.Or(bearer(r), a.str("token"))+" "+a.str("channel"))
	s.mu.Unlock()
	if wait > 0 {
		tooMany(w, wait)
		return
	}
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
