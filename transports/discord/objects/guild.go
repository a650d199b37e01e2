package objects

import (
	"strings"

	"github.com/bwmarrin/discordgo"
)

// Permissions that decide who sees a channel and who may do what in it (docs: Permissions).
const (
	PermissionAdministrator   = discordgo.PermissionAdministrator
	PermissionViewChannel     = discordgo.PermissionViewChannel
	PermissionMentionEveryone = discordgo.PermissionMentionEveryone
	PermissionManageChannels  = discordgo.PermissionManageChannels
	PermissionManageMessages  = discordgo.PermissionManageMessages
)

// Guild is a server, in Discord's own words.
type Guild struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Unavailable bool        `json:"unavailable"`
	Roles       []Role      `json:"roles"`
	Emojis      []Emoji     `json:"emojis"`
	Channels    []*Channel  `json:"channels"`
	Threads     []*Channel  `json:"threads"`
	Members     []Member    `json:"members"`
	Presences   []*Presence `json:"presences"`
}

// Role is a role of a guild.
type Role struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Permissions int64  `json:"permissions"`
	Mentionable bool   `json:"mentionable"` // by everybody
}

// RoleChange is a role that is new, was changed, or was deleted: then only its id is there.
type RoleChange struct {
	GuildID string `json:"guild_id"`
	Role    *Role  `json:"role"`
	RoleID  string `json:"role_id"`
}

// Emoji is one of Unicode, which has a name only, or one of a guild's own.
type Emoji struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Animated bool   `json:"animated"`
}

// EmojiChange has all the emoji that a guild has now.
type EmojiChange struct {
	GuildID string  `json:"guild_id"`
	Emojis  []Emoji `json:"emojis"`
}

// Order compares two ids by age.
func Order(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
