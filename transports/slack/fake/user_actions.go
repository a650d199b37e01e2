package fake

import "strconv"

// Join adds the user to a channel.
func (u *User) Join(c *Channel) { u.server.do(func() { c.join(u, nil) }) }

// Invite adds another user or a bot to a channel that the user is in.
func (u *User) Invite(c *Channel, other *User) {
	u.server.do(func() {
		if !c.has(u) {
			u.reportForbidden("invite", c)
			return
		}
		c.join(other, u)
	})
}

// SetPresence sets whether the user is online. There is no event for it.
func (u *User) SetPresence(active bool) {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	u.active = active
}

// Deactivate deactivates the user's account: calls with its tokens are answered account_inactive.
func (u *User) Deactivate() {
	u.server.do(func() {
		u.deleted = true
		for _, c := range u.team.channels {
			if c.kind != im && c.has(u) {
				c.leave(u, u)
			}
		}
		u.changed("user_change")
	})
}

// StartHuddle starts a huddle in a conversation: Slackbot posts a message with its description, and the event
// user_huddle_changed is sent.
func (u *User) StartHuddle(c *Channel) (out Message) {
	u.server.do(func() {
		if !u.mayWrite(c) || c.huddle != nil {
			return
		}
		now := u.server.opt.Now().Unix()
		id := u.server.ids.next("R")
		m := c.add(&message{user: slackbot, subtype: "huddle_thread"})
		m.extra = map[string]any{"no_notifications": true, "permalink": u.team.url() + "/call/" + id, "channel": c.ID,
			"room": map[string]any{
				"id": id, "name": "", "media_server": "", "created_by": u.ID, "date_start": now, "date_end": 0,
				"participants": []any{}, "participant_history": []any{u.ID}, "channels": []any{c.ID},
				"canvas_thread_ts": m.ts.String(), "thread_root_ts": m.ts.String(), "is_dm_call": c.kind == im,
				"was_rejected": false, "was_missed": false, "was_accepted": false, "has_ended": false, "call_family": "huddle",
				"huddle_link": "https://app.slack.com/huddle/" + u.team.ID + "/" + c.ID, "app_id": "A00",
			}}
		c.huddle = m
		m.announce()
		u.inHuddle = true
		u.changed("user_huddle_changed")
		out = m.public()
	})
	return out
}

// EndHuddle ends the huddle: the message that announced its start is edited.
func (u *User) EndHuddle(c *Channel) {
	u.server.do(func() {
		m := c.huddle
		if m == nil {
			u.reportForbidden("end a huddle", c)
			return
		}
		was := m.json()
		now := u.server.opt.Now().Unix()
		room := map[string]any{}
		for k, v := range m.extra["room"].(map[string]any) {
			room[k] = v
		}
		room["has_ended"], room["date_end"] = true, now
		extra := map[string]any{}
		for k, v := range m.extra {
			extra[k] = v
		}
		extra["room"] = room
		m.extra, c.huddle = extra, nil
		m.edited = map[string]any{"user": slackbot, "ts": strconv.FormatInt(now, 10) + ".000000"}
		m.changed(was)
		u.inHuddle = false
		u.changed("user_huddle_changed")
	})
}
