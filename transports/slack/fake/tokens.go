package fake

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

type tokenKind int

const (
	appToken tokenKind = iota
	botToken
	userToken
)

// token is a token of an app: its own (xapp), a bot's (xoxb) or a person's (xoxp).
type token struct {
	value   string
	kind    tokenKind
	app     *App
	install *Install // of botToken and userToken
	user    *User    // the bot's user, or the person
	scopes  []string
	dead    string    // the error that answers it: token_revoked, account_inactive …
	expires time.Time // zero: never
}

// mintToken makes a token and remembers it. mu must be held.
func (s *Server) mintToken(t *token) *token {
	prefix := map[tokenKind]string{appToken: "xapp-1-", botToken: "xoxb-", userToken: "xoxp-"}[t.kind]
	if t.kind == appToken {
		prefix += t.app.ID + "-" + strings.Split(t.app.ClientID, ".")[0] + "0000000-"
	}
	t.value = prefix + secret(16)
	t.scopes = slices.Clone(t.scopes)
	s.tokens[t.value] = t
	return t
}

func (t *token) allows(scopes ...string) bool {
	return len(scopes) == 0 || slices.ContainsFunc(scopes, func(x string) bool { return slices.Contains(t.scopes, x) })
}

// state is the error that the token is answered with, or "".
func (t *token) state(now time.Time) string {
	switch {
	case t.dead != "":
		return t.dead
	case t.user != nil && t.user.deleted:
		return "account_inactive"
	case !t.expires.IsZero() && now.After(t.expires):
		return "token_expired"
	}
	return ""
}

func bearer(r *http.Request) string {
	v := r.Header.Get("Authorization")
	if len(v) > 7 && strings.EqualFold(v[:7], "Bearer ") {
		return strings.TrimSpace(v[7:])
	}
	return ""
}

// authenticate finds the token of a call and sees whether it may make it. mu is held.
func (c *call) authenticate(m method, r *http.Request) error {
	value := bearer(r)
	if value == "" {
		if value = c.str("token"); value != "" && slices.Contains(m.kinds, appToken) && !slices.Contains(m.kinds, botToken) {
			return refuse("invalid_auth") // an app-level token is taken from the header only
		}
	}
	if value == "" {
		return refuse("not_authed")
	}
	t := c.server.tokens[value]
	if t == nil {
		return refuse("invalid_auth")
	}
	if code := t.state(c.server.opt.Now()); code != "" {
		return refuse(code)
	}
	if !slices.Contains(m.kinds, t.kind) {
		return refuse("not_allowed_token_type")
	}
	c.tok, c.user = t, t.user
	if t.install != nil {
		c.team = t.install.team
	}
	switch t.kind {
	case botToken:
		return c.need(m.bot...)
	case userToken:
		return c.need(m.user...)
	}
	return nil
}

// need refuses a token without any of the scopes.
func (c *call) need(scopes ...string) error {
	if c.tok.allows(scopes...) {
		return nil
	}
	return &refusal{"missing_scope", map[string]any{
		"needed":   strings.Join(scopes, ","),
		"provided": strings.Join(c.tok.scopes, ","),
	}}
}

// needFor refuses a token without the scope for this kind of conversation. What is "read",
// "history" or "write", or "write.topic" and "write.invites", which "write" includes.
func (c *call) needFor(k kind, what string) error {
	group := k.scopeGroup()
	scopes := []string{group + ":" + what}
	if strings.HasPrefix(what, "write") {
		write := group + ":write"
		if k == public && c.tok.kind == botToken {
			write = "channels:manage"
		}
		if what == "write" {
			scopes = scopes[:0]
		}
		scopes = append(scopes, write)
	}
	return c.need(scopes...)
}

// Revoke revokes a token, as when a user removes the app: calls are answered token_revoked and the app gets
// tokens_revoked. It reports whether the token was valid.
func (s *Server) Revoke(value string) (was bool) {
	s.do(func() { was = s.revoke(s.tokens[value], true) })
	return was
}

func (s *Server) revoke(t *token, notify bool) bool {
	if t == nil || t.dead != "" {
		return false
	}
	t.dead = "token_revoked"
	if t.kind == appToken {
		t.dead = "invalid_auth"
		for _, k := range t.app.sockets {
			k.disconnect("link_disabled")
		}
		return true
	}
	delete(t.install.people, t.user.ID)
	if !notify {
		return true
	}
	tokens := map[string]any{"oauth": []any{}, "bot": []any{}}
	which := "oauth"
	if t.kind == botToken {
		which = "bot"
		t.install.bot = nil
	}
	tokens[which] = []any{t.user.ID}
	s.emit(emission{team: t.install.team, app: t.app, unconditional: true, event: map[string]any{"type": "tokens_revoked", "tokens": tokens}})
	return true
}

// Expire ends a token, as Slack does in apps with token rotation.
func (s *Server) Expire(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens[value]; t != nil {
		t.expires = s.opt.Now().Add(-time.Second)
	}
}

// SetScopes changes what a token may do, as a reinstallation of the app with other scopes.
func (s *Server) SetScopes(value string, scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens[value]; t != nil {
		t.scopes = slices.Clone(scopes)
	}
}
