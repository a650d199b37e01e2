package fake

import "fmt"

// reportForbidden records an action of a test that the user has no right to.
func (u *User) reportForbidden(what string, c *Channel) {
	where := ""
	if c != nil {
		where = " in " + c.ID
	}
	u.server.complain(fmt.Errorf("%s cannot %s%s", u.person.Name, what, where))
}

// mayWrite reports whether the user is in the channel and it is not archived.
func (u *User) mayWrite(c *Channel) bool {
	if c == nil || !c.has(u) || c.archived || u.deleted {
		u.reportForbidden("write", c)
		return false
	}
	return true
}

// post writes a message, with the rest of it set by f, which may be nil.
func (u *User) post(c *Channel, text string, f func(*message)) (out Message) {
	u.server.do(func() {
		if !u.mayWrite(c) {
			return
		}
		m := &message{user: u.ID, text: u.team.written(text), clientMsgID: uuid()}
		m.blocks = richText(m.text)
		if f != nil {
			f(m)
		}
		c.add(m).announce()
		out = m.public()
	})
	return out
}

// Say writes a message, as a user types it: @name, #channel, *bold*, :emoji:, addresses. What
// the user may not do returns the zero Message and records a complaint.
func (u *User) Say(c *Channel, text string) Message { return u.post(c, text, nil) }

// Me writes a message with /me.
func (u *User) Me(c *Channel, text string) Message {
	return u.post(c, text, func(m *message) { m.subtype, m.clientMsgID, m.blocks = "me_message", "", nil })
}

// Reply writes into the thread of a message.
func (u *User) Reply(to Message, text string) Message { return u.reply(to, text, false) }

// Broadcast writes into the thread of a message, and to the channel too.
func (u *User) Broadcast(to Message, text string) Message { return u.reply(to, text, true) }

func (u *User) reply(to Message, text string, broadcast bool) Message {
	return u.post(to.Channel, text, func(m *message) {
		if root := to.Channel.find(to.TS); root != nil {
			m.into(root, broadcast)
		}
	})
}

// Share writes a message with files. To a message in to, if not zero, it is a reply.
func (u *User) Share(c *Channel, text string, to Message, files ...FileSpec) (out Message) {
	u.server.do(func() {
		if !u.mayWrite(c) {
			return
		}
		m := &message{user: u.ID, subtype: "file_share", text: u.team.written(text), clientMsgID: uuid()}
		m.blocks = richText(m.text)
		for _, spec := range files {
			f := u.server.newFile(u, spec.Name)
			f.fill(spec.Data)
			f.alt, f.done = spec.Alt, true
			if spec.Title != "" {
				f.title = spec.Title
			}
			m.files = append(m.files, f)
		}
		if to.Channel == c {
			if root := c.find(to.TS); root != nil {
				m.into(root, false)
			}
		}
		c.share(m)
		out = m.public()
	})
	return out
}

// on runs f on a message that still is there, with mu held.
func (u *User) on(m Message, what string, f func(*message)) (out Message) {
	u.server.do(func() {
		if m.Channel == nil || !m.Channel.has(u) {
			u.reportForbidden(what, m.Channel)
			return
		}
		in := m.Channel.find(m.TS)
		if in == nil || in.deleted {
			u.reportForbidden(what, m.Channel)
			return
		}
		f(in)
		out = in.public()
	})
	return out
}

// Edit changes the text of one's own message.
func (u *User) Edit(m Message, text string) Message {
	return u.on(m, "edit", func(in *message) {
		if in.user != u.ID {
			u.reportForbidden("edit", m.Channel)
			return
		}
		wire := u.team.written(text)
		in.edit(wire, richText(wire), u.ID)
	})
}

// Delete deletes a message: one's own, or as an admin any. One with replies stays as a
// tombstone.
func (u *User) Delete(m Message) {
	u.on(m, "delete", func(in *message) {
		if in.user != u.ID && !u.person.Admin {
			u.reportForbidden("delete", m.Channel)
			return
		}
		in.remove()
	})
}

// React puts an emoji to a message, by name: "+1", "wave::skin-tone-3".
func (u *User) React(m Message, name string) {
	u.on(m, "react", func(in *message) { in.react(u, name) })
}

// Unfurl is Slack fetching a preview of an address in m, shortly after it was written: a
// message_changed that is no edit.
func (s *Server) Unfurl(m Message, url, title string) {
	s.do(func() {
		in := m.Channel.find(m.TS)
		if in == nil || in.deleted {
			return
		}
		was := in.json()
		in.attachments = append(in.attachments[:len(in.attachments):len(in.attachments)], map[string]any{
			"id": len(in.attachments) + 1, "from_url": url, "original_url": url, "title": title, "title_link": url,
			"fallback": title, "service_name": "example.org"})
		in.changed(was)
	})
}

// DM is the conversation with other people, or with a bot (Install.Bot); it is opened when
// there is none.
func (u *User) DM(others ...*User) (c *Channel) {
	u.server.do(func() { c = u.team.open(append([]*User{u}, others...), u) })
	return c
}
