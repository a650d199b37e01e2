package fake

import (
	"fmt"
	"slices"
	"time"
)

// Limits of Discord that a client can run into, and of this fake server.
const (
	maxContent         = 2000     // characters of one message
	maxNonce           = 25       // characters
	maxEmbeds          = 10       // of one message
	maxFiles           = 10       // of one message
	maxFileSize        = 10 << 20 // bytes, without boosts
	maxRequest         = 25 << 20 // bytes
	maxChannelWebhooks = 15       // error 30007
	maxGuildWebhooks   = 1000     // error 30058
	maxReactions       = 20       // kinds on one message, error 30010
	maxPins            = 250      // of one channel, error 30003
	maxBulkDelete      = 100      // messages of one call
	bulkDeleteAge      = 14 * 24 * time.Hour
	nonceMemory        = 5 * time.Minute // "the past few minutes"
	maxStored          = 100_000         // messages kept of one channel
)

// channelKind is a channel's type. (resources/channel.mdx, Channel Types)
type channelKind int

const (
	kindText               channelKind = 0
	kindDM                 channelKind = 1
	kindVoice              channelKind = 2
	kindCategory           channelKind = 4
	kindAnnouncement       channelKind = 5
	kindAnnouncementThread channelKind = 10
	kindPublicThread       channelKind = 11
	kindPrivateThread      channelKind = 12
	kindForum              channelKind = 15
)

// data is all that there is on this Discord.
type data struct {
	users    map[ID]*user
	guilds   map[ID]*guild
	channels map[ID]*channel // threads and direct ones too
	apps     map[ID]*app
	tokens   map[string]*app
	webhooks map[ID]*webhook
	files    map[ID]*attachment
}

func newData() data {
	return data{
		users: map[ID]*user{}, guilds: map[ID]*guild{}, channels: map[ID]*channel{},
		apps: map[ID]*app{}, tokens: map[string]*app{}, webhooks: map[ID]*webhook{},
		files: map[ID]*attachment{},
	}
}

type user struct {
	id        ID
	name      string // unique handle
	global    string // display name
	avatar    string // hash
	app       *app   // of a bot
	status    string // online, idle, dnd, offline
	text      string // custom status
	dmsClosed bool
}

type guild struct {
	id          ID
	name        string
	description string
	icon        string
	owner       ID
	roles       []*role
	members     map[ID]*member
	emojis      []*emoji
	down        bool // unavailable: an outage of the guild
}

type role struct {
	id          ID
	name        string
	permissions Permissions
	position    int
	bot         ID // the bot that this role came with
}

type member struct {
	user   *user
	nick   string
	avatar string
	roles  []ID
	joined time.Time
}

type emoji struct {
	id       ID
	name     string
	animated bool
}

type overwrite struct {
	id          ID
	member      bool
	allow, deny Permissions
}

type channel struct {
	id         ID
	kind       channelKind
	guild      *guild // nil for a direct channel
	parent     *channel
	name       string
	topic      string
	position   int
	nsfw       bool
	overwrites []overwrite
	recipients []*user // of a direct channel
	thread     *thread // nil where it is none
	tags       []*tag  // of a forum
	messages   []*message
	index      map[ID]*message
	last       ID // of the newest message, kept when it is deleted
}

type tag struct {
	id   ID
	name string
}

type thread struct {
	owner       ID
	private     bool
	archived    bool
	locked      bool
	autoArchive int // minutes
	created     time.Time
	changed     time.Time // archive_timestamp
	members     map[ID]time.Time
	count       int // messages without the first and the deleted ones
	total       int
	tags        []ID
}

type webhook struct {
	id      ID
	token   string
	name    string
	avatar  string
	channel *channel
	app     *app
	creator *user
}

type app struct {
	id      ID
	name    string
	user    *user // the bot
	owner   *user
	token   string
	allowed Intents // privileged ones that are switched on
	limiter limiter
	started int       // sessions identified
	last    time.Time // when the last of them was
	refuse  *bool
	counts  Counts
}

func (g *guild) role(id ID) *role {
	for _, r := range g.roles {
		if r.id == id {
			return r
		}
	}
	return &role{id: id}
}

func (g *guild) emoji(id ID) *emoji {
	for _, e := range g.emojis {
		if e.id == id {
			return e
		}
	}
	return nil
}

func (m *member) has(role ID) bool { return slices.Contains(m.roles, role) }

func (t *thread) has(user ID) bool { _, ok := t.members[user]; return ok }

func (c *channel) recipient(id ID) bool {
	return slices.ContainsFunc(c.recipients, func(u *user) bool { return u.id == id })
}

// texts reports whether messages can be written in it (a forum has only threads).
func (c *channel) texts() bool { return c.kind != kindCategory && c.kind != kindForum }

func (c *channel) guildID() ID {
	if c.guild == nil {
		return ""
	}
	return c.guild.id
}

// in reports whether an application's bot is in the guild.
func (a *app) in(g *guild) bool { return g.members[a.user.id] != nil }

// sorted returns a map's values in the order of their ids.
func sorted[V any](m map[ID]V) []V {
	ids := make([]ID, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareIDs)
	out := make([]V, len(ids))
	for i, id := range ids {
		out[i] = m[id]
	}
	return out
}

// channelsOf lists a guild's channels, or with threads its live threads.
func (s *Server) channelsOf(g *guild, threads bool) []*channel {
	var out []*channel
	for _, c := range sorted(s.channels) {
		if c.guild == g && (c.thread != nil) == threads && (c.thread == nil || !c.thread.archived) {
			out = append(out, c)
		}
	}
	return out
}

// mutual reports whether two users share a guild.
func (s *Server) mutual(a, b *user) bool {
	for _, g := range s.guilds {
		if g.members[a.id] != nil && g.members[b.id] != nil {
			return true
		}
	}
	return false
}

// The must functions find what a script of a test or a demo names; a wrong id is a
// mistake in the script.

func (s *Server) mustGuild(id ID) *guild {
	if g := s.guilds[id]; g != nil {
		return g
	}
	panic(fmt.Sprintf("fake Discord server: no guild %q", id))
}

func (s *Server) mustUser(id ID) *user {
	if u := s.users[id]; u != nil {
		return u
	}
	panic(fmt.Sprintf("fake Discord server: no user %q", id))
}

func (s *Server) mustChannel(id ID) *channel {
	if c := s.channels[id]; c != nil {
		return c
	}
	panic(fmt.Sprintf("fake Discord server: no channel %q", id))
}
