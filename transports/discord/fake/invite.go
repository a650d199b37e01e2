package fake

import (
	"net/http"
	"time"
)

// json is an invitation. (openapi: GuildInviteResponse)
func (i *invite) json(full bool) obj {
	g := i.channel.guild
	b := obj{
		"type": 0, "code": i.code, "guild_id": g.id, "expires_at": nil,
		"channel": obj{"id": i.channel.id, "type": int(i.channel.kind), "name": i.channel.name},
		"guild": obj{
			"id": g.id, "name": g.name, "splash": nil, "banner": nil, "description": nil, "icon": orNull(g.icon),
			"features": []string{}, "verification_level": 0, "vanity_url_code": nil, "nsfw_level": 0,
			"nsfw": false, "premium_subscription_count": 0,
		},
	}
	if i.inviter != nil {
		b["inviter"] = i.inviter.json()
	}
	if until := i.until(); !until.IsZero() {
		b["expires_at"] = stamp(until)
	}
	if full {
		b["uses"], b["max_uses"], b["max_age"] = 0, i.maxUses, i.maxAge
		b["temporary"], b["created_at"] = false, stamp(i.created)
	}
	return b
}

// until is when the invitation ends; the zero time for never.
func (i *invite) until() time.Time {
	if i.maxAge == 0 {
		return time.Time{}
	}
	return i.created.Add(time.Duration(i.maxAge) * time.Second)
}

func createInvite(c *call) (int, any, error) {
	ch, err := c.channel(CreateInvite)
	if err != nil {
		return 0, nil, err
	}
	if ch.guild == nil {
		return 0, nil, errNotOnDM()
	}
	i := &invite{code: secret(8), channel: ch, inviter: c.app.user, created: c.s.now()}
	if i.maxAge, err = number(c.body, "max_age", 86_400); err != nil {
		return 0, nil, err
	}
	if i.maxUses, err = number(c.body, "max_uses", 0); err != nil {
		return 0, nil, err
	}
	c.s.invites[i.code] = i
	c.s.emit(event{"INVITE_CREATE", ch.guild, ch, IntentInvites, nil, same(ch.located(obj{
		"code": i.code, "created_at": stamp(i.created), "expires_at": stampOrNull(i.until()), "inviter": i.inviter.json(),
		"max_age": i.maxAge, "max_uses": i.maxUses, "temporary": false, "uses": 0,
	}))})
	return http.StatusOK, i.json(true), nil
}

func getChannelInvites(c *call) (int, any, error) {
	ch, err := c.channel(ManageChannels)
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, i := range c.s.invites {
		if i.channel == ch {
			list = append(list, i.json(true))
		}
	}
	return http.StatusOK, list, nil
}

func getInvite(c *call) (int, any, error) {
	i := c.s.invites[c.params["code"]]
	if i == nil || !i.until().IsZero() && c.s.now().After(i.until()) {
		return 0, nil, errUnknownInvite()
	}
	b := i.json(false)
	if c.query.Get("with_counts") == "true" {
		b["approximate_member_count"] = len(i.channel.guild.members)
		b["approximate_presence_count"] = i.channel.guild.online()
	}
	return http.StatusOK, b, nil
}
