package fake

import "slices"

// view is who looks at a message.
type view struct {
	user *user
	app  *app
	// content is false for an application without the message-content intent.
	content bool
}

// sees reports whether the viewer gets the content of the message. (events/gateway.mdx,
// Message Content Intent: not in direct messages, its own and where it is mentioned)
func (v view) sees(m *message) bool {
	return v.content || m.channel.guild == nil || m.by(v.user) ||
		m.app != nil && m.app == v.app || slices.Contains(m.mentions, v.user)
}

// messageJSON is a message as one viewer gets it. (openapi: MessageResponse)
func (s *Server) messageJSON(m *message, v view) obj {
	b := s.basicMessage(m, v)
	if len(m.reactions) > 0 {
		list := []obj{}
		for _, r := range m.reactions {
			list = append(list, r.json(v.user))
		}
		b["reactions"] = list
	}
	if m.ref != nil && m.ref.kind == 0 && !m.system() {
		// Null says that it was deleted. (resources/message.mdx, Message Structure)
		b["referenced_message"] = nil
		if c := s.channels[m.ref.channel]; c != nil && c.index[m.ref.message] != nil {
			b["referenced_message"] = s.basicMessage(c.index[m.ref.message], v)
		}
	}
	return b
}

// basicMessage is a message without its reactions and without the one that it answers.
func (s *Server) basicMessage(m *message, v view) obj {
	b := s.minimalMessage(m, v.sees(m))
	b["id"] = m.id
	b["channel_id"] = m.channel.id
	b["pinned"] = false
	b["mention_everyone"] = m.everyone
	b["tts"] = m.tts
	b["author"] = s.authorJSON(m)
	if m.hookID != "" {
		b["webhook_id"] = m.hookID
	}
	if m.app != nil && m.hookID != "" {
		b["application_id"] = m.app.id
	}
	if m.ref != nil {
		b["message_reference"] = m.ref.json()
	}
	if m.thread != nil {
		b["thread"] = m.thread.json(v.user)
	}
	if m.channel.thread != nil {
		b["position"] = m.position
	}
	return b
}

// minimalMessage is what every message has. (openapi: MinimalContentMessageResponse)
func (s *Server) minimalMessage(m *message, content bool) obj {
	b := obj{
		"type": m.kind, "content": "", "attachments": []obj{}, "embeds": []obj{}, "components": []obj{},
		"mentions": shapes(m.mentions, (*user).json), "mention_roles": orEmpty(m.roles),
		"timestamp": stamp(m.created), "edited_timestamp": stampOrNull(m.edited), "flags": m.flags,
	}
	if content {
		b["content"] = m.content
		b["embeds"] = orEmpty(m.embeds)
		b["attachments"] = shapes(m.attachments, s.attachmentJSON)
	}
	return b
}

func (s *Server) authorJSON(m *message) obj {
	if m.author != nil {
		return m.author.json()
	}
	return m.persona.json(m.hookID)
}

func (r *reference) json() obj {
	b := obj{"type": r.kind, "channel_id": r.channel}
	if r.message != "" {
		b["message_id"] = r.message
	}
	if r.guild != "" {
		b["guild_id"] = r.guild
	}
	return b
}

func (r *reaction) json(viewer *user) obj {
	return obj{
		"emoji": r.emoji.partial(), "count": len(r.users), "burst_colors": []string{}, "me_burst": false,
		"count_details": obj{"burst": 0, "normal": len(r.users)},
		"me":            viewer != nil && slices.Contains(r.users, viewer.id),
	}
}
