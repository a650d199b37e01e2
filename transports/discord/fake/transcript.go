package fake

import (
	"slices"
	"time"
)

// Message is a message as a test or a demo looks at it.
type Message struct {
	ID      ID
	Channel ID
	Guild   ID // "" in a direct channel
	// Author is the user, or the webhook where Webhook is true.
	Author  ID
	Webhook bool
	Bot     bool   // a bot or a webhook
	Name    string // what others see beside it
	Avatar  string // the avatar_url of a webhook's message
	Text    string
	Nonce   any
	ReplyTo ID
	Thread  ID // that hangs on it
	System  bool
	At      time.Time
	Edited  time.Time
	// Mentions are the users that were really mentioned.
	Mentions  []ID
	Everyone  bool
	Files     []File
	Reactions []Reaction
}

// Reaction is one emoji on a message and whose it is.
type Reaction struct {
	Emoji string // Unicode, or name:id
	Users []ID
}

// Transcript is what is written in a channel, a thread or a direct channel, oldest first.
func (s *Server) Transcript(channel ID) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transcript(s.mustChannel(channel))
}

func (s *Server) transcript(c *channel) []Message {
	out := make([]Message, 0, len(c.messages))
	for _, m := range c.messages {
		out = append(out, s.report(m))
	}
	return out
}

// report copies a message out.
func (s *Server) report(m *message) Message {
	r := Message{
		ID: m.id, Channel: m.channel.id, Guild: m.channel.guildID(), Text: m.content, Nonce: m.nonce, At: m.created,
		Edited: m.edited, Everyone: m.everyone, System: m.system(),
		Mentions: ids(m.mentions, func(u *user) ID { return u.id }), Webhook: m.hookID != "",
	}
	if m.author != nil {
		r.Author, r.Name, r.Bot = m.author.id, m.channel.nameOf(m.author), m.author.app != nil
	} else {
		r.Author, r.Name, r.Avatar, r.Bot = m.hookID, m.persona.name, m.persona.url, true
	}
	if m.ref != nil && m.kind == typeReply {
		r.ReplyTo = m.ref.message
	}
	if m.thread != nil {
		r.Thread = m.thread.id
	}
	for _, a := range m.attachments {
		r.Files = append(r.Files, File{Name: a.name, MIME: a.mime, Data: a.data, Description: a.description})
	}
	for _, x := range m.reactions {
		r.Reactions = append(r.Reactions, Reaction{Emoji: x.emoji.key(), Users: slices.Clone(x.users)})
	}
	return r
}

// key is an emoji as paths have it.
func (e emoji) key() string {
	if e.id == "" {
		return e.name
	}
	return e.name + ":" + string(e.id)
}

// nameOf is what others see of a user in a channel.
func (c *channel) nameOf(u *user) string {
	if c.guild != nil {
		if m := c.guild.members[u.id]; m != nil && m.nick != "" {
			return m.nick
		}
	}
	if u.global != "" {
		return u.global
	}
	return u.name
}

// ChannelInfo is a channel as a test or a demo looks at it.
type ChannelInfo struct {
	ID       ID
	Guild    ID
	Parent   ID
	Name     string
	Topic    string
	Thread   bool
	Archived bool
	Webhooks int
}

// Channel describes a channel; ok is false where there is none.
func (s *Server) Channel(id ID) (info ChannelInfo, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[id]
	if c == nil {
		return info, false
	}
	info = ChannelInfo{ID: c.id, Guild: c.guildID(), Name: c.name, Topic: c.topic, Thread: c.thread != nil}
	if c.parent != nil {
		info.Parent = c.parent.id
	}
	if c.thread != nil {
		info.Archived = c.thread.archived
	}
	info.Webhooks = len(s.webhooksOf(func(w *webhook) bool { return w.channel == c }))
	return info, true
}

// Webhooks lists the ids of a channel's webhooks.
func (s *Server) Webhooks(channel ID) []ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mustChannel(channel)
	return ids(s.webhooksOf(func(w *webhook) bool { return w.channel == c }), func(w *webhook) ID { return w.id })
}
