package fake

import (
	"slices"
	"unicode/utf8"
)

// joined tells that u is in the channel; inviter may be nil.
func (c *Channel) joined(u, inviter *User) {
	letter := "C"
	if c.kind != public {
		letter = "G"
	}
	event := map[string]any{"type": "member_joined_channel", "user": u.ID, "channel": c.ID, "channel_type": letter, "team": c.team.ID}
	extra := map[string]any{}
	if inviter != nil {
		event["inviter"], extra["inviter"] = inviter.ID, inviter.ID
	}
	c.server.emit(emission{team: c.team, channel: c, event: event})
	if c.kind == public || c.kind == private {
		c.system("channel_join", u, "<@"+u.ID+"> has joined the channel", extra)
	}
}

func (c *Channel) join(u, inviter *User) {
	if c.has(u) {
		return
	}
	c.members = append(c.members, u)
	c.joined(u, inviter)
}

// leave removes u; by is u or the user who removed them.
func (c *Channel) leave(u, by *User) {
	if !c.has(u) {
		return
	}
	letter := "C"
	if c.kind != public {
		letter = "G"
	}
	c.members = slices.DeleteFunc(c.members, func(o *User) bool { return o == u })
	c.server.emit(emission{team: c.team, channel: c, event: map[string]any{
		"type": "member_left_channel", "user": u.ID, "channel": c.ID, "channel_type": letter, "team": c.team.ID}})
	c.server.emit(emission{team: c.team, channel: c, only: u, event: map[string]any{
		"type": c.prefix() + "left", "channel": c.ID, "actor_id": by.ID}})
	if by == u {
		c.system("channel_leave", u, "<@"+u.ID+"> has left the channel", nil)
	}
}

// convJoin is conversations.join.
func (c *call) convJoin() (map[string]any, error) {
	ch, err := c.visible(c.str("channel"))
	switch {
	case err != nil:
		return nil, err
	case ch.kind != public:
		return nil, refuse("method_not_supported_for_channel_type")
	case ch.archived:
		return nil, refuse("is_archived")
	}
	out := map[string]any{}
	if ch.has(c.user) {
		out["warning"] = "already_in_channel"
		out["response_metadata"] = map[string]any{"warnings": []any{"already_in_channel"}}
	}
	ch.join(c.user, nil)
	out["channel"] = ch.json(c.user)
	return out, nil
}

// maxTopic is the longest topic of a channel in characters.
const maxTopic = 250

// convSetTopic is conversations.setTopic.
func (c *call) convSetTopic() (map[string]any, error) {
	ch, err := c.visibleFor("write.topic")
	text := c.str("topic")
	switch {
	case err != nil:
		return nil, err
	case ch.kind == im:
		return nil, refuse("method_not_supported_for_channel_type")
	case ch.archived:
		return nil, refuse("is_archived")
	case !ch.has(c.user):
		return nil, refuse("not_in_channel")
	case utf8.RuneCountInString(text) > maxTopic:
		return nil, refuse("too_long")
	}
	ch.topic = topic{text, c.user.ID, c.server.opt.Now().Unix()}
	ch.system("channel_topic", c.user, "<@"+c.user.ID+"> set the channel topic: "+text, map[string]any{"topic": text})
	return map[string]any{"channel": ch.json(c.user)}, nil
}

// convLeave is conversations.leave.
func (c *call) convLeave() (map[string]any, error) {
	ch, err := c.visibleFor("write")
	switch {
	case err != nil:
		return nil, err
	case ch.kind == im || ch.kind == mpim:
		return nil, refuse("method_not_supported_for_channel_type")
	case ch.general:
		return nil, refuse("cant_leave_general")
	case !ch.has(c.user):
		return map[string]any{"not_in_channel": true}, nil
	case len(ch.members) == 1 && ch.kind == private:
		return nil, refuse("last_member")
	}
	ch.leave(c.user, c.user)
	return nil, nil
}
