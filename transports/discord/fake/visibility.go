package fake

// flagObfuscated marks a channel that a bot gets without its content.
const flagObfuscated = 1 << 17

// visible reports whether a user sees a channel. A category shows when one of its
// channels does. (topics/permissions.mdx, Channel Visibility)
func (s *Server) visible(c *channel, u *user) bool {
	if c.permissions(u).has(ViewChannel) {
		return true
	}
	if c.kind != kindCategory {
		return false
	}
	for _, child := range s.channels {
		if child.parent == c && child.permissions(u).has(ViewChannel) {
			return true
		}
	}
	return false
}

// shown is a channel of a guild as the gateway shows it to a bot: what it may not see has
// no name and nothing else that tells. (resources/channel.mdx, Obfuscated Channels, in
// force for bots since November 2026)
func (s *Server) shown(c *channel, u *user) obj {
	b := c.json(u)
	if c.thread != nil || s.visible(c, u) {
		return b
	}
	b["name"] = "___hidden___"
	b["flags"] = flagObfuscated
	b["permission_overwrites"] = []obj{overwrite{id: c.guild.id, deny: ViewChannel}.json()}
	b["parent_id"], b["nsfw"], b["position"] = nil, false, 0
	delete(b, "last_pin_timestamp")
	for key, reduced := range map[string]any{"topic": nil, "last_message_id": nil, "rate_limit_per_user": 0, "available_tags": []obj{}} {
		if _, ok := b[key]; ok {
			b[key] = reduced
		}
	}
	return b
}

// sight is which channels of a guild each bot sees.
func (s *Server) sight(g *guild) map[*app]map[*channel]bool {
	seen := map[*app]map[*channel]bool{}
	for _, a := range s.apps {
		if a.in(g) {
			seen[a] = map[*channel]bool{}
			for _, c := range s.channelsOf(g, false) {
				if s.visible(c, a.user) {
					seen[a][c] = true
				}
			}
		}
	}
	return seen
}

// permit changes permissions and sends each bot the channels that it sees now, or no longer:
// a CHANNEL_UPDATE of each, and THREAD_LIST_SYNC for those that it gained. told is a
// channel whose CHANNEL_UPDATE everybody gets anyway, or nil.
func (s *Server) permit(g *guild, announced *channel, change func()) {
	before := s.sight(g)
	change()
	after := s.sight(g)
	if announced != nil {
		s.emitChannel("CHANNEL_UPDATE", announced)
	}
	for _, a := range sorted(s.apps) {
		for _, c := range s.channelsOf(g, false) {
			gained := after[a][c] && !before[a][c]
			lost := before[a][c] && !after[a][c]
			if (gained || lost) && c != announced {
				s.emit(event{"CHANNEL_UPDATE", g, nil, IntentGuilds, a, func(v *session) obj { return s.shown(c, v.app.user) }})
			}
			if gained {
				s.emit(event{"THREAD_LIST_SYNC", g, nil, IntentGuilds, a, func(v *session) obj { return s.threadSync(c, v.app.user) }})
			}
		}
	}
	s.touch()
}

// threadSync is the live threads of a channel that a bot just came to see.
func (s *Server) threadSync(c *channel, u *user) obj {
	threads, members := []obj{}, []obj{}
	for _, t := range s.channelsOf(c.guild, true) {
		if t.parent != c || !t.permissions(u).has(ViewChannel) {
			continue
		}
		threads = append(threads, t.json(u))
		if t.thread.has(u.id) {
			members = append(members, t.threadMember(u.id))
		}
	}
	return obj{"guild_id": c.guild.id, "channel_ids": []ID{c.id}, "threads": threads, "members": members}
}
