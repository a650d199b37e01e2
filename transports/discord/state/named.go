package state

import (
	"strings"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// index finds what texts of ours name. It holds no more than State does.
type index struct {
	handles  richtext.Names             // of all users: a handle is the same in all guilds
	channels map[string]*richtext.Names // by guild
}

// called has the names by which texts may mention members and roles of a guild.
type called struct {
	members richtext.Names // as they are shown in the guild
	roles   richtext.Names // of those that everybody may mention
}

// Named is what a text of ours names behind a sign: a member or a role of the guild that everybody may mention behind "@", a channel that
// the bot sees behind "#", an emoji of the guild behind ":". size is how many bytes the name takes; 0 where nothing has it, or several have.
func (s *State) Named(guildID string, sign byte, text string) (n richtext.Node, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[guildID]
	if g == nil {
		return n, 0
	}
	if sign == ':' {
		return g.namedEmoji(text)
	}
	match := richtext.NewMatch(text)
	if sign == '#' {
		if names := s.index.channels[guildID]; names != nil {
			names.Try(match, func(id string) bool { return s.channels[id] != nil }, func(id string) richtext.Node {
				return richtext.Node{Kind: richtext.Channel, ID: id, Text: s.channels[id].Name}
			})
		}
		return match.Found()
	}
	here := func(id string) bool { return g.members[id] != "" }
	member := func(id string) richtext.Node {
		return richtext.Node{Kind: richtext.Mention, ID: id, Text: g.members[id]}
	}
	g.called.members.Try(match, here, member)
	s.index.handles.Try(match, here, member)
	g.called.roles.Try(match, nil, func(id string) richtext.Node {
		return richtext.Node{Kind: richtext.Group, ID: id, Text: g.roles[id]}
	})
	return match.Found()
}

// nameMember sets the name of a member; "" is for one who has left.
func (g *guild) nameMember(id, name string) {
	old := g.members[id]
	if old == name {
		return
	}
	g.called.members.Remove(old, id)
	if name == "" {
		delete(g.members, id)
		return
	}
	g.members[id] = name
	g.called.members.Put(name, id)
}

// nameRole sets the name of a role, and whether everybody may mention it.
func (g *guild) nameRole(r *objects.Role) {
	g.called.roles.Remove(g.roles[r.ID], r.ID)
	g.roles[r.ID] = r.Name
	if r.Mentionable {
		g.called.roles.Put(r.Name, r.ID)
	}
}

// add makes a channel known by its name, if texts may name it.
func (i *index) add(c *objects.Channel) {
	if !c.Shown() && c.Type != objects.TypeForum && c.Type != objects.TypeMedia {
		return
	}
	names := i.channels[c.GuildID]
	if names == nil {
		names = &richtext.Names{}
		i.channels[c.GuildID] = names
	}
	names.Put(c.Name, c.ID)
}

func (i *index) remove(c *objects.Channel) {
	if names := i.channels[c.GuildID]; names != nil {
		names.Remove(c.Name, c.ID)
		if names.Empty() {
			delete(i.channels, c.GuildID)
		}
	}
}

// maxEmojiName is the longest name of an emoji (docs: Emoji Object: 32 characters).
const maxEmojiName = 32

// namedEmoji is an emoji of the guild whose name and a colon a text begins with.
func (g *guild) namedEmoji(text string) (n richtext.Node, size int) {
	name, _, closed := strings.Cut(text[:min(len(text), maxEmojiName+1)], ":")
	e := g.emoji[name]
	if !closed || e.ID == "" {
		return n, 0
	}
	sign := ":"
	if e.Animated {
		sign = "a:"
	}
	return richtext.Node{Kind: richtext.Emoji, ID: e.ID, Text: sign + name + ":"}, len(name) + 1
}
