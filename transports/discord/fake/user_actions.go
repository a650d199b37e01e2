package fake

import (
	"strings"
	"unicode/utf8"
)

// Post is a message that a user sends.
type Post struct {
	Text    string
	ReplyTo ID // in the same channel
	Files   []File
	Nonce   string
}

// Say sends a text as a user.
func (s *Server) Say(channel, user ID, text string) (ID, error) {
	return s.Post(channel, user, Post{Text: text})
}

// Post sends a message as a user. A bot's messages come through the API, not from here.
func (s *Server) Post(channel, user ID, p Post) (ID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, u := s.mustChannel(channel), s.mustUser(user)
	d, err := s.draftBy(c, u, p)
	if err != nil {
		return "", err
	}
	m, _, err := s.publish(d)
	if err != nil {
		return "", err
	}
	return m.id, nil
}

// draftBy makes the draft of a message that a user sends.
func (s *Server) draftBy(c *channel, u *user, p Post) (*draft, error) {
	d := &draft{channel: c, author: u, content: strings.TrimSpace(p.Text)}
	if utf8.RuneCountInString(d.content) > maxContent {
		return nil, tooLong("content", maxContent)
	}
	for _, f := range p.Files {
		if len(f.Data) > maxFileSize {
			return nil, errTooLarge()
		}
		d.files = append(d.files, s.keep(c, f))
	}
	if p.Nonce != "" {
		d.nonce = p.Nonce
	}
	if p.ReplyTo != "" {
		m := c.index[p.ReplyTo]
		if m == nil {
			return nil, errUnknownMessage()
		}
		d.ref = m.replyRef()
	}
	if d.content == "" && len(d.files) == 0 {
		return nil, errEmptyMessage()
	}
	return d, nil
}

// find is a message of a channel.
func (s *Server) find(in, id ID) (*message, error) {
	if m := s.mustChannel(in).index[id]; m != nil {
		return m, nil
	}
	return nil, errUnknownMessage()
}

// own is a message of a channel that a user has written.
func (s *Server) own(in, id, user ID) (*message, error) {
	m, err := s.find(in, id)
	if err == nil && !m.by(s.mustUser(user)) {
		return nil, errOthersMessage()
	}
	return m, err
}

// Edit changes the text of a message as its author.
func (s *Server) Edit(channel, message, user ID, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.own(channel, message, user)
	if err != nil {
		return err
	}
	if text = strings.TrimSpace(text); utf8.RuneCountInString(text) > maxContent {
		return tooLong("content", maxContent)
	}
	return s.edit(m, rewrite{content: &text})
}

// RemoveFiles takes the files of a message away as its author. The message has a text.
func (s *Server) RemoveFiles(channel, message, user ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.own(channel, message, user)
	if err != nil {
		return err
	}
	return s.edit(m, rewrite{keep: &[]ID{}})
}

// Delete deletes a message as its author or as a user with the right to it.
func (s *Server) Delete(channel, message, user ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(channel, message)
	if err != nil {
		return err
	}
	if u := s.mustUser(user); !m.by(u) && !m.channel.permissions(u).has(ManageMessages) {
		return errNoPermission()
	}
	s.erase(m)
	return nil
}

// BulkDelete deletes several messages in one event, as moderators' bots do.
func (s *Server) BulkDelete(channel ID, messages ...ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eraseAll(s.mustChannel(channel), messages)
}

// React adds a reaction of a user: a Unicode emoji, or "name:id" of a custom one.
func (s *Server) React(channel, message, user ID, emoji string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(channel, message)
	if err != nil {
		return err
	}
	e, err := s.emojiOf(emoji)
	if err != nil {
		return err
	}
	return s.react(m, s.mustUser(user), e)
}

// Typing sends the typing event of a user.
func (s *Server) Typing(channel, user ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emitTyping(s.mustChannel(channel), s.mustUser(user))
}

// DM finds or makes the direct channel of two users.
func (s *Server) DM(a, b ID) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.direct(s.mustUser(a), s.mustUser(b)).id
}
