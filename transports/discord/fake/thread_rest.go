package fake

import (
	"net/http"
	"time"
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

func getArchivedThreads(c *call) (int, any, error) {
	parent, err := c.channel(ReadMessageHistory)
	if err != nil {
		return 0, nil, err
	}
	limit, err := c.limitOf(50, 100)
	if err != nil {
		return 0, nil, err
	}
	before := c.s.now().Add(time.Hour)
	if text := c.query.Get("before"); text != "" {
		if before, err = time.Parse(time.RFC3339, text); err != nil {
			return 0, nil, invalidForm("before", "DATE_TIME_TYPE_PARSE", "Could not parse "+text+". Should be ISO8601.")
		}
	}
	var list []*channel
	all := sorted(c.s.channels)
	for i := len(all) - 1; i >= 0; i-- {
		t := all[i]
		if t.parent == parent && t.thread != nil && t.thread.archived && !t.thread.private && t.thread.changed.Before(before) {
			list = append(list, t)
		}
	}
	more := len(list) > limit
	if more {
		list = list[:limit]
	}
	return http.StatusOK, c.threadsOf(list, more), nil
}

// aThread is the thread of the path.
func (c *call) aThread() (*channel, error) {
	t, err := c.channel(0)
	if err != nil {
		return nil, err
	}
	if t.thread == nil {
		return nil, errChannelType()
	}
	return t, nil
}

func getThreadMembers(c *call) (int, any, error) {
	t, err := c.aThread()
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for id := range t.thread.members {
		list = append(list, t.threadMember(id))
	}
	return http.StatusOK, list, nil
}

func joinThread(c *call) (int, any, error) {
	t, err := c.aThread()
	if err != nil {
		return 0, nil, err
	}
	if t.thread.archived {
		return 0, nil, errArchived()
	}
	c.s.enterThread(t, c.app.user)
	return http.StatusNoContent, nil, nil
}

func leaveThread(c *call) (int, any, error) {
	t, err := c.aThread()
	if err != nil {
		return 0, nil, err
	}
	if t.thread.archived {
		return 0, nil, errArchived()
	}
	c.s.exitThread(t, c.app.user)
	return http.StatusNoContent, nil, nil
}
