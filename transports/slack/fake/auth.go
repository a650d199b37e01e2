package fake

import "time"

// authTest is auth.test.
func (c *call) authTest() (map[string]any, error) {
	if c.tok.kind == appToken {
		return map[string]any{"app_id": c.tok.app.ID, "app_name": c.tok.app.spec.Name}, nil
	}
	out := map[string]any{
		"url": c.team.url() + "/", "team": c.team.name, "user": c.user.person.Name,
		"team_id": c.team.ID, "user_id": c.user.ID, "is_enterprise_install": false,
	}
	if c.tok.kind == botToken {
		out["bot_id"] = c.tok.install.BotID
	}
	if !c.tok.expires.IsZero() {
		out["expires_in"] = int(c.tok.expires.Sub(c.server.opt.Now()).Round(time.Second).Seconds())
	}
	return out, nil
}

// authRevoke is auth.revoke.
func (c *call) authRevoke() (map[string]any, error) {
	if c.flag("test", false) {
		return map[string]any{"revoked": false}, nil
	}
	return map[string]any{"revoked": c.server.revoke(c.tok, true)}, nil
}

// teamInfo is team.info.
func (c *call) teamInfo() (map[string]any, error) {
	if id := c.str("team"); id != "" && id != c.team.ID {
		return nil, refuse("no_permission")
	}
	icon := map[string]any{"image_default": true}
	for _, n := range []string{"34", "44", "68", "88", "102", "132", "230"} {
		icon["image_"+n] = c.server.base + "/avatars/" + c.team.ID + "/team_" + n + ".png"
	}
	return map[string]any{"team": map[string]any{
		"id": c.team.ID, "name": c.team.name, "domain": c.team.Domain, "url": c.team.url() + "/",
		"email_domain": "", "icon": icon, "avatar_base_url": c.server.base + "/avatars/", "is_verified": false,
	}}, nil
}

// botsInfo is bots.info.
func (c *call) botsInfo() (map[string]any, error) {
	id := c.str("bot")
	for _, a := range c.server.apps {
		if in := a.in(c.team); in != nil && in.BotID == id {
			return map[string]any{"bot": map[string]any{
				"id": in.BotID, "app_id": a.ID, "user_id": in.Bot.ID, "name": a.spec.Name,
				"deleted": in.gone, "updated": in.created, "icons": in.Bot.icons(),
			}}, nil
		}
	}
	return nil, refuse("bot_not_found")
}

// emojiList is emoji.list.
func (c *call) emojiList() (map[string]any, error) {
	list := map[string]any{}
	for name, url := range c.team.emoji {
		list[name] = url
	}
	return map[string]any{"emoji": list, "cache_ts": stamp{c.server.opt.Now().Unix(), 0}.String()}, nil
}

func (w *Workspace) url() string { return "https://" + w.Domain + ".slack.com" }

// profile is the bot_profile of a post.
func (in *Install) profile() map[string]any {
	return map[string]any{
		"id": in.BotID, "app_id": in.App.ID, "name": in.App.spec.Name, "icons": in.Bot.icons(),
		"deleted": in.gone, "updated": in.created, "team_id": in.team.ID,
	}
}
