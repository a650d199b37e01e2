package fake

import (
	"regexp"
	"slices"
	"time"
)

// Markup that mentions somebody, and links that get a preview. (reference.mdx, Message Formatting)
var (
	mentionMarkup = regexp.MustCompile(`<@(!?|&)([0-9]{1,20})>`)
	linkMarkup    = regexp.MustCompile(`(^|[^<])(https?://[^\s<>]+)`)
	everyone      = regexp.MustCompile(`@(everyone|here)\b`)
)

// publish stores a draft and emits its event. repeated reports that there was a message with its nonce.
func (s *Server) publish(d *draft) (m *message, repeated bool, err error) {
	if err := s.mayPost(d); err != nil {
		return nil, false, err
	}
	if d.once && d.nonce != nil {
		if old := d.channel.byNonce(d, s.now()); old != nil {
			return old, true, nil
		}
	}
	m = s.compose(d)
	s.wakeThread(d.channel)
	d.channel.store(m)
	if d.author != nil && d.channel.thread != nil {
		s.enterThread(d.channel, d.author)
	}
	s.emitMessage("MESSAGE_CREATE", m)
	s.unfurl(m)
	s.notify(m)
	s.touch()
	return m, false, nil
}

// compose makes the message of a draft.
func (s *Server) compose(d *draft) *message {
	m := &message{
		id: s.newID(), channel: d.channel, author: d.author, hook: d.hook, persona: d.persona, app: d.app,
		content: d.content, attachments: d.files, created: s.now(),
		flags: d.flags, ref: d.ref, nonce: d.nonce, tts: d.tts,
	}
	if d.hook != nil {
		m.hookID = d.hook.id
	}
	if d.ref != nil && d.ref.kind == 0 {
		m.kind = typeReply
	}
	if d.allowed == nil && d.hook != nil {
		d.allowed = &allowed{users: true} // resources/message.mdx, Default Settings for Allowed Mentions
	}
	s.mention(m, d.allowed)
	return m
}

// mayPost checks the rights of the author in the channel.
func (s *Server) mayPost(d *draft) error {
	c := d.channel
	switch {
	case c.kind == kindForum:
		return errForumMessage()
	case !c.texts():
		return errNotText()
	}
	if d.author == nil {
		return nil // a webhook may always
	}
	p := c.permissions(d.author)
	switch {
	case !p.has(ViewChannel):
		return errMissingAccess()
	case !p.has(SendMessages):
		return errNoPermission()
	case len(d.files) > 0 && !p.has(AttachFiles):
		return errNoPermission()
	case d.ref != nil && d.ref.kind == 0 && !p.has(ReadMessageHistory):
		return errNoHistory()
	case c.thread != nil && c.thread.locked && !p.has(ManageThreads):
		return errThreadLocked()
	}
	if c.guild == nil {
		return s.mayDirect(c, d.author)
	}
	return nil
}

// mayDirect reports whether the other one of a direct channel can be written to.
func (s *Server) mayDirect(c *channel, from *user) error {
	for _, to := range c.recipients {
		switch {
		case to == from:
		case to.app != nil && from.app != nil, to.dmsClosed:
			return errCannotDM()
		case !s.mutual(to, from):
			return errNoMutualGuild()
		}
	}
	return nil
}

// byNonce finds a message of the same author with the same nonce. (resources/message.mdx,
// Create Message: enforce_nonce)
func (c *channel) byNonce(d *draft, now time.Time) *message {
	for _, m := range slices.Backward(c.messages) {
		if now.Sub(m.created) > nonceMemory {
			return nil
		}
		if m.nonce == d.nonce && m.by(d.author) {
			return m
		}
	}
	return nil
}

// mention fills in who a message names, as far as allowed_mentions lets it.
func (s *Server) mention(m *message, a *allowed) {
	m.mentions, m.roles, m.everyone = nil, nil, false
	c := m.channel
	add := func(u *user) {
		if u != nil && !slices.Contains(m.mentions, u) {
			m.mentions = append(m.mentions, u)
		}
	}
	for _, found := range mentionMarkup.FindAllStringSubmatch(m.content, -1) {
		id := ID(found[2])
		if found[1] == "&" {
			if c.guild != nil && c.guild.role(id).name != "" && (a == nil || a.roles || slices.Contains(a.roleIDs, id)) && !slices.Contains(m.roles, id) {
				m.roles = append(m.roles, id)
			}
		} else if a == nil || a.users || slices.Contains(a.userIDs, id) {
			add(s.users[id])
		}
	}
	if everyone.MatchString(m.content) && c.guild != nil && (a == nil || a.everyone) {
		m.everyone = m.author == nil || c.permissions(m.author).has(MentionEveryone)
	}
	if m.kind == typeReply && (a == nil || a.replied) {
		if to := s.channels[m.ref.channel]; to != nil {
			if original := to.index[m.ref.message]; original != nil {
				add(original.author)
			}
		}
	}
}

// unfurl adds the preview of the first link of a message. That is a MESSAGE_UPDATE of its
// own, whose edited_timestamp stays null.
func (s *Server) unfurl(m *message) {
	if m.flags&flagSuppressEmbeds != 0 || m.author != nil && !m.channel.permissions(m.author).has(EmbedLinks) {
		return
	}
	link := linkMarkup.FindStringSubmatch(m.content)
	if link == nil {
		return
	}
	m.embeds = append(m.embeds, obj{
		"type": "link", "url": link[2], "title": "Preview of " + link[2], "description": "What stands there.",
	})
	if s.partial {
		s.emitPartial(m)
		return
	}
	s.emitMessage("MESSAGE_UPDATE", m)
}

// rewrite changes a message's text; nil leaves content, embeds or files as they are.
type rewrite struct {
	content *string
	embeds  *[]obj
	keep    *[]ID // attachments that stay
	added   []*attachment
	allowed *allowed
}

// edit applies a rewrite that is already permitted.
func (s *Server) edit(m *message, r rewrite) error {
	content, embeds, files := m.content, m.embeds, m.attachments
	if r.content != nil {
		content = *r.content
	}
	if r.embeds != nil {
		embeds = *r.embeds
	}
	if r.keep != nil {
		files = slices.DeleteFunc(slices.Clone(files), func(a *attachment) bool { return !slices.Contains(*r.keep, a.id) })
	}
	files = append(slices.Clip(files), r.added...)
	if content == "" && len(embeds) == 0 && len(files) == 0 {
		return errEmptyMessage()
	}
	if t := m.channel.thread; t != nil && t.archived {
		return errArchived()
	}
	if r.content != nil && r.embeds == nil {
		embeds = slices.DeleteFunc(slices.Clone(embeds), func(e obj) bool { return e["type"] == "link" })
	}
	m.content, m.embeds, m.attachments, m.edited = content, embeds, files, s.now()
	if r.content != nil {
		s.mention(m, r.allowed)
	}
	s.emitMessage("MESSAGE_UPDATE", m)
	s.unfurl(m)
	s.touch()
	return nil
}

// erase takes a message away.
func (s *Server) erase(m *message) {
	m.channel.drop(m)
	s.emitDelete(m)
	s.touch()
}
