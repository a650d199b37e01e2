package fake

import (
	"time"
	"unicode/utf8"
)

// threadSpec is what a new thread is.
type threadSpec struct {
	name        string
	kind        channelKind
	owner       *user // nil where a webhook begins a forum post
	autoArchive int
	tags        []ID
}

// begin makes a thread with the given id, which is that of the message it hangs on, or of
// its first message in a forum. (topics/threads.mdx)
func (s *Server) begin(id ID, parent *channel, spec threadSpec) *channel {
	now := s.now()
	c := &channel{
		id: id, kind: spec.kind, guild: parent.guild, parent: parent, name: spec.name, index: map[ID]*message{},
		thread: &thread{
			private: spec.kind == kindPrivateThread, autoArchive: spec.autoArchive, created: now, changed: now,
			members: map[ID]time.Time{}, tags: spec.tags,
		},
	}
	if c.thread.autoArchive == 0 {
		c.thread.autoArchive = 4320
	}
	if spec.owner != nil {
		c.thread.owner = spec.owner.id
		c.thread.members[spec.owner.id] = now
	}
	s.channels[id] = c
	return c
}

// announce emits the event of a new thread.
func (s *Server) announce(c *channel) {
	s.emit(event{"THREAD_CREATE", c.guild, c, IntentGuilds, nil, func(v *session) obj {
		b := c.json(v.app.user)
		b["newly_created"] = true
		return b
	}})
	s.touch()
}

// threadOn begins a thread on a message.
func (s *Server) threadOn(m *message, spec threadSpec) (*channel, error) {
	switch {
	case m.thread != nil:
		return nil, errThreadExists()
	case m.channel.kind == kindAnnouncement:
		spec.kind = kindAnnouncementThread
	case m.channel.kind == kindText:
		spec.kind = kindPublicThread
	default:
		return nil, errChannelType()
	}
	c := s.begin(m.id, m.channel, spec)
	m.thread, m.flags = c, m.flags|flagHasThread
	s.announce(c)
	s.emitMessage("MESSAGE_UPDATE", m)
	starter := &message{
		id: s.newID(), channel: c, author: spec.owner, kind: typeThreadStarter, created: s.now(),
		ref: &reference{message: m.id, channel: m.channel.id, guild: c.guild.id},
	}
	c.store(starter)
	s.emitMessage("MESSAGE_CREATE", starter)
	return c, nil
}

// threadIn begins a thread without a message; the parent gets a note of it.
func (s *Server) threadIn(parent *channel, spec threadSpec) (*channel, error) {
	if parent.kind != kindText && parent.kind != kindAnnouncement {
		return nil, errChannelType()
	}
	c := s.begin(s.newID(), parent, spec)
	s.announce(c)
	if spec.kind == kindPublicThread {
		note := &message{
			id: s.newID(), channel: parent, author: spec.owner, kind: typeThreadCreated, content: spec.name, created: s.now(),
			ref: &reference{channel: c.id, guild: c.guild.id},
		}
		parent.store(note)
		s.emitMessage("MESSAGE_CREATE", note)
	}
	return c, nil
}

// post begins a forum post: a thread whose first message has the thread's id.
func (s *Server) post(forum *channel, spec threadSpec, d *draft) (*channel, *message) {
	spec.kind = kindPublicThread
	id := s.newID()
	if d.hook != nil {
		spec.owner = nil
	}
	c := s.begin(id, forum, spec)
	if d.hook != nil {
		c.thread.owner = d.hook.id
	}
	d.channel = c
	m := s.compose(d)
	m.id = id
	for _, a := range m.attachments {
		a.channel = id
	}
	c.store(m)
	forum.last = id
	s.announce(c)
	s.emitMessage("MESSAGE_CREATE", m)
	s.unfurl(m)
	s.notify(m)
	s.touch()
	return c, m
}

// wakeThread opens an archived thread, as a new message does.
func (s *Server) wakeThread(c *channel) {
	if t := c.thread; t != nil && t.archived {
		t.archived, t.changed = false, s.now()
		s.emitChannel("THREAD_UPDATE", c)
	}
}

// enterThread makes a user a member of a thread.
func (s *Server) enterThread(c *channel, u *user) {
	if c.thread.has(u.id) {
		return
	}
	c.thread.members[u.id] = s.now()
	if u.app != nil && c.thread.private {
		s.emit(event{"THREAD_CREATE", c.guild, c, IntentGuilds, u.app, func(*session) obj { return c.json(u) }})
	}
	s.emitThreadMembers(c, []ID{u.id}, nil)
	s.touch()
}

func (s *Server) exitThread(c *channel, u *user) {
	if !c.thread.has(u.id) {
		return
	}
	delete(c.thread.members, u.id)
	s.emitThreadMembers(c, nil, []ID{u.id})
	s.touch()
}

// threadName checks a name of 1 to 100 characters.
func threadName(name string) error {
	if n := utf8.RuneCountInString(name); n < 1 || n > 100 {
		return tooLong("name", 100)
	}
	return nil
}
