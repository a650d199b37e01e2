package fake

import "fmt"

// ChannelKind is what sort of channel AddChannel makes.
type ChannelKind int

// The kinds of channels that people make; threads and direct channels have functions of their own.
const (
	Text ChannelKind = iota
	Announcement
	Voice
	Category
	Forum
)

// Channel is a new channel of a guild.
type Channel struct {
	Name     string
	Kind     ChannelKind
	Topic    string
	Category ID
	// Private hides it from all but these members and roles.
	Private []ID
	Hidden  bool // Private without anybody
}

// AddChannel makes a channel and emits its event.
func (s *Server) AddChannel(guild ID, spec Channel) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guild)
	kinds := [...]channelKind{kindText, kindAnnouncement, kindVoice, kindCategory, kindForum}
	c := &channel{
		id: s.newID(), kind: kinds[spec.Kind], guild: g, name: spec.Name, topic: spec.Topic,
		position: len(s.channelsOf(g, false)), index: map[ID]*message{},
	}
	if spec.Category != "" {
		c.parent = s.mustChannel(spec.Category)
	}
	if spec.Hidden || len(spec.Private) > 0 {
		c.overwrites = append(c.overwrites, overwrite{id: g.id, deny: ViewChannel})
	}
	for _, id := range spec.Private {
		c.overwrites = append(c.overwrites, overwrite{id: id, member: s.users[id] != nil, allow: ViewChannel})
	}
	s.channels[c.id] = c
	s.emitChannel("CHANNEL_CREATE", c)
	s.touch()
	return c.id
}

// Allow sets what a member or a role may and may not do in a channel.
func (s *Server) Allow(channel, who ID, allow, deny Permissions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mustChannel(channel)
	s.permit(c.guild, c, func() { s.allow(c, who, allow, deny) })
}

func (s *Server) allow(c *channel, who ID, allow, deny Permissions) {
	next := overwrite{id: who, member: s.users[who] != nil, allow: allow, deny: deny}
	for i, o := range c.overwrites {
		if o.id == who {
			c.overwrites[i] = next
			return
		}
	}
	c.overwrites = append(c.overwrites, next)
}

// RenameChannel changes the name of a channel or a thread.
func (s *Server) RenameChannel(id ID, name string) {
	s.change(id, func(c *channel) { c.name = name })
}

func (s *Server) change(id ID, with func(*channel)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mustChannel(id)
	with(c)
	s.emitUpdate(c)
}

func (s *Server) emitUpdate(c *channel) {
	if c.thread != nil {
		s.emitChannel("THREAD_UPDATE", c)
	} else {
		s.emitChannel("CHANNEL_UPDATE", c)
	}
	s.touch()
}

// DeleteChannel deletes a channel with its threads and webhooks, or a thread.
func (s *Server) DeleteChannel(channel ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(s.mustChannel(channel))
}

// StartThread begins a public thread on a message.
func (s *Server) StartThread(channel, message, by ID, name string) (ID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, u := s.mustChannel(channel), s.mustUser(by)
	m := c.index[message]
	if m == nil {
		return "", errUnknownMessage()
	}
	if err := c.allows(u, CreatePublicThreads); err != nil {
		return "", err
	}
	t, err := s.threadOn(m, threadSpec{name: name, owner: u})
	if err != nil {
		return "", err
	}
	return t.id, nil
}

// StartPrivateThread begins a thread that only its members see.
func (s *Server) StartPrivateThread(channel, by ID, name string) (ID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, u := s.mustChannel(channel), s.mustUser(by)
	if err := c.allows(u, CreatePrivateThreads); err != nil {
		return "", err
	}
	t, err := s.threadIn(c, threadSpec{name: name, owner: u, kind: kindPrivateThread})
	if err != nil {
		return "", err
	}
	return t.id, nil
}

// ForumPost begins a post: a thread whose first message has the thread's id.
func (s *Server) ForumPost(forum, by ID, title string, p Post) (ID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, u := s.mustChannel(forum), s.mustUser(by)
	if c.kind != kindForum {
		return "", errChannelType()
	}
	if err := c.allows(u, SendMessages); err != nil {
		return "", err
	}
	d, err := s.draftBy(c, u, p)
	if err != nil {
		return "", err
	}
	t, _ := s.post(c, threadSpec{name: title, owner: u}, d)
	return t.id, nil
}

// JoinThread makes a user a member of a thread, or with false no longer.
func (s *Server) JoinThread(thread, user ID, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, u := s.mustChannel(thread), s.mustUser(user)
	if t.thread == nil {
		panic(fmt.Sprintf("fake Discord server: %q is no thread", thread))
	}
	if in {
		s.enterThread(t, u)
	} else {
		s.exitThread(t, u)
	}
}
