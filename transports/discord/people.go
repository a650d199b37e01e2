package discord

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// setMember notes a member and returns the person as shown, and whether anything has changed.
func (s *state) setMember(guildID string, u *objects.User, nick string) (transports.UserInfo, bool) {
	info := person(u, nick)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.users[u.ID]
	if g := s.guilds[guildID]; g != nil {
		info.Group = g.name
		if len(g.members) < maxMembers {
			g.members[u.ID] = info.Name
		}
	} else if known {
		info.Group = old.Group
	}
	if known || len(s.users) < maxMembers {
		s.users[u.ID] = info
	}
	return info, !known || old != info
}

func (s *state) dropMember(guildID, user string) {
	s.inGuild(guildID, func(g *guild) { delete(g.members, user) })
}

func (s *state) user(id string) (transports.UserInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, ok := s.users[id]
	return info, ok
}

// shownAs is somebody's name in a guild, else their name elsewhere; "" where neither is known.
func (s *state) shownAs(guildID, user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guilds[guildID]; g != nil && g.members[user] != "" {
		return g.members[user]
	}
	return s.users[user].Name
}

// members are those of a guild, by their ids.
func (s *state) members(guildID string, request transports.MemberRequest) transports.MemberPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[guildID]
	if g == nil {
		return transports.MemberPage{}
	}
	page := transports.MemberPage{Total: len(g.members)}
	for _, id := range slices.SortedFunc(maps.Keys(g.members), order) {
		if request.After != "" && order(id, request.After) <= 0 {
			continue
		}
		if len(page.Members) == request.Limit {
			page.Next = string(page.Members[len(page.Members)-1].User.ID)
			break
		}
		info := s.users[id]
		info.ID, info.Name = transports.UserID(id), g.members[id]
		page.Members = append(page.Members, transports.MemberInfo{User: info, Membership: transports.Joined})
	}
	return page
}

// person is a user as shown: the name in the guild, the display name, the user name.
func person(u *objects.User, nick string) transports.UserInfo {
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

// onMember takes in somebody who is new in a guild, or has changed.
func (s *client) onMember(ctx context.Context, n *gatewayEvent) error {
	m, ok := decode[objects.Member](s, n)
	if !ok || m.User == nil {
		return nil
	}
	info, changed := s.state.setMember(m.GuildID, m.User, m.Nick)
	if m.User.ID == s.cred.Bot || !changed {
		return nil
	}
	s.contact(ctx, n, n.key, info)
	return nil
}

func (s *client) contact(ctx context.Context, n *gatewayEvent, key string, info transports.UserInfo) {
	s.post(ctx, n, transports.Event{Key: key, At: time.Now().UTC(), Body: transports.Contact{Info: info}})
}

func (s *client) onMemberRemove(ctx context.Context, n *gatewayEvent) error {
	m, ok := decode[objects.Member](s, n)
	if !ok || m.User == nil {
		return nil
	}
	s.state.dropMember(m.GuildID, m.User.ID)
	for _, c := range s.state.channelsOf(m.GuildID) {
		if !c.Shown() || c.IsThread() {
			continue
		}
		e := s.event(c, n.key+"/"+c.ID, m.User.ID, time.Now().UTC())
		e.Body = transports.Member{User: person(m.User, m.Nick)}
		s.post(ctx, n, e)
	}
	return nil
}

func (s *client) onTyping(ctx context.Context, n *gatewayEvent) error {
	t, ok := decode[objects.Typing](s, n)
	if !ok || t.UserID == s.cred.Bot {
		return nil
	}
	c := s.state.channel(t.ChannelID)
	if c == nil {
		return nil
	}
	e := s.event(c, "", t.UserID, time.Now().UTC())
	e.Body = transports.Typing{On: true}
	s.post(ctx, n, e)
	return nil
}

func (s *client) onPresence(ctx context.Context, n *gatewayEvent) error {
	p, ok := decode[objects.Presence](s, n)
	if !ok {
		return nil
	}
	s.presence(ctx, n, p)
	return nil
}

func (s *client) presence(ctx context.Context, n *gatewayEvent, p *objects.Presence) {
	if p.User == nil || p.User.ID == s.cred.Bot {
		return
	}
	info := transports.PresenceInfo{User: transports.UserID(p.User.ID), Show: transports.Offline}
	switch p.Status {
	case "online":
		info.Show = transports.Available
	case "idle":
		info.Show = transports.Away
	case "dnd":
		info.Show = transports.Busy
	}
	for _, a := range p.Activities {
		if a.Type == objects.ActivityCustom {
			info.Status = a.State
			break
		}
		if info.Status == "" {
			info.Status = a.Name
		}
	}
	s.post(ctx, n, transports.Event{Actor: info.User, At: time.Now().UTC(), Body: transports.Presence{Info: info}})
}
