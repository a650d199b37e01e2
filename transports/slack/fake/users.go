package fake

import (
	"strings"
	"time"
)

// json is the user as the Web API and events show it. The e-mail address is there only for
// who may see it.
func (u *User) json(email bool) map[string]any {
	if u.deleted { // little is left of who is gone
		return map[string]any{"id": u.ID, "team_id": u.team.ID, "name": u.person.Name, "deleted": true,
			"profile": u.profile(email), "is_bot": u.bot != nil, "is_app_user": false, "updated": u.updated}
	}
	return u.full(email)
}

// full has all keys.
func (u *User) full(email bool) map[string]any {
	zone, label, offset := u.zone()
	return map[string]any{
		"id": u.ID, "team_id": u.team.ID, "name": u.person.Name, "deleted": u.deleted, "color": "9f69e7",
		"real_name": u.person.RealName, "tz": zone, "tz_label": label, "tz_offset": offset,
		"profile": u.profile(email), "is_admin": u.person.Admin, "is_owner": false, "is_primary_owner": false,
		"is_restricted": false, "is_ultra_restricted": false, "is_bot": u.bot != nil, "is_app_user": false,
		"updated": u.updated, "is_email_confirmed": u.person.Email != "", "who_can_share_contact_card": "EVERYONE",
	}
}

func (u *User) zone() (name, label string, offset int) {
	name = u.person.TZ
	if name == "" {
		name = "Etc/UTC"
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		loc = time.UTC
	}
	label, offset = u.server.opt.Now().In(loc).Zone()
	return name, label, offset
}

// profile is the profile of a user.
func (u *User) profile(email bool) map[string]any {
	first, last, _ := strings.Cut(u.person.RealName, " ")
	out := map[string]any{
		"title": u.person.Title, "phone": "", "skype": "", "real_name": u.person.RealName,
		"real_name_normalized": u.person.RealName, "display_name": u.person.DisplayName,
		"display_name_normalized": u.person.DisplayName, "first_name": first, "last_name": last, "fields": nil,
		"status_text": "", "status_emoji": "", "status_expiration": 0,
		"status_text_canonical": "", "status_emoji_display_info": []any{}, "avatar_hash": u.avatarHash(), "team": u.team.ID,
		"huddle_state": "default_unset", "huddle_state_expiration_ts": 0,
	}
	if u.inHuddle {
		out["huddle_state"] = "in_a_huddle"
	}
	if email && u.person.Email != "" {
		out["email"] = u.person.Email
	}
	if u.bot != nil {
		out["bot_id"], out["api_app_id"] = u.bot.BotID, u.bot.App.ID
	}
	for _, size := range []string{"24", "32", "48", "72", "192", "512"} {
		out["image_"+size] = u.avatarURL(size)
	}
	if u.person.Avatar != nil {
		out["image_original"], out["is_custom_image"], out["image_1024"] = u.avatarURL("original"), true, u.avatarURL("1024")
	}
	return out
}

func (c *call) seesEmail() bool { return c.tok.allows("users:read.email") }

// member is the user that a call names in user.
func (c *call) member() (*User, error) {
	u := c.team.user(c.str("user"))
	if u == nil {
		return nil, refuse("user_not_found")
	}
	return u, nil
}

// usersInfo is users.info.
func (c *call) usersInfo() (map[string]any, error) {
	u, err := c.member()
	if err != nil {
		return nil, err
	}
	return map[string]any{"user": u.json(c.seesEmail())}, nil
}

// usersGetPresence is users.getPresence. Only the user's own answer has the details.
func (c *call) usersGetPresence() (map[string]any, error) {
	u := c.user
	if c.str("user") != "" {
		var err error
		if u, err = c.member(); err != nil {
			return nil, err
		}
	}
	out := map[string]any{"presence": u.presence()}
	if u == c.user {
		n := 0
		if u.active {
			n = 1
		}
		out["online"], out["auto_away"], out["manual_away"], out["connection_count"] = u.active, !u.active, u.away, n
	}
	return out, nil
}

func (u *User) presence() string {
	if u.active && !u.away {
		return "active"
	}
	return "away"
}

// usersSetPresence is users.setPresence: auto or away, never active.
func (c *call) usersSetPresence() (map[string]any, error) {
	switch c.str("presence") {
	case "auto":
		c.user.away = false
	case "away":
		c.user.away = true
	default:
		return nil, refuse("invalid_presence")
	}
	return nil, nil
}

// changed tells of a changed profile or status. Slack sends one event for each subscription
// that fits.
func (u *User) changed(types ...string) {
	now := u.server.opt.Now().Unix()
	u.updated = now
	if len(types) == 0 {
		types = []string{"user_change", "user_profile_changed", "user_status_changed"}
	}
	for _, t := range types {
		body := u.full(false)
		body["locale"] = "en-US"
		u.server.emit(emission{team: u.team, event: map[string]any{"type": t, "user": body, "cache_ts": now}})
	}
}

// usersList is users.list.
func (c *call) usersList() (map[string]any, error) {
	from, to, next, err := c.page(len(c.team.users), c.limit(1000))
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, u := range c.team.users[from:to] {
		list = append(list, u.json(c.seesEmail()))
	}
	return map[string]any{"members": list, "cache_ts": c.server.opt.Now().Unix(), "response_metadata": cursor(next)}, nil
}
