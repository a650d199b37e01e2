package state

import (
	"strings"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

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
		for id, c := range s.channels {
			if c.GuildID == guildID && (c.Shown() || c.Type == objects.TypeForum || c.Type == objects.TypeMedia) {
				match.Try(c.Name, richtext.Node{Kind: richtext.Channel, ID: id, Text: c.Name})
			}
		}
		return match.Found()
	}
	for id, name := range g.members {
		n := richtext.Node{Kind: richtext.Mention, ID: id, Text: name}
		match.Try(name, n)
		match.Try(s.users[id].Handle, n)
	}
	for id, name := range g.roles {
		if g.called[id] {
			match.Try(name, richtext.Node{Kind: richtext.Group, ID: id, Text: name})
		}
	}
	return match.Found()
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
