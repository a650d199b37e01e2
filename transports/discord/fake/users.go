package fake

import (
	"fmt"
	"maps"
	"slices"
)

// User is a new user.
type User struct {
	Name    string // unique handle, such as "ann"
	Display string // such as "Ann Example"; the handle where empty
	Avatar  bool   // has a picture
}

// AddUser makes a user who is offline and in no guild.
func (s *Server) AddUser(u User) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(u).id
}

func (s *Server) addUser(u User) *user {
	n := &user{id: s.newID(), name: u.Name, global: u.Display}
	if u.Avatar {
		n.avatar = pictureHash(u.Name)
	}
	s.users[n.id] = n
	s.touch()
	return n
}

// AddGuild makes a guild with its owner as the only member and no channels.
func (s *Server) AddGuild(name string, owner ID) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.mustUser(owner)
	g := &guild{id: s.newID(), name: name, owner: owner, members: map[ID]*member{}}
	g.roles = []*role{{id: g.id, name: "@everyone", permissions: EverybodysPermissions}}
	s.guilds[g.id] = g
	s.join(g, u)
	return g.id
}

// join makes a user a member and emits the events; a bot gets the guild.
func (s *Server) join(g *guild, u *user, roles ...ID) {
	if g.members[u.id] != nil {
		return
	}
	m := &member{user: u, roles: roles, joined: s.now()}
	g.members[u.id] = m
	if u.app != nil {
		s.emit(event{"GUILD_CREATE", g, nil, IntentGuilds, u.app, func(v *session) obj { return s.full(g, v) }})
	}
	s.emitMember("GUILD_MEMBER_ADD", g, m)
	s.touch()
}

// leave removes a user from a guild and emits the events; a bot loses the guild.
func (s *Server) leave(g *guild, u *user) {
	if g.members[u.id] == nil {
		return
	}
	if u.app != nil {
		s.emit(event{"GUILD_DELETE", g, nil, IntentGuilds, u.app, same(obj{"id": g.id})})
	}
	delete(g.members, u.id)
	if u.app != nil {
		g.roles = slices.DeleteFunc(g.roles, func(r *role) bool { return r.bot == u.id })
	}
	for _, t := range s.channelsOf(g, true) {
		delete(t.thread.members, u.id)
	}
	s.emit(event{"GUILD_MEMBER_REMOVE", g, nil, IntentMembers, nil, same(obj{"guild_id": g.id, "user": u.json()})})
	s.touch()
}

// AddMember lets a user join a guild with roles besides @everyone.
func (s *Server) AddMember(guild, user ID, roles ...ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.join(s.mustGuild(guild), s.mustUser(user), roles...)
}

// RemoveMember lets a user or a bot leave.
func (s *Server) RemoveMember(guild, user ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(s.mustGuild(guild), s.mustUser(user))
}

// AddRole makes a role.
func (s *Server) AddRole(guild ID, name string, p Permissions) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guild)
	r := &role{id: s.newID(), name: name, permissions: p, position: len(g.roles)}
	g.roles = append(g.roles, r)
	s.emitRole("GUILD_ROLE_CREATE", g, r)
	s.touch()
	return r.id
}

// SetRole changes what a role may do; the guild's own id is @everyone.
func (s *Server) SetRole(guild, role ID, p Permissions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guild)
	for _, r := range g.roles {
		if r.id == role {
			s.permit(g, nil, func() {
				r.permissions = p
				s.emitRole("GUILD_ROLE_UPDATE", g, r)
			})
			return
		}
	}
	panic(fmt.Sprintf("fake Discord server: no role %q", role))
}

// AddEmoji makes a custom emoji.
func (s *Server) AddEmoji(guild ID, name string) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guild)
	e := &emoji{id: s.newID(), name: name}
	g.emojis = append(g.emojis, e)
	s.emit(event{"GUILD_EMOJIS_UPDATE", g, nil, IntentExpressions, nil, same(obj{
		"guild_id": g.id, "emojis": shapes(g.emojis, (*emoji).json),
	})})
	s.touch()
	return e.id
}

// SetNick changes a member's name in one guild; "" takes it away.
func (s *Server) SetNick(guild, user ID, nick string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guild)
	m := g.members[s.mustUser(user).id]
	if m == nil {
		panic(fmt.Sprintf("fake Discord server: %q is no member of %q", user, guild))
	}
	m.nick = nick
	s.emitMember("GUILD_MEMBER_UPDATE", g, m)
	s.touch()
}

// SetPresence makes a user online, idle, dnd or offline, with a custom status.
func (s *Server) SetPresence(user ID, status, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setPresence(s.mustUser(user), status, text)
}

func (s *Server) setPresence(u *user, status, text string) {
	if status == "invisible" {
		status = "offline"
	}
	if u.status == status && u.text == text {
		return
	}
	u.status, u.text = status, text
	s.emitPresence(u)
	s.touch()
}

// Presence is a user's status and custom status.
func (s *Server) Presence(user ID) (status, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.mustUser(user)
	return u.status, u.text
}

// Members lists who is in a guild.
func (s *Server) Members(guild ID) []ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.mustGuild(guild).members), compareIDs)
}
