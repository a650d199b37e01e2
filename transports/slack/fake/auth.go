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

func (w *Workspace) url() string { return "https://" + w.Domain + ".slack.com" }

// profile is the bot_profile of a post.
func (in *Install) profile() map[string]any {
	return map[string]any{
		"id": in.BotID, "app_id": in.App.ID, "name": in.App.spec.Name, "icons": in.Bot.icons(),
		"deleted": in.gone, "updated": in.created, "team_id": in.team.ID,
	}
}
