package fake

import "slices"

// Limits of reactions: how many emoji one person may put, and how many a message may have.
const (
	maxOwnReactions = 23
	maxEmoji        = 50
)

// item is the message that a call names in channel and timestamp.
func (c *call) item() (*message, error) {
	if c.str("channel") == "" || c.str("timestamp") == "" {
		return nil, refuse("no_item_specified")
	}
	ch, err := c.visible(c.str("channel"))
	if err != nil {
		return nil, err
	}
	if _, ok := parseStamp(c.str("timestamp")); !ok {
		return nil, refuse("bad_timestamp")
	}
	if c.tok.kind == botToken && !ch.has(c.user) {
		return nil, refuse("channel_not_found")
	}
	m := ch.find(c.str("timestamp"))
	if m == nil || m.deleted {
		return nil, refuse("message_not_found")
	}
	return m, nil
}

// reactionsAdd is reactions.add.
func (c *call) reactionsAdd() (map[string]any, error) {
	m, err := c.item()
	if err != nil {
		return nil, err
	}
	name, ok := c.team.emojiName(c.str("name"))
	if !ok {
		return nil, refuse("invalid_name")
	}
	if m.channel.archived {
		return nil, refuse("is_archived")
	}
	if m.reacted(c.user, name) {
		return nil, refuse("already_reacted")
	}
	own := 0
	for _, r := range m.reactions {
		if slices.Contains(r.users, c.user.ID) {
			own++
		}
	}
	if own >= maxOwnReactions {
		return nil, refuse("too_many_reactions")
	}
	if len(m.reactions) >= maxEmoji && m.reaction(name) == nil {
		return nil, refuse("too_many_emoji")
	}
	m.react(c.user, name)
	return nil, nil
}

// reactionsRemove is reactions.remove.
func (c *call) reactionsRemove() (map[string]any, error) {
	m, err := c.item()
	if err != nil {
		return nil, err
	}
	name, ok := c.team.emojiName(c.str("name"))
	if !ok {
		return nil, refuse("invalid_name")
	}
	if !m.reacted(c.user, name) {
		return nil, refuse("no_reaction")
	}
	m.unreact(c.user, name)
	return nil, nil
}

func (m *message) reaction(name string) *reaction {
	for i := range m.reactions {
		if m.reactions[i].name == name {
			return &m.reactions[i]
		}
	}
	return nil
}

func (m *message) reacted(u *User, name string) bool {
	r := m.reaction(name)
	return r != nil && slices.Contains(r.users, u.ID)
}

func (m *message) react(u *User, name string) {
	if m.reacted(u, name) {
		return
	}
	r := m.reaction(name)
	if r == nil {
		m.reactions = append(m.reactions, reaction{name: name})
		r = &m.reactions[len(m.reactions)-1]
	}
	r.users = append(r.users, u.ID)
	m.reactionEvent("reaction_added", u, name)
}

func (m *message) unreact(u *User, name string) {
	r := m.reaction(name)
	if r == nil || !slices.Contains(r.users, u.ID) {
		return
	}
	r.users = slices.DeleteFunc(r.users, func(id string) bool { return id == u.ID })
	m.reactions = slices.DeleteFunc(m.reactions, func(r reaction) bool { return len(r.users) == 0 })
	m.reactionEvent("reaction_removed", u, name)
}

func (m *message) reactionEvent(typ string, u *User, name string) {
	event := map[string]any{"type": typ, "user": u.ID, "reaction": name, "event_ts": m.channel.nextStamp().String(),
		"item": map[string]any{"type": "message", "channel": m.channel.ID, "ts": m.ts.String()}}
	if m.user != "" {
		event["item_user"] = m.user
	} else if m.install != nil {
		event["item_user"] = m.install.Bot.ID
	}
	m.channel.server.emit(emission{team: m.channel.team, channel: m.channel, event: event})
}
