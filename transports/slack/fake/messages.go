package fake

import (
	"slices"
	"strconv"
	"strings"
)

const slackbot = "USLACKBOT"

// add stores a new message, with a ts of its own. mu must be held, as everywhere here.
func (c *Channel) add(m *message) *message {
	m.channel, m.ts = c, c.nextStamp()
	c.messages = append(c.messages, m)
	return m
}

// json is the message as history shows it.
func (m *message) json() map[string]any {
	out := map[string]any{"type": "message", "ts": m.ts.String(), "text": m.text}
	set := func(k string, v any, when bool) {
		if when {
			out[k] = v
		}
	}
	set("subtype", m.subtype, m.subtype != "")
	set("user", m.user, m.user != "")
	set("team", m.channel.team.ID, m.user != "" && m.subtype != "tombstone")
	set("client_msg_id", m.clientMsgID, m.clientMsgID != "")
	set("blocks", m.blocks, len(m.blocks) > 0)
	set("attachments", m.attachments, len(m.attachments) > 0)
	set("metadata", m.metadata, m.metadata != nil)
	set("username", m.username, m.username != "")
	set("icons", m.icons, m.icons != nil)
	set("edited", m.edited, m.edited != nil)
	if m.install != nil && m.subtype != "file_share" {
		// A file share of an app has the bot's user and no bot_id, unlike its other posts.
		out["bot_id"], out["app_id"] = m.install.BotID, m.install.App.ID
		set("bot_profile", m.install.profile(), m.username == "")
	}
	m.threadKeys(out)
	if len(m.reactions) > 0 {
		out["reactions"] = m.reactionsJSON()
	}
	if len(m.files) > 0 {
		files := []any{}
		for _, f := range m.files {
			files = append(files, f.json())
		}
		out["files"], out["upload"], out["display_as_bot"] = files, false, false
	}
	for k, v := range m.extra {
		out[k] = v
	}
	return out
}

// threadKeys are the keys of a reply, or of a message that has replies.
func (m *message) threadKeys(out map[string]any) {
	if m.thread == (stamp{}) {
		return
	}
	out["thread_ts"] = m.thread.String()
	root := m.channel.find(m.thread.String())
	if m.isReply() {
		if root != nil && root.user != "" {
			out["parent_user_id"] = root.user
		}
		if m.broadcast && root != nil {
			out["root"] = root.rootJSON()
		}
		return
	}
	replies := m.channel.replies(m.ts)
	if len(replies) == 0 {
		return
	}
	var users []any
	for _, r := range replies {
		id := r.user
		if id == "" && r.install != nil {
			id = r.install.BotID
		}
		if len(users) < 5 && !slices.Contains(users, any(id)) {
			users = append(users, id)
		}
	}
	out["reply_count"], out["reply_users"], out["reply_users_count"] = len(replies), users, len(users)
	out["latest_reply"] = replies[len(replies)-1].ts.String()
	out["is_locked"], out["subscribed"] = false, false
}

// rootJSON is the parent inside a thread_broadcast.
func (m *message) rootJSON() map[string]any {
	full := m.json()
	out := map[string]any{}
	for _, k := range []string{"type", "ts", "text", "subtype", "thread_ts", "bot_id", "username",
		"reply_count", "reply_users", "reply_users_count", "latest_reply", "subscribed"} {
		if v, ok := full[k]; ok {
			out[k] = v
		}
	}
	return out
}

func (m *message) reactionsJSON() []any {
	var out []any
	for _, r := range m.reactions {
		users := []any{}
		for _, u := range r.users {
			users = append(users, u)
		}
		out = append(out, map[string]any{"name": r.name, "users": users, "count": len(users)})
	}
	return out
}

// event puts a message event for the members of m's channel out.
func (m *message) event(body map[string]any) {
	body["channel"], body["channel_type"] = m.channel.ID, m.channel.kind.channelType()
	s := m.channel.server
	if s.stubFiles && len(m.files) > 0 && body["files"] != nil {
		stubs := []any{}
		for _, f := range m.files {
			stubs = append(stubs, f.stub())
		}
		body["files"] = stubs
	}
	s.emit(emission{team: m.channel.team, event: body, channel: m.channel})
}

// announce is the event of a new message, and what follows it: app_mention, the hooks.
func (m *message) announce() {
	body := m.json()
	body["event_ts"] = m.ts.String()
	delete(body, "metadata")
	m.event(body)
	s := m.channel.server
	defer s.notice(m)
	if m.user == slackbot || strings.HasPrefix(m.subtype, "channel_") {
		return
	}
	for _, a := range s.apps {
		in := a.in(m.channel.team)
		if in == nil || in.gone || !m.channel.has(in.Bot) || !strings.Contains(m.text, "<@"+in.Bot.ID+">") || m.install == in {
			continue
		}
		mention := map[string]any{"type": "app_mention", "user": m.user, "text": m.text, "ts": m.ts.String(),
			"channel": m.channel.ID, "event_ts": m.ts.String(), "team": m.channel.team.ID}
		if len(m.blocks) > 0 {
			mention["blocks"] = m.blocks
		}
		s.emit(emission{team: m.channel.team, event: mention, channel: m.channel, app: a, only: in.Bot})
	}
}

// changed is the event of an edit: was is the message as it was. hidden events have a ts of
// their own, which names no message.
func (m *message) changed(was map[string]any) {
	ts := m.channel.nextStamp().String()
	body := map[string]any{"type": "message", "subtype": "message_changed", "hidden": true, "ts": ts, "event_ts": ts,
		"message": m.json(), "previous_message": was}
	if m.channel.server.emptyPrevious {
		body["previous_message"] = []any{}
	}
	m.event(body)
}

// edit gives m a new text, as by its writer; by is the user id in edited.
func (m *message) edit(wire string, blocks []any, by string) {
	was := m.json()
	m.text, m.blocks = wire, blocks
	m.edited = map[string]any{"user": by, "ts": strconv.FormatInt(m.channel.server.opt.Now().Unix(), 10) + ".000000"}
	m.changed(was)
}

// remove deletes m. With replies under it, it stays as a tombstone, and the event is no
// message_deleted but a message_changed.
func (m *message) remove() {
	was := m.json()
	m.deleted = true
	if !m.isReply() && len(m.channel.replies(m.ts)) > 0 {
		m.subtype, m.user, m.text = "tombstone", slackbot, "This message was deleted."
		m.blocks, m.attachments, m.files, m.reactions, m.edited = nil, nil, nil, nil, nil
		m.install, m.username, m.icons, m.clientMsgID = nil, "", nil, ""
		m.extra = map[string]any{"hidden": true}
		m.changed(was)
		return
	}
	ts := m.channel.nextStamp().String()
	m.event(map[string]any{"type": "message", "subtype": "message_deleted", "hidden": true, "ts": ts, "event_ts": ts,
		"deleted_ts": m.ts.String(), "previous_message": was})
}

// system is a message that Slack writes itself: a join, a topic.
func (c *Channel) system(subtype string, by *User, text string, extra map[string]any) {
	c.add(&message{user: by.ID, subtype: subtype, text: text, extra: extra}).announce()
}
