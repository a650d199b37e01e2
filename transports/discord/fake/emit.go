package fake

import "slices"

// event is something that sessions hear of.
type event struct {
	kind    string
	guild   *guild   // its members' bots; nil for direct channels
	channel *channel // only those who see it; nil for all of the guild
	intents Intents  // one of them; 0 for every session
	only    *app     // nobody else
	// data is what a session gets; nil keeps it from it.
	data func(*session) obj
}

// same is the data of an event that looks alike to all.
func same(b obj) func(*session) obj { return func(*session) obj { return b } }

// emit appends an event to the log of every session that receives it.
func (s *Server) emit(e event) {
	for _, v := range s.sessions {
		if !s.receives(v, e) {
			continue
		}
		if b := e.data(v); b != nil {
			s.append(v, e.kind, b)
		}
	}
}

// receives reports whether a session gets an event, by its intents and by what its bot may see.
func (s *Server) receives(v *session, e event) bool {
	if e.only != nil && e.only != v.app || e.intents != 0 && v.intents&e.intents == 0 {
		return false
	}
	if e.guild != nil && (e.guild.down || !v.app.in(e.guild)) {
		return false
	}
	return e.channel == nil || e.channel.permissions(v.app.user).has(ViewChannel)
}

// intent picks one of two: for channels of guilds, and for direct ones.
func (c *channel) intent(guild, direct Intents) Intents {
	if c.guild == nil {
		return direct
	}
	return guild
}

// located adds where something happened.
func (c *channel) located(b obj) obj {
	b["channel_id"] = c.id
	if c.guild != nil {
		b["guild_id"] = c.guild.id
	}
	return b
}

// emitMessage emits the event of a new or changed message: what the API answers, and the guild and
// the member with it. (events/gateway-events.mdx, Message Create Extra Fields)
func (s *Server) emitMessage(kind string, m *message) {
	c := m.channel
	s.emit(event{kind, c.guild, c, c.intent(IntentMessages, IntentDirectMessages), nil, func(v *session) obj {
		b := s.messageJSON(m, v.view())
		if kind == "MESSAGE_CREATE" && m.nonce != nil {
			b["nonce"] = m.nonce
		}
		if c.guild == nil {
			return b
		}
		b["guild_id"] = c.guild.id
		if m.author != nil {
			if who := c.guild.members[m.author.id]; who != nil {
				b["member"] = who.partial()
			}
		}
		list := []obj{}
		for _, u := range m.mentions {
			named := u.json()
			if who := c.guild.members[u.id]; who != nil {
				named["member"] = who.partial()
			}
			list = append(list, named)
		}
		b["mentions"] = list
		return b
	}})
}

// emitPartial is a MESSAGE_UPDATE that has the previews and nothing else.
// (events/gateway-events.mdx, Message Update)
func (s *Server) emitPartial(m *message) {
	c := m.channel
	s.emit(event{"MESSAGE_UPDATE", c.guild, c, c.intent(IntentMessages, IntentDirectMessages), nil, func(v *session) obj {
		b := c.located(obj{"id": m.id, "embeds": []obj{}})
		if v.view().sees(m) {
			b["embeds"] = m.embeds
		}
		return b
	}})
}

func (s *Server) emitDelete(m *message) {
	c := m.channel
	b := c.located(obj{"id": m.id})
	s.emit(event{"MESSAGE_DELETE", c.guild, c, c.intent(IntentMessages, IntentDirectMessages), nil, same(b)})
}

func (s *Server) emitReaction(kind string, m *message, b obj) {
	c := m.channel
	b = c.located(b)
	b["message_id"] = m.id
	s.emit(event{kind, c.guild, c, c.intent(IntentReactions, IntentDirectReactions), nil, same(b)})
}

func (s *Server) emitTyping(c *channel, u *user) {
	b := c.located(obj{"user_id": u.id, "timestamp": s.now().Unix()})
	if c.guild != nil {
		if m := c.guild.members[u.id]; m != nil {
			b["member"] = m.json()
		}
	}
	s.emit(event{"TYPING_START", c.guild, c, c.intent(IntentTyping, IntentDirectTyping), nil, same(b)})
}

// emitChannel emits the event of a channel or a thread: of a channel to every bot of the guild, of a
// thread to those who see it.
func (s *Server) emitChannel(kind string, c *channel) {
	if c.guild == nil {
		return // direct channels have no such events since version 8
	}
	e := event{kind, c.guild, nil, IntentGuilds, nil, func(v *session) obj { return s.shown(c, v.app.user) }}
	if c.thread != nil {
		e.channel = c
	}
	s.emit(e)
}

func (s *Server) emitWebhooks(c *channel) {
	s.emit(event{"WEBHOOKS_UPDATE", c.guild, c, IntentWebhooks, nil, same(obj{"guild_id": c.guild.id, "channel_id": c.id})})
}

// emitPresence emits the presence of a user to their guilds.
func (s *Server) emitPresence(u *user) {
	for _, g := range sorted(s.guilds) {
		if g.members[u.id] != nil {
			s.emit(event{"PRESENCE_UPDATE", g, nil, IntentPresences, nil, same(u.presence(g))})
		}
	}
}

// emitMember emits the event of a new or changed member.
func (s *Server) emitMember(kind string, g *guild, m *member) {
	b := m.json()
	b["guild_id"] = g.id
	s.emit(event{kind, g, nil, IntentMembers, nil, func(v *session) obj {
		if v.app.user == m.user && kind == "GUILD_MEMBER_ADD" {
			return nil // it gets GUILD_CREATE
		}
		return b
	}})
}

func (s *Server) emitRole(kind string, g *guild, r *role) {
	s.emit(event{kind, g, nil, IntentGuilds, nil, same(obj{"guild_id": g.id, "role": r.json()})})
}

// emitThreadMembers emits who joined or left a thread. Without the member intent a bot
// gets only its own.
func (s *Server) emitThreadMembers(c *channel, joined, left []ID) {
	s.emit(event{"THREAD_MEMBERS_UPDATE", c.guild, c, IntentGuilds, nil, func(v *session) obj {
		mine := slices.Contains(joined, v.app.user.id) || slices.Contains(left, v.app.user.id)
		if v.intents&IntentMembers == 0 && !mine {
			return nil
		}
		b := obj{"id": c.id, "guild_id": c.guild.id, "member_count": min(len(c.thread.members), 50)}
		if len(joined) > 0 {
			b["added_members"] = shapes(joined, c.threadMember)
		}
		if len(left) > 0 {
			b["removed_member_ids"] = left
		}
		return b
	}})
}
