package fake

import (
	"slices"
	"strconv"
)

// AppSpec is what an App is made from. The zero value has a name, all scopes and all events.
type AppSpec struct {
	Name string
	// BotEvents and UserEvents are the subscriptions, "message.channels" and so on; nil means
	// all events that the scopes allow, without app_mention.
	BotEvents, UserEvents []string
	// BotScopes and UserScopes are what Install and Link give when not told otherwise; nil
	// means DefaultBotScopes and DefaultUserScopes.
	BotScopes, UserScopes []string
}

// App is a Slack app in Socket Mode.
type App struct {
	ID           string
	ClientID     string
	ClientSecret string
	// Token is the app-level token (xapp-…) with connections:write and authorizations:read.
	Token string

	server        *Server
	spec          AppSpec
	verify        string // the verification token in events
	installs      []*Install
	sockets       []*socket
	turn          int // the socket whose turn it is
	dropAcks      int
	silent        bool        // what is opened now is not greeted yet
	silentSockets []*socket   // those
	frames        []*envelope // sent, oldest first, for Redeliver
}

// Install is an App installed in a Workspace.
type Install struct {
	App *App
	// Bot is the user the app posts as.
	Bot *User
	// BotID is the bot_id of its posts.
	BotID string
	// Token is the bot's token (xoxb-…).
	Token string

	team    *Workspace
	bot     *token
	people  map[string]*token // by user id
	created int64
	gone    bool
}

// DefaultBotScopes are the scopes of a full bot.
func DefaultBotScopes() []string {
	return []string{
		"channels:history", "groups:history", "im:history", "mpim:history",
		"channels:read", "groups:read", "im:read", "mpim:read",
		"channels:join", "channels:manage", "groups:write", "im:write", "mpim:write",
		"chat:write", "chat:write.public", "chat:write.customize", "commands",
		"emoji:read", "files:read", "files:write", "pins:read", "pins:write",
		"reactions:read", "reactions:write", "team:read", "usergroups:read",
		"users:read", "users:read.email", "users.profile:read", "users:write",
	}
}

// DefaultUserScopes are the scopes of a full user token.
func DefaultUserScopes() []string {
	return []string{
		"channels:history", "groups:history", "im:history", "mpim:history",
		"channels:read", "groups:read", "im:read", "mpim:read",
		"channels:write", "groups:write", "im:write", "mpim:write",
		"chat:write", "emoji:read", "files:read", "files:write", "pins:read", "pins:write",
		"reactions:read", "reactions:write", "team:read", "usergroups:read",
		"users:read", "users:read.email", "users.profile:read", "users.profile:write", "users:write",
	}
}

// UserScopes are the scopes that the app requests from users.
func (a *App) UserScopes() []string {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	return slices.Clone(a.spec.UserScopes)
}

// AddApp makes an app. It is installed nowhere yet.
func (s *Server) AddApp(spec AppSpec) *App {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.BotScopes == nil {
		spec.BotScopes = DefaultBotScopes()
	}
	if spec.UserScopes == nil {
		spec.UserScopes = DefaultUserScopes()
	}
	a := &App{
		ID: s.ids.next("A"), ClientID: "1" + strconv.Itoa(len(s.apps)) + "29472.701202649728",
		ClientSecret: secret(16), server: s, spec: spec, verify: secret(12),
	}
	a.Token = s.mintToken(&token{kind: appToken, app: a, scopes: []string{"connections:write", "authorizations:read"}}).value
	s.apps[a.ID] = a
	return a
}

// Install installs the app's bot in a workspace, or gives the installation that is there.
// Without scopes the bot gets those of the AppSpec.
func (a *App) Install(w *Workspace, scopes ...string) (in *Install) {
	a.server.do(func() { in = a.install(w, scopes) })
	return in
}

func (a *App) install(w *Workspace, scopes []string) *Install {
	in := a.in(w)
	if in == nil {
		in = &Install{App: a, BotID: a.server.ids.next("B"), team: w, people: map[string]*token{}, created: a.server.opt.Now().Unix()}
		in.Bot = w.addUser(Person{Name: handle(a.spec.Name), RealName: a.spec.Name}, in)
		a.installs = append(a.installs, in)
	}
	if len(scopes) == 0 {
		scopes = a.spec.BotScopes
	}
	if in.bot == nil || in.gone {
		in.bot = a.server.mintToken(&token{kind: botToken, app: a, install: in, user: in.Bot, scopes: scopes})
		in.gone, in.Bot.deleted = false, false
	}
	in.bot.scopes = slices.Clone(scopes)
	in.Token = in.bot.value
	return in
}

// in is the app's installation in a workspace, or nil.
func (a *App) in(w *Workspace) *Install {
	for _, in := range a.installs {
		if in.team == w {
			return in
		}
	}
	return nil
}

// Link gives the app a token (xoxp-…) of a user, as OAuth does.
func (a *App) Link(u *User, scopes ...string) (value string) {
	a.server.do(func() { value = a.link(u, scopes).value })
	return value
}

func (a *App) link(u *User, scopes []string) *token {
	in := a.in(u.team)
	if in == nil || in.gone {
		in = a.install(u.team, nil)
	}
	if len(scopes) == 0 {
		scopes = a.spec.UserScopes
	}
	if t := in.people[u.ID]; t != nil && t.dead == "" {
		t.scopes = slices.Clone(scopes) // Slack gives the same token again
		return t
	}
	t := a.server.mintToken(&token{kind: userToken, app: a, install: in, user: u, scopes: scopes})
	in.people[u.ID] = t
	return t
}

// Uninstall removes the app from a workspace: all its tokens are invalid, and it gets
// tokens_revoked and app_uninstalled.
func (a *App) Uninstall(w *Workspace) {
	a.server.do(func() {
		in := a.in(w)
		if in == nil || in.gone {
			return
		}
		oauth, bots := []any{}, []any{}
		for _, t := range a.server.tokens {
			if t.install != in || t.dead != "" {
				continue
			}
			t.dead = "account_inactive"
			if t.kind == botToken {
				bots = append(bots, t.user.ID)
			} else {
				oauth = append(oauth, t.user.ID)
			}
		}
		in.gone, in.bot = true, nil
		clear(in.people)
		a.server.emit(emission{team: w, app: a, unconditional: true, event: map[string]any{
			"type": "tokens_revoked", "tokens": map[string]any{"oauth": oauth, "bot": bots}}})
		a.server.emit(emission{team: w, app: a, unconditional: true, event: map[string]any{"type": "app_uninstalled"}})
	})
}
