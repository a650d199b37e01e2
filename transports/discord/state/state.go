package state

import (
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Bounds of what one login keeps in memory.
const (
	maxChannels = 50000
	maxMembers  = 200000
	maxNamed    = 5000 // roles or emoji of one guild
)

// unseenTime is how long a channel that the bot could not see is taken as such.
const unseenTime = 10 * time.Minute

// State is what the gateway has sent about guilds, channels and people. Channels that the bot may not see are not in it.
type State struct {
	pictures string // where pictures are, if not at objects.PicturesURL

	mu       sync.Mutex
	guilds   map[string]*guild
	channels map[string]*objects.Channel
	users    map[string]transports.UserInfo
	unseen   map[string]time.Time // channels that the bot could not see, and until when they are taken as such
	index    index
}

type guild struct {
	id, name string
	everyone int64 // permissions of the @everyone role
	members  map[string]string
	roles    map[string]string        // names
	rights   map[string]int64         // permissions of roles
	worn     map[string][]string      // roles of members that have any
	emoji    map[string]objects.Emoji // by name
	called   called
}

// New makes a State that knows nothing. pictures is where pictures are; "" is objects.PicturesURL.
func New(pictures string) *State {
	return &State{
		pictures: pictures,
		guilds:   map[string]*guild{}, channels: map[string]*objects.Channel{}, users: map[string]transports.UserInfo{}, unseen: map[string]time.Time{},
		index: index{channels: map[string]*richtext.Names{}},
	}
}

func (s *State) SetGuild(g *objects.Guild) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.guilds[g.ID]
	if own == nil {
		own = &guild{id: g.ID, members: map[string]string{}, roles: map[string]string{}, rights: map[string]int64{}, worn: map[string][]string{}, emoji: map[string]objects.Emoji{}}
		s.guilds[g.ID] = own
	}
	if g.Name != "" {
		own.name = g.Name
	}
	for _, r := range g.Roles {
		own.setRole(&r)
	}
	if g.Emojis != nil {
		own.setEmoji(g.Emojis)
	}
}

func (g *guild) setRole(r *objects.Role) {
	if r.ID == g.id { // the @everyone role has the guild's id
		g.everyone = r.Permissions
	}
	if _, known := g.roles[r.ID]; known || len(g.roles) < maxNamed {
		g.nameRole(r)
		g.rights[r.ID] = r.Permissions
	}
}

func (g *guild) setEmoji(list []objects.Emoji) {
	clear(g.emoji)
	for _, e := range list {
		if len(g.emoji) < maxNamed && e.Name != "" {
			g.emoji[e.Name] = e
		}
	}
}

// SetRole notes a role that is new or was changed.
func (s *State) SetRole(guildID string, r *objects.Role) {
	s.inGuild(guildID, func(g *guild) { g.setRole(r) })
}

// DropRole forgets a role that was deleted, and what it allowed.
func (s *State) DropRole(guildID, id string) {
	s.inGuild(guildID, func(g *guild) {
		g.called.roles.Remove(g.roles[id], id)
		delete(g.roles, id)
		delete(g.rights, id)
	})
}

// SetEmoji notes the emoji that a guild has now.
func (s *State) SetEmoji(guildID string, list []objects.Emoji) {
	s.inGuild(guildID, func(g *guild) { g.setEmoji(list) })
}

// inGuild does something with a guild that is known, under the lock.
func (s *State) inGuild(id string, f func(*guild)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guilds[id]; g != nil {
		f(g)
	}
}

func (s *State) DropGuild(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.guilds, id)
}

func (s *State) GuildIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id := range s.guilds {
		ids = append(ids, id)
	}
	return ids
}

func (s *State) SetChannel(c *objects.Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.ID == "" {
		return
	}
	delete(s.unseen, c.ID)
	old := s.channels[c.ID]
	if old == nil && len(s.channels) >= maxChannels {
		return
	}
	if old != nil {
		s.index.remove(old)
	}
	s.channels[c.ID] = c
	s.index.add(c)
}

// DropChannel forgets a channel and its threads.
func (s *State) DropChannel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropChannel(id)
	for other, c := range s.channels {
		if c.ParentID == id && c.IsThread() {
			s.dropChannel(other)
		}
	}
}

func (s *State) dropChannel(id string) {
	if c := s.channels[id]; c != nil {
		s.index.remove(c)
		delete(s.channels, id)
	}
}

func (s *State) Channel(id string) *objects.Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channels[id]
}

// Family is a channel with its threads; without the channel where it is not known.
func (s *State) Family(id string) []*objects.Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*objects.Channel
	if c := s.channels[id]; c != nil {
		all = append(all, c)
		if c.IsThread() {
			return all
		}
	}
	for _, c := range s.channels {
		if c.ParentID == id && c.IsThread() {
			all = append(all, c)
		}
	}
	return all
}

func (s *State) ChannelsOf(guildID string) []*objects.Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*objects.Channel
	for _, c := range s.channels {
		if c.GuildID == guildID {
			all = append(all, c)
		}
	}
	return all
}

// Doubt notes that the bot could not see a channel; Doubted reports whether that was noted lately.
func (s *State) Doubt(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unseen) >= maxChannels {
		clear(s.unseen)
	}
	s.unseen[id] = time.Now().Add(unseenTime)
}

func (s *State) Doubted(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.unseen[id])
}

func (s *State) Spaces() []transports.SpaceInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []transports.SpaceInfo
	for _, g := range s.guilds {
		all = append(all, transports.SpaceInfo{ID: transports.SpaceID(g.id), Name: g.name})
	}
	return all
}

func (s *State) GuildName(id string) (name string) {
	s.inGuild(id, func(g *guild) { name = g.name })
	return name
}

func (s *State) Role(guildID, id string) (name string) {
	s.inGuild(guildID, func(g *guild) { name = g.roles[id] })
	return name
}

// Emoji is the id of a guild's own emoji.
func (s *State) Emoji(guildID, name string) (id string) {
	s.inGuild(guildID, func(g *guild) { id = g.emoji[name].ID })
	return id
}

// Public reports whether everybody of its guild sees a channel; known is false while the guild is not.
func (s *State) Public(c *objects.Channel) (public, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[c.GuildID]
	if g == nil {
		return false, false
	}
	permissions := g.everyone
	if c.IsThread() {
		parent := s.channels[c.ParentID]
		if c.Type == objects.TypePrivateThread || parent == nil {
			return false, parent != nil
		}
		c = parent
	}
	for _, o := range c.Overwrites {
		if o.ID == c.GuildID {
			permissions = permissions&^o.Deny | o.Allow
		}
	}
	return permissions&(objects.PermissionViewChannel|objects.PermissionAdministrator) != 0, true
}
