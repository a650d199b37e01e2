package state

import (
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// SetMember notes a member and returns the person as shown, and whether anything has changed.
func (s *State) SetMember(guildID string, u *objects.User, nick string) (transports.UserInfo, bool) {
	info := s.Shown(u, nick)
	if u.ID == "" {
		return info, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.users[u.ID]
	if g := s.guilds[guildID]; g != nil {
		info.Group = g.name
		if _, in := g.members[u.ID]; in || len(g.members) < maxMembers {
			g.nameMember(u.ID, info.Name)
		}
	} else if known {
		info.Group = old.Group
	}
	if known || len(s.users) < maxMembers {
		if old.Handle != info.Handle {
			s.index.handles.Remove(old.Handle, u.ID)
			s.index.handles.Put(info.Handle, u.ID)
		}
		s.users[u.ID] = info
	}
	return info, !known || old != info
}

func (s *State) DropMember(guildID, user string) {
	s.inGuild(guildID, func(g *guild) {
		g.nameMember(user, "")
		delete(g.worn, user)
	})
}

// maxWorn is how many roles of one member are remembered.
const maxWorn = 20

// HasMember reports whether somebody is known as a member of a guild.
func (s *State) HasMember(guildID, user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[guildID]
	return g != nil && g.members[user] != ""
}

// SetMemberRoles notes the roles of a member. It is called before SetMember: whoever is known as a member is known with the roles.
func (s *State) SetMemberRoles(guildID, user string, roles []string) {
	s.inGuild(guildID, func(g *guild) {
		switch {
		case len(roles) == 0:
			delete(g.worn, user)
		case len(g.worn) < maxMembers:
			g.worn[user] = slices.Clone(roles[:min(len(roles), maxWorn)])
		}
	})
}

// badges are the roles of a member that have names.
func (g *guild) badges(user string) (list []transports.Badge) {
	for _, id := range g.worn[user] {
		if name := g.roles[id]; name != "" {
			list = append(list, transports.Badge{ID: id, Title: name})
		}
	}
	return list
}

func (s *State) User(id string) (transports.UserInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, ok := s.users[id]
	return info, ok
}

// ShownAs is somebody's name in a guild, else their name elsewhere; "" where neither is known.
func (s *State) ShownAs(guildID, user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guilds[guildID]; g != nil && g.members[user] != "" {
		return g.members[user]
	}
	return s.users[user].Name
}

// Members are those of a guild, by their ids.
func (s *State) Members(guildID string, request transports.MemberRequest) transports.MemberPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[guildID]
	if g == nil {
		return transports.MemberPage{}
	}
	page := transports.MemberPage{Total: len(g.members)}
	for _, id := range slices.SortedFunc(maps.Keys(g.members), objects.Order) {
		if request.After != "" && objects.Order(id, request.After) <= 0 {
			continue
		}
		if len(page.Members) == request.Limit {
			page.Next = string(page.Members[len(page.Members)-1].User.ID)
			break
		}
		info := s.users[id]
		info.ID, info.Name = transports.UserID(id), g.members[id]
		page.Members = append(page.Members, transports.MemberInfo{User: info, Membership: transports.Joined, Badges: g.badges(id)})
	}
	return page
}

// Shown is Person, with the picture where the network has it.
func (s *State) Shown(u *objects.User, nick string) transports.UserInfo {
	info := Person(u, nick)
	if path, ok := strings.CutPrefix(info.Avatar, objects.PicturesURL); ok && s.pictures != "" {
		info.Avatar = s.pictures + path
	}
	return info
}

// Person is a user as shown: the name in the guild, the display name, the user name.
func Person(u *objects.User, nick string) transports.UserInfo {
	name := nick
	for _, other := range []string{u.GlobalName, u.Username, u.ID} {
		if name == "" {
			name = other
		}
	}
	return transports.UserInfo{
		ID: transports.UserID(u.ID), Name: name, Handle: u.Username, Avatar: u.AvatarURL(), AvatarKey: u.Avatar, Bot: u.Bot, URL: "https://discord.com/users/" + u.ID,
	}
}
