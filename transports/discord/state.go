package discord

import (
	"sync"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
)

// Bounds of what one account keeps in memory.
const (
	maxChannels = 50000
	maxMembers  = 200000
)

// state is what the gateway has told of the world.
type state struct {
	mu       sync.Mutex
	point    resume
	ready    bool // READY was seen in this process
	guilds   map[string]*guild
	channels map[string]*discordgo.Channel
	users    map[string]transports.UserInfo
}

type guild struct {
	id, name string
	everyone int64 // permissions of the @everyone role
	members  map[string]string
}

func newState(point resume) *state {
	return &state{
		point: point, guilds: map[string]*guild{}, channels: map[string]*discordgo.Channel{}, users: map[string]transports.UserInfo{},
	}
}

func (s *state) resume() resume {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.point
}

func (s *state) seq() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.point.Seq == 0 {
		return nil
	}
	return s.point.Seq
}

// forget ends the session: the next connection begins a new one.
func (s *state) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.point = resume{}
}

func (s *state) setURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.point.URL = url
}

func (s *state) begin(session, url string) (again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.point.Session, s.point.URL = session, url
	again, s.ready = s.ready, true
	return again
}

// advance notes a sequence number and returns what is to be kept.
func (s *state) advance(seq int64) resume {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.point.Seq = max(s.point.Seq, seq)
	return s.point
}

func (s *state) setGuild(g *discordgo.Guild) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.guilds[g.ID]
	if own == nil {
		own = &guild{id: g.ID, members: map[string]string{}}
		s.guilds[g.ID] = own
	}
	if g.Name != "" {
		own.name = g.Name
	}
	for _, r := range g.Roles {
		if r.ID == g.ID { // the @everyone role has the guild's id
			own.everyone = r.Permissions
		}
	}
}

func (s *state) dropGuild(id string) (channels []*discordgo.Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.guilds, id)
	for cid, c := range s.channels {
		if c.GuildID == id {
			channels = append(channels, c)
			delete(s.channels, cid)
		}
	}
	return channels
}

func (s *state) setChannel(c *discordgo.Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.channels) < maxChannels || s.channels[c.ID] != nil {
		s.channels[c.ID] = c
	}
}

func (s *state) dropChannel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channels, id)
}

func (s *state) channel(id string) *discordgo.Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channels[id]
}

func (s *state) allChannels() []*discordgo.Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*discordgo.Channel, 0, len(s.channels))
	for _, c := range s.channels {
		all = append(all, c)
	}
	return all
}

func (s *state) spaces() []transports.SpaceInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []transports.SpaceInfo
	for _, g := range s.guilds {
		all = append(all, transports.SpaceInfo{ID: transports.SpaceID(g.id), Name: g.name})
	}
	return all
}

func (s *state) guildName(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guilds[id]; g != nil {
		return g.name
	}
	return ""
}

// public tells whether everybody of its guild sees a channel.
func (s *state) public(c *discordgo.Channel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[c.GuildID]
	if g == nil {
		return false
	}
	permissions := g.everyone
	if c.IsThread() {
		parent := s.channels[c.ParentID]
		if c.Type == discordgo.ChannelTypeGuildPrivateThread || parent == nil {
			return false
		}
		c = parent
	}
	for _, o := range c.PermissionOverwrites {
		if o.ID == c.GuildID {
			permissions = permissions&^o.Deny | o.Allow
		}
	}
	return permissions&(discordgo.PermissionViewChannel|discordgo.PermissionAdministrator) != 0
}

// setMember notes a member and returns the person as shown.
func (s *state) setMember(guildID string, u *discordgo.User, nick string) transports.UserInfo {
	info := person(u, nick)
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guilds[guildID]; g != nil {
		info.Group = g.name
		if len(g.members) < maxMembers {
			g.members[u.ID] = info.Name
		}
	}
	if old, ok := s.users[u.ID]; ok && guildID == "" {
		info.Group = old.Group
	}
	if len(s.users) < maxMembers {
		s.users[u.ID] = info
	}
	return info
}

func (s *state) dropMember(guildID, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guilds[guildID]; g != nil {
		delete(g.members, user)
	}
}

func (s *state) user(id string) (transports.UserInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, ok := s.users[id]
	return info, ok
}

func (s *state) members(guildID string, limit int) []transports.UserInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []transports.UserInfo
	if g := s.guilds[guildID]; g != nil {
		for id, name := range g.members {
			if len(all) == limit {
				break
			}
			info := s.users[id]
			info.Name = name
			all = append(all, info)
		}
	}
	return all
}

// person is a user as shown: the name in the guild, the display name, the user name.
func person(u *discordgo.User, nick string) transports.UserInfo {
	name := nick
	for _, other := range []string{u.GlobalName, u.Username, u.ID} {
		if name == "" {
			name = other
		}
	}
	info := transports.UserInfo{
		ID: transports.UserID(u.ID), Name: name, Handle: u.Username, AvatarKey: u.Avatar, Bot: u.Bot, URL: "https://discord.com/users/" + u.ID,
	}
	if u.Avatar != "" {
		info.Avatar = u.AvatarURL("128")
	}
	return info
}
