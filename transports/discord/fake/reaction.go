package fake

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var customEmoji = regexp.MustCompile(`^([A-Za-z0-9_]{2,32}):([0-9]{1,20})$`)

// emojiOf reads an emoji as paths have it: "name:id" or Unicode.
func (s *Server) emojiOf(text string) (emoji, error) {
	if m := customEmoji.FindStringSubmatch(text); m != nil {
		for _, g := range s.guilds {
			if e := g.emoji(ID(m[2])); e != nil {
				return *e, nil
			}
		}
		return emoji{}, errUnknownEmoji()
	}
	if !unicodeEmoji(text) {
		return emoji{}, errUnknownEmoji()
	}
	return emoji{name: text}, nil
}

// unicodeEmoji tells roughly whether a text is one emoji: no letters, and digits only as keycaps.
func unicodeEmoji(text string) bool {
	if text == "" || len(text) > 64 || !utf8.ValidString(text) {
		return false
	}
	keycap := strings.HasSuffix(text, "\u20e3")
	for _, r := range text {
		if r < 0x80 && !(keycap && (r >= '0' && r <= '9' || r == '#' || r == '*')) {
			return false
		}
	}
	r, _ := utf8.DecodeRuneInString(text)
	return keycap || r == 0xa9 || r == 0xae || r >= 0x203c
}

// react adds a user's reaction.
func (s *Server) react(m *message, u *user, e emoji) error {
	r := m.reaction(e)
	if p := m.channel.permissions(u); r == nil && !p.has(AddReactions) || !p.has(ReadMessageHistory) {
		return errNoPermission()
	}
	if r == nil {
		if len(m.reactions) >= maxReactions {
			return errManyReactions()
		}
		r = &reaction{emoji: e}
		m.reactions = append(m.reactions, r)
	}
	if slices.Contains(r.users, u.id) {
		return nil
	}
	r.users = append(r.users, u.id)
	b := obj{"user_id": u.id, "emoji": r.emoji.partial(), "burst": false, "type": 0}
	if m.author != nil {
		b["message_author_id"] = m.author.id
	}
	if m.channel.guild != nil {
		if who := m.channel.guild.members[u.id]; who != nil {
			b["member"] = who.json()
		}
	}
	s.emitReaction("MESSAGE_REACTION_ADD", m, b)
	s.touch()
	return nil
}

// unreact removes a user's reaction, if there is one.
func (s *Server) unreact(m *message, u *user, e emoji) {
	r := m.reaction(e)
	if r == nil || !slices.Contains(r.users, u.id) {
		return
	}
	r.users = slices.DeleteFunc(r.users, func(id ID) bool { return id == u.id })
	s.forgetEmpty(m)
	s.emitReaction("MESSAGE_REACTION_REMOVE", m, obj{"user_id": u.id, "emoji": r.emoji.partial(), "burst": false, "type": 0})
	s.touch()
}

// ClearReactions is a moderator removing all reactions of a message; with an emoji, those with that one.
func (s *Server) ClearReactions(channel, message ID, one string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(channel, message)
	if err != nil {
		return err
	}
	if one == "" {
		m.reactions = nil
		s.emitReaction("MESSAGE_REACTION_REMOVE_ALL", m, obj{})
		s.touch()
		return nil
	}
	e, err := s.emojiOf(one)
	if err != nil {
		return err
	}
	if r := m.reaction(e); r != nil {
		r.users = nil
		s.forgetEmpty(m)
		s.emitReaction("MESSAGE_REACTION_REMOVE_EMOJI", m, obj{"emoji": r.emoji.partial()})
	}
	s.touch()
	return nil
}

func (s *Server) forgetEmpty(m *message) {
	m.reactions = slices.DeleteFunc(m.reactions, func(r *reaction) bool { return len(r.users) == 0 })
}

// The handlers of reactions. (resources/message.mdx, Create Reaction and following)

func (c *call) reacted() (*message, emoji, error) {
	m, err := c.message(0)
	if err != nil {
		return nil, emoji{}, err
	}
	e, err := c.s.emojiOf(c.params["emoji_name"])
	return m, e, err
}

func addReaction(c *call) (int, any, error) {
	m, e, err := c.reacted()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, c.s.react(m, c.app.user, e)
}

func removeMyReaction(c *call) (int, any, error) {
	m, e, err := c.reacted()
	if err != nil {
		return 0, nil, err
	}
	c.s.unreact(m, c.app.user, e)
	return http.StatusNoContent, nil, nil
}
