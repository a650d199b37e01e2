package fake

// obj is a JSON object. All that leaves the fake server is built of these.
type obj = map[string]any

func ids[S ~[]E, E any](list S, id func(E) ID) []ID {
	out := make([]ID, len(list))
	for i, e := range list {
		out[i] = id(e)
	}
	return out
}

// shapes maps a list to JSON; the result is never null.
func shapes[S ~[]E, E any](list S, shape func(E) obj) []obj {
	out := make([]obj, 0, len(list))
	for _, e := range list {
		out = append(out, shape(e))
	}
	return out
}

// orEmpty makes an empty array of a nil one.
func orEmpty[E any](list []E) []E {
	if list == nil {
		return []E{}
	}
	return list
}

// json is a user. (openapi: UserResponse)
func (u *user) json() obj {
	b := obj{
		"id": u.id, "username": u.name, "discriminator": "0", "global_name": orNull(u.global),
		"avatar": orNull(u.avatar), "public_flags": 0, "flags": 0, "banner": nil, "accent_color": nil,
		"avatar_decoration_data": nil, "collectibles": nil, "primary_guild": nil,
	}
	if u.app != nil {
		b["bot"] = true
		b["discriminator"] = "4711"
	}
	return b
}

// own is a user as it sees itself. (openapi: UserPIIResponse)
func (u *user) own() obj {
	b := u.json()
	b["mfa_enabled"] = false
	b["locale"] = "en-US"
	b["premium_type"] = 0
	b["email"] = nil
	b["verified"] = true
	return b
}

// json is the author of a webhook's message.
func (p persona) json(id ID) obj {
	return obj{
		"id": id, "username": p.name, "discriminator": "0000", "global_name": nil, "bot": true,
		"avatar": orNull(p.avatar), "public_flags": 0, "flags": 0, "primary_guild": nil,
	}
}

// partial is a member without the user, as it comes with messages.
func (m *member) partial() obj {
	return obj{
		"nick": orNull(m.nick), "avatar": orNull(m.avatar), "banner": nil, "roles": orEmpty(m.roles), "joined_at": stamp(m.joined),
		"premium_since": nil, "deaf": false, "mute": false, "flags": 0, "pending": false,
		"communication_disabled_until": nil,
	}
}

// json is a member. (openapi: GuildMemberResponse)
func (m *member) json() obj {
	b := m.partial()
	b["user"] = m.user.json()
	return b
}

func (r *role) json() obj {
	b := obj{
		"id": r.id, "name": r.name, "permissions": r.permissions.json(), "position": r.position,
		"color": 0, "colors": obj{"primary_color": 0, "secondary_color": nil, "tertiary_color": nil},
		"hoist": false, "managed": r.bot != "", "mentionable": r.bot == "", "icon": nil,
		"unicode_emoji": nil, "flags": 0,
	}
	if r.bot != "" {
		b["tags"] = obj{"bot_id": r.bot}
	}
	return b
}

func (e *emoji) json() obj {
	return obj{
		"id": e.id, "name": e.name, "animated": e.animated, "roles": []ID{}, "require_colons": true,
		"managed": false, "available": true,
	}
}

// partial is an emoji as it stands in a reaction.
func (e emoji) partial() obj {
	b := obj{"id": orNull(string(e.id)), "name": e.name}
	if e.animated {
		b["animated"] = true
	}
	return b
}

func (o overwrite) json() obj {
	kind := 0
	if o.member {
		kind = 1
	}
	return obj{"id": o.id, "type": kind, "allow": o.allow.json(), "deny": o.deny.json()}
}

// presence is the PRESENCE_UPDATE of a user.
func (u *user) presence(g *guild) obj {
	status := u.status
	if status == "" {
		status = "offline"
	}
	b := obj{
		"user": obj{"id": u.id}, "guild_id": g.id, "status": status, "activities": []obj{},
		"client_status": obj{},
	}
	if status != "offline" {
		b["client_status"] = obj{"desktop": status}
	}
	if u.text != "" {
		// Activity type 4 is the custom status. (events/gateway-events.mdx, Activity Types)
		b["activities"] = []obj{{"id": "custom", "name": "Custom Status", "type": 4, "state": u.text, "created_at": epoch}}
	}
	return b
}
