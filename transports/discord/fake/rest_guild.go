package fake

import (
	"net/http"
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
