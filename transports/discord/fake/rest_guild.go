package fake

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

func getGuild(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, g.rest(c.query.Get("with_counts") == "true"), nil
}

// getGuildChannels lists what the bot sees, without threads.
func getGuildChannels(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, ch := range c.s.channelsOf(g, false) {
		if ch.permissions(c.app.user).has(ViewChannel) {
			list = append(list, ch.json(c.app.user))
		}
	}
	return http.StatusOK, list, nil
}

func getGuildRoles(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, shapes(g.roles, (*role).json), nil
}

func getGuildEmojis(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, shapes(g.emojis, (*emoji).json), nil
}

// getGuildMembers needs the privileged intent. (resources/guild.mdx, List Guild Members)
func getGuildMembers(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	if c.app.allowed&IntentMembers == 0 {
		return 0, nil, errMissingAccess()
	}
	limit, err := c.limitOf(1, 1000)
	if err != nil {
		return 0, nil, err
	}
	after, err := c.queryID("after")
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, m := range sorted(g.members) {
		if after.less(m.user.id) && len(list) < limit {
			list = append(list, m.json())
		}
	}
	return http.StatusOK, list, nil
}

func searchGuildMembers(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	limit, err := c.limitOf(1, 1000)
	if err != nil {
		return 0, nil, err
	}
	query := c.query.Get("query")
	if query == "" {
		return 0, nil, invalidForm("query", "BASE_TYPE_REQUIRED", "This field is required")
	}
	return http.StatusOK, shapes(g.search(query, limit), (*member).json), nil
}

// search finds members whose name or nickname begins with a text.
func (g *guild) search(prefix string, limit int) []*member {
	var list []*member
	prefix = strings.ToLower(prefix)
	for _, m := range sorted(g.members) {
		if limit > 0 && len(list) >= limit {
			break
		}
		for _, name := range []string{m.user.name, m.user.global, m.nick} {
			if strings.HasPrefix(strings.ToLower(name), prefix) {
				list = append(list, m)
				break
			}
		}
	}
	return list
}

func getGuildMember(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	m := g.members[c.id("user_id")]
	if m == nil {
		if c.s.users[c.id("user_id")] == nil {
			return 0, nil, errUnknownUser()
		}
		return 0, nil, errUnknownMember()
	}
	return http.StatusOK, m.json(), nil
}

// changeMyMember sets the bot's own nickname. (openapi: PrivateGuildMemberResponse)
func changeMyMember(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	nick, err := c.text("nick")
	if err != nil {
		return 0, nil, err
	}
	if !g.permissions(c.app.user).has(ChangeNickname) {
		return 0, nil, errNoPermission()
	}
	if utf8.RuneCountInString(nick) > 32 {
		return 0, nil, tooLong("nick", 32)
	}
	m := g.members[c.app.user.id]
	if c.has("nick") {
		m.nick = nick
		c.s.emitMember("GUILD_MEMBER_UPDATE", g, m)
	}
	return http.StatusOK, m.json(), nil
}

// createGuildChannel makes a text, voice or forum channel or a category.
func createGuildChannel(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	if !g.permissions(c.app.user).has(ManageChannels) {
		return 0, nil, errNoPermission()
	}
	kind, err := number(c.body, "type", 0)
	if err != nil {
		return 0, nil, err
	}
	switch channelKind(kind) {
	case kindText, kindVoice, kindCategory, kindAnnouncement, kindForum:
	default:
		return 0, nil, invalidForm("type", "BASE_TYPE_CHOICES", "Value must be one of {0, 2, 4, 5, 15}.")
	}
	ch := &channel{id: c.s.newID(), kind: channelKind(kind), guild: g, index: map[ID]*message{}}
	if err := c.describe(ch, true); err != nil {
		return 0, nil, err
	}
	c.s.channels[ch.id] = ch
	c.s.emitChannel("CHANNEL_CREATE", ch)
	return http.StatusCreated, ch.json(c.app.user), nil
}
