package fake

import "strings"

// AddWorkspace makes a workspace. Slackbot is in it.
func (s *Server) AddWorkspace(name, domain string) *Workspace {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &Workspace{ID: s.ids.next("T"), Domain: domain, server: s, name: name,
		emoji: map[string]string{}}
	w.users = append(w.users, &User{ID: slackbot, server: s, team: w, active: true, updated: s.opt.Now().Unix(),
		person: Person{Name: "slackbot", RealName: "Slackbot"}})
	s.workspaces = append(s.workspaces, w)
	return w
}

// AddUser makes a user who is online. Apps get team_join.
func (w *Workspace) AddUser(p Person) (u *User) {
	w.server.do(func() {
		u = w.addUser(p, nil)
		u.changed("team_join")
	})
	return u
}

func (w *Workspace) addUser(p Person, bot *Install) *User {
	if p.RealName == "" {
		p.RealName = p.Name
	}
	u := &User{ID: w.server.ids.next("U"), server: w.server, team: w, person: p, bot: bot, active: true, updated: w.server.opt.Now().Unix()}
	w.users = append(w.users, u)
	return u
}

// AddChannel makes a public or private channel with its members in it.
func (w *Workspace) AddChannel(r Room) (c *Channel) {
	w.server.do(func() {
		var by *User
		if len(r.Members) > 0 {
			by = r.Members[0]
		}
		c = w.addChannel(r, by)
	})
	return c
}

// Channel is the public or private channel with a name, or nil.
func (w *Workspace) Channel(name string) *Channel {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	return w.channelByName(name)
}

// ChannelByID is the conversation of any kind with an id, or nil.
func (w *Workspace) ChannelByID(id string) *Channel {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	return w.channel(id)
}

// User is the user with a handle or display name, or nil.
func (w *Workspace) User(name string) *User {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	return w.userByName(name)
}

// UserByID is the user with an id, or nil.
func (w *Workspace) UserByID(id string) *User {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	return w.user(id)
}

// handle is an app's name as the handle of its bot.
func handle(name string) string {
	h := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, name)
	if h == "" {
		h = "app"
	}
	return h
}
