package objects

import "github.com/bwmarrin/discordgo"

// User is a person or a bot.
type User struct {
	ID         string `json:"id"`
	Username   string `json:"username"`
	GlobalName string `json:"global_name"`
	Avatar     string `json:"avatar"`
	Bot        bool   `json:"bot"`
}

// PicturesURL is where pictures are.
const PicturesURL = "https://cdn.discordapp.com"

// AvatarURL is where the picture is; "" for somebody without one (docs: Image Formatting). An animated one is there as a still
// too, which is smaller.
func (u *User) AvatarURL() string {
	if u.Avatar == "" {
		return ""
	}
	return PicturesURL + "/avatars/" + u.ID + "/" + u.Avatar + ".png?size=128"
}

// Member is a user in a guild.
type Member struct {
	GuildID string   `json:"guild_id"`
	Nick    string   `json:"nick"`
	User    *User    `json:"user"`
	Roles   []string `json:"roles"`
}

// ActivityCustom is the type of an activity that somebody has written themselves (docs: Activity Types).
const ActivityCustom = int(discordgo.ActivityTypeCustom)

// Presence is how somebody can be reached.
type Presence struct {
	User       *User  `json:"user"`
	Status     string `json:"status"`
	Activities []struct {
		Type  int    `json:"type"`
		Name  string `json:"name"`
		State string `json:"state"`
		Emoji Emoji  `json:"emoji"`
	} `json:"activities"`
}

// Typing is somebody who writes.
type Typing struct {
	ChannelID string `json:"channel_id"`
	UserID    string `json:"user_id"`
}
