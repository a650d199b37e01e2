package fake

import "time"

// json is a channel as one user sees it. (openapi: GuildChannelResponse, ThreadResponse,
// PrivateChannelResponse)
func (c *channel) json(viewer *user) obj {
	switch {
	case c.thread != nil:
		return c.threadJSON(viewer)
	case c.guild == nil:
		return c.directJSON(viewer)
	}
	b := obj{
		"id": c.id, "type": int(c.kind), "guild_id": c.guild.id, "name": c.name, "position": c.position,
		"flags": 0, "parent_id": nil, "nsfw": c.nsfw,
		"permission_overwrites": shapes(c.overwrites, overwrite.json),
	}
	if c.parent != nil {
		b["parent_id"] = c.parent.id
	}
	switch c.kind {
	case kindText, kindAnnouncement, kindForum:
		b["topic"] = orNull(c.topic)
		b["rate_limit_per_user"] = 0
		b["last_message_id"] = orNull(string(c.last))
	case kindVoice:
		b["bitrate"] = 64000
		b["user_limit"] = 0
		b["rtc_region"] = nil
		b["rate_limit_per_user"] = 0
		b["last_message_id"] = orNull(string(c.last))
	}
	if c.kind == kindForum {
		b["available_tags"] = shapes(c.tags, (*tag).json)
		b["default_reaction_emoji"] = nil
		b["default_sort_order"] = nil
		b["default_forum_layout"] = 0
	}
	return b
}

func (t *tag) json() obj {
	return obj{"id": t.id, "name": t.name, "moderated": false, "emoji_id": nil, "emoji_name": nil}
}

func (c *channel) directJSON(viewer *user) obj {
	b := obj{"id": c.id, "type": int(c.kind), "flags": 0, "last_message_id": orNull(string(c.last))}
	others := []obj{}
	for _, u := range c.recipients {
		if u != viewer {
			others = append(others, u.json())
		}
	}
	b["recipients"] = others
	return b
}

func (c *channel) threadJSON(viewer *user) obj {
	t := c.thread
	b := obj{
		"id": c.id, "type": int(c.kind), "guild_id": c.guild.id, "parent_id": c.parent.id, "name": c.name,
		"owner_id": t.owner, "flags": 0, "last_message_id": orNull(string(c.last)),
		"rate_limit_per_user": 0, "message_count": t.count, "member_count": min(len(t.members), 50),
		"total_message_sent": t.total, "thread_metadata": t.metadata(),
	}
	if c.parent.kind == kindForum {
		b["applied_tags"] = orEmpty(t.tags)
	}
	if viewer != nil && t.has(viewer.id) {
		b["member"] = c.threadMember(viewer.id)
	}
	return b
}

func (t *thread) metadata() obj {
	b := obj{
		"archived": t.archived, "locked": t.locked, "auto_archive_duration": t.autoArchive,
		"archive_timestamp": stamp(t.changed), "create_timestamp": stamp(t.created),
	}
	if t.private {
		b["invitable"] = true
	}
	return b
}

func (c *channel) threadMember(u ID) obj {
	joined, ok := c.thread.members[u]
	if !ok {
		joined = time.Unix(0, 0)
	}
	return obj{"id": c.id, "user_id": u, "join_timestamp": stamp(joined), "flags": 0}
}
