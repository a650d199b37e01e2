package fake

import "context"

// App is a new application.
type App struct {
	Name string
	// Allowed are the privileged intents that are switched on.
	Allowed Intents
	Owner   ID // a new user where empty
}

// Bot is an application's bot, and the place of what goes wrong with its connections.
type Bot struct {
	s *Server
	a *app
}

// Counts is what a bot's connections did so far.
type Counts struct {
	Identified int
	Resumed    int
	// ResumedElsewhere counts resumes that did not use resume_gateway_url.
	ResumedElsewhere int
	Heartbeats       int
	// Starved counts connections that were closed for want of heartbeats.
	Starved int
}

// AddBot makes an application with a bot, in no guild as yet.
func (s *Server) AddBot(spec App) *Bot {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &app{name: spec.Name, allowed: spec.Allowed & PrivilegedIntents}
	a.user = s.addUser(User{Name: spec.Name})
	a.user.app = a
	a.id = a.user.id
	if spec.Owner != "" {
		a.owner = s.mustUser(spec.Owner)
	} else {
		a.owner = s.addUser(User{Name: spec.Name + ".owner"})
	}
	s.apps[a.id] = a
	s.resetToken(a)
	return &Bot{s, a}
}

func (s *Server) resetToken(a *app) {
	delete(s.tokens, a.token)
	a.token = botToken(a.id)
	s.tokens[a.token] = a
}

// ID is the bot's user and the application.
func (b *Bot) ID() ID { return b.a.id }

// Token is the bot's token, without the prefix "Bot ".
func (b *Bot) Token() string {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return b.a.token
}

// Install adds the bot to a guild with a role of its own.
func (b *Bot) Install(guild ID, p Permissions) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	g := b.s.mustGuild(guild)
	r := &role{id: b.s.newID(), name: b.a.name, permissions: p, position: len(g.roles), bot: b.a.id}
	g.roles = append(g.roles, r)
	b.s.emitRole("GUILD_ROLE_CREATE", g, r)
	b.s.join(g, b.a.user, r.id)
}

// Permit changes what the bot's own role may do in a guild.
func (b *Bot) Permit(guild ID, p Permissions) {
	b.s.mu.Lock()
	role := b.a.id
	for _, r := range b.s.mustGuild(guild).roles {
		if r.bot == b.a.id {
			role = r.id
		}
	}
	b.s.mu.Unlock()
	b.s.SetRole(guild, role, p)
}

// Allow switches privileged intents on, and those that are not named off.
func (b *Bot) Allow(i Intents) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.a.allowed = i & PrivilegedIntents
}

// ResetToken makes a new token, as the developers' portal does. Connections with the old
// one are closed with 4004, and so is whoever uses it again.
func (b *Bot) ResetToken() string {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.s.resetToken(b.a)
	b.closeAll(4004, "Authentication failed.")
	return b.a.token
}

// Counts tells what the bot's connections did so far.
func (b *Bot) Counts() Counts {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return b.a.counts
}

// WaitCounts returns when the counts fit.
func (b *Bot) WaitCounts(ctx context.Context, fits func(Counts) bool) error {
	return b.s.wait(ctx, func() bool { return fits(b.a.counts) })
}

// live lists the bot's sessions that have a connection.
func (b *Bot) live() []*session {
	var list []*session
	for _, v := range b.s.sessions {
		if v.app == b.a && v.conn != nil {
			list = append(list, v)
		}
	}
	return list
}
