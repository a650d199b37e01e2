package fake

import (
	"context"
	"crypto/sha256"
	"slices"
)

// Message is a message as tests and hooks see it: a copy, made when it was asked for.
type Message struct {
	Channel *Channel
	TS      string
	// ThreadTS is the parent's, in a thread; of a message with replies its own.
	ThreadTS string
	// User is the author; nil for a bot_message.
	User *User
	// Name is the name that Slack shows: the user's, or the one the app chose.
	Name string
	// Icon is the picture or emoji that the app chose.
	Icon string
	// App is the app it was posted by, or nil.
	App *App
	// Text is as on the wire, escaped.
	Text      string
	Blocks    []any
	Subtype   string
	Edited    bool
	Deleted   bool
	Broadcast bool
	Reactions map[string][]string // ids of users by the emoji's name
	Files     []*File
}

// public is the message as tests see it. mu must be held.
func (m *message) public() Message {
	out := Message{Channel: m.channel, TS: m.ts.String(), Text: m.text, Blocks: m.blocks, Subtype: m.subtype,
		Edited: m.edited != nil, Deleted: m.deleted, Broadcast: m.broadcast, Name: m.username,
		Files: slices.Clone(m.files), Reactions: map[string][]string{}}
	if m.thread != (stamp{}) {
		out.ThreadTS = m.thread.String()
	}
	if m.user != "" {
		if out.User = m.channel.team.user(m.user); out.User != nil && out.Name == "" {
			out.Name = out.User.shownName()
		}
	}
	if m.install != nil {
		out.App = m.install.App
	}
	for _, k := range []string{"emoji", "image_72"} {
		if v, ok := m.icons[k].(string); ok {
			out.Icon = v
		}
	}
	for _, r := range m.reactions {
		out.Reactions[r.name] = slices.Clone(r.users)
	}
	return out
}

// OnMessage calls f with every new message, one after another, after its events went out. f
// may do anything but call Close.
func (s *Server) OnMessage(f func(Message)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onMessage = append(s.onMessage, f)
}

func (s *Server) notice(m *message) {
	if len(s.onMessage) > 0 {
		s.pending.notices = append(s.pending.notices, m.public())
	}
}

// Await waits until ok returns true, calling it after every change, and reports whether it did
// before ctx was done. ok is called without locks held.
func (s *Server) Await(ctx context.Context, ok func() bool) bool {
	for {
		s.mu.Lock()
		changed := s.changes
		s.mu.Unlock()
		if ok() {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ok()
		}
	}
}

// Transcript is all that was written in the channel, oldest first, with replies and Slack's
// own lines; of deleted messages only the tombstones.
func (c *Channel) Transcript() []Message {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	var out []Message
	for _, m := range c.messages {
		if !m.deleted || m.subtype == "tombstone" {
			out = append(out, m.public())
		}
	}
	return out
}

// Lines are the messages, each as "name: text".
func (c *Channel) Lines() []string {
	var out []string
	for _, m := range c.Transcript() {
		switch m.Subtype {
		case "", "bot_message", "me_message", "file_share", "thread_broadcast":
			out = append(out, m.Name+": "+m.Text)
		}
	}
	return out
}

// Message is the message with a ts, as it is now; its Channel is nil when there is none.
func (c *Channel) Message(ts string) Message {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if m := c.find(ts); m != nil {
		return m.public()
	}
	return Message{}
}

// Has reports whether a user is in the channel.
func (c *Channel) Has(u *User) bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return c.has(u)
}

// Members are the members of the channel.
func (c *Channel) Members() []*User {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return slices.Clone(c.members)
}

// Name is the channel's name; DMs have none.
func (c *Channel) Name() string {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return c.name
}

// Name is what Slack shows of the user.
func (u *User) Name() string {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	return u.shownName()
}

// Name is the file's name.
func (f *File) Name() string {
	f.server.mu.Lock()
	defer f.server.mu.Unlock()
	return f.name
}

// Sum is the SHA-256 sum of a file that was uploaded.
func (f *File) Sum() [sha256.Size]byte {
	f.server.mu.Lock()
	defer f.server.mu.Unlock()
	return f.sum
}

// Data is the content of the file; of a very large one that was uploaded, the beginning.
func (f *File) Data() []byte {
	f.server.mu.Lock()
	defer f.server.mu.Unlock()
	return f.data
}
