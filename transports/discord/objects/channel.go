package objects

import "github.com/bwmarrin/discordgo"

// Types of channels (docs: Channel Types).
const (
	TypeDM            = int(discordgo.ChannelTypeDM)
	TypeCategory      = int(discordgo.ChannelTypeGuildCategory)
	TypeStore         = int(discordgo.ChannelTypeGuildStore)
	TypeNewsThread    = int(discordgo.ChannelTypeGuildNewsThread)
	TypePublicThread  = int(discordgo.ChannelTypeGuildPublicThread)
	TypePrivateThread = int(discordgo.ChannelTypeGuildPrivateThread)
	TypeDirectory     = int(discordgo.ChannelTypeGuildDirectory)
	TypeForum         = int(discordgo.ChannelTypeGuildForum)
	TypeMedia         = int(discordgo.ChannelTypeGuildMedia)
)

// flagHidden marks a channel that a bot gets events of but may not see (docs: Channel Flags, since
// November 2026): its name and the rest are made up.
const flagHidden = 1 << 17

// Channel is a channel, a thread or a direct conversation.
type Channel struct {
	ID         string      `json:"id"`
	GuildID    string      `json:"guild_id"`
	ParentID   string      `json:"parent_id"`
	Type       int         `json:"type"`
	Flags      int64       `json:"flags"`
	Name       string      `json:"name"`
	Topic      string      `json:"topic"`
	Members    int         `json:"member_count"`
	Recipients []User      `json:"recipients"`
	Overwrites []Overwrite `json:"permission_overwrites"`
	Thread     struct {
		Locked bool `json:"locked"`
	} `json:"thread_metadata"`
}

// Overwrite are a role's or a member's permissions in a channel.
type Overwrite struct {
	ID    string `json:"id"`
	Allow int64  `json:"allow"`
	Deny  int64  `json:"deny"`
}

// IsThread reports whether a channel is a thread.
func (c *Channel) IsThread() bool {
	return c.Type == TypePublicThread || c.Type == TypePrivateThread || c.Type == TypeNewsThread
}

// Hidden reports whether the bot may not see a channel.
func (c *Channel) Hidden() bool { return c.Flags&flagHidden != 0 }

// Shown reports whether a channel holds messages itself, and the bot sees it.
func (c *Channel) Shown() bool {
	switch c.Type {
	case TypeCategory, TypeStore, TypeForum, TypeMedia, TypeDirectory:
		return false
	}
	return !c.Hidden()
}

// Threads is a list of threads: of a guild, or of channels that the bot has come to see.
type Threads struct {
	GuildID string     `json:"guild_id"`
	Threads []*Channel `json:"threads"`
}

// ThreadMembers is a change of who is in a thread.
type ThreadMembers struct {
	ID      string   `json:"id"`
	Removed []string `json:"removed_member_ids"`
}
