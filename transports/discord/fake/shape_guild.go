package fake

// base is what a guild's REST and gateway forms have in common.
func (g *guild) base() obj {
	return obj{
		"id": g.id, "name": g.name, "icon": orNull(g.icon), "description": orNull(g.description), "splash": nil,
		"discovery_splash": nil, "features": []string{}, "banner": nil, "owner_id": g.owner,
		"application_id": nil, "region": "deprecated", "afk_channel_id": nil, "afk_timeout": 300,
		"system_channel_id": nil, "system_channel_flags": 0, "widget_enabled": false,
		"widget_channel_id": nil, "verification_level": 0, "roles": shapes(g.roles, (*role).json),
		"default_message_notifications": 0, "mfa_level": 0, "explicit_content_filter": 0,
		"max_presences": nil, "max_members": 500000, "max_stage_video_channel_users": 50,
		"max_video_channel_users": 25, "vanity_url_code": nil, "premium_tier": 0,
		"premium_subscription_count": 0, "preferred_locale": "en-US", "rules_channel_id": nil,
		"safety_alerts_channel_id": nil, "public_updates_channel_id": nil,
		"premium_progress_bar_enabled": false, "nsfw_level": 0,
		"emojis": shapes(g.emojis, (*emoji).json), "stickers": []obj{}, "incidents_data": nil,
	}
}

// rest is a guild as GET /guilds/{guild_id} shows it. (openapi: GuildWithCountsResponse)
func (g *guild) rest(counts bool) obj {
	b := g.base()
	b["home_header"] = nil
	b["nsfw"] = false
	if counts {
		b["approximate_member_count"] = len(g.members)
		b["approximate_presence_count"] = g.online()
	}
	return b
}

// mine is an entry of GET /users/@me/guilds. (openapi: MyGuildResponse)
func (g *guild) mine(u *user, counts bool) obj {
	b := obj{
		"id": g.id, "name": g.name, "icon": orNull(g.icon), "banner": nil, "owner": g.owner == u.id,
		"permissions": g.permissions(u).json(), "features": []string{},
	}
	if counts {
		b["approximate_member_count"] = len(g.members)
		b["approximate_presence_count"] = g.online()
	}
	return b
}

func (g *guild) online() int {
	n := 0
	for _, m := range g.members {
		if m.user.visible() {
			n++
		}
	}
	return n
}

// visible reports whether others see that a user is online.
func (u *user) visible() bool {
	return u.status != "" && u.status != "offline" && u.status != "invisible"
}

// gateway is a guild as GUILD_UPDATE has it.
func (g *guild) gateway() obj {
	b := g.base()
	b["hub_type"] = nil
	return b
}

// full is a guild as GUILD_CREATE shows it to a session: all channels, those that its bot
// may not see without their names; of the members only the bot without the presence
// intent, of a large guild only those who are online or have a role or a nickname.
// (events/gateway-events.mdx, Guild Create and Request Guild Members)
func (s *Server) full(g *guild, v *session) obj {
	me := g.members[v.app.user.id]
	b := g.gateway()
	b["joined_at"] = stamp(me.joined)
	b["large"] = len(g.members) > v.threshold
	b["unavailable"] = false
	b["member_count"] = len(g.members)
	for _, empty := range []string{"voice_states", "stage_instances", "guild_scheduled_events", "soundboard_sounds"} {
		b[empty] = []obj{}
	}
	members, presences := []obj{}, []obj{}
	for _, m := range sorted(g.members) {
		self := m == me
		known := v.intents&IntentPresences != 0
		if known && m.user.visible() {
			presences = append(presences, m.user.presence(g))
		}
		if self || known && (len(g.members) <= v.threshold || m.user.visible() || len(m.roles) > 0 || m.nick != "") {
			members = append(members, m.json())
		}
	}
	b["members"], b["presences"] = members, presences
	channels, threads := []obj{}, []obj{}
	for _, c := range s.channelsOf(g, false) {
		channels = append(channels, withoutGuild(s.shown(c, v.app.user)))
	}
	for _, c := range s.channelsOf(g, true) {
		if c.permissions(v.app.user).has(ViewChannel) {
			threads = append(threads, withoutGuild(c.json(v.app.user)))
		}
	}
	b["channels"], b["threads"] = channels, threads
	return b
}

// withoutGuild takes the guild's id away, which channels inside of a guild do not have.
// (resources/channel.mdx, Channel Structure: guild_id)
func withoutGuild(channel obj) obj {
	delete(channel, "guild_id")
	return channel
}
