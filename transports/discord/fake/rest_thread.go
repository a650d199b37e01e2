package fake

import (
	"net/http"
)

// threadsOf is a list of threads with the bot's memberships. (openapi: ThreadsResponse)
func (c *call) threadsOf(list []*channel, more bool) obj {
	threads, members := []obj{}, []obj{}
	for _, t := range list {
		threads = append(threads, t.json(c.app.user))
		if t.thread.has(c.app.user.id) {
			members = append(members, t.threadMember(c.app.user.id))
		}
	}
	return obj{"threads": threads, "members": members, "has_more": more}
}

func getActiveThreads(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	var seen []*channel
	for _, t := range c.s.channelsOf(g, true) {
		if t.permissions(c.app.user).has(ViewChannel) {
			seen = append(seen, t)
		}
	}
	b := c.threadsOf(seen, false)
	return http.StatusOK, b, nil
}
