package fake

import "slices"

// span is the piece of time that oldest, latest and inclusive ask for.
func (c *call) span() (func(stamp) bool, error) {
	var oldest, latest stamp
	var hasLatest, ok bool
	if v := c.str("oldest"); v != "" {
		if oldest, ok = parseStamp(v); !ok {
			return nil, refuse("invalid_ts_oldest")
		}
	}
	if v := c.str("latest"); v != "" && v != "now" {
		if latest, hasLatest = parseStamp(v); !hasLatest {
			return nil, refuse("invalid_ts_latest")
		}
	}
	inclusive := c.flag("inclusive", false)
	return func(t stamp) bool {
		if t.less(oldest) || hasLatest && latest.less(t) {
			return false
		}
		return inclusive || (t != oldest || oldest == stamp{}) && (!hasLatest || t != latest)
	}, nil
}

// readable is the conversation whose messages the token may read. A bot must be in it; a
// user reads public channels without being a member too.
func (c *call) readable() (*Channel, error) {
	ch, err := c.visibleFor("history")
	if err != nil {
		return nil, err
	}
	if c.tok.kind == botToken && !ch.has(c.user) {
		if c.method == "conversations.history" {
			return nil, refuse("not_in_channel")
		}
		return nil, refuse("channel_not_found")
	}
	return ch, nil
}

// convHistory is conversations.history: newest first, without replies that were not
// broadcast.
func (c *call) convHistory() (map[string]any, error) {
	ch, err := c.readable()
	if err != nil {
		return nil, err
	}
	in, err := c.span()
	if err != nil {
		return nil, err
	}
	var all []*message
	for _, m := range ch.messages {
		if in(m.ts) && (!m.isReply() || m.broadcast) && (!m.deleted || m.subtype == "tombstone") {
			all = append(all, m)
		}
	}
	slices.Reverse(all)
	from, to, next, err := c.page(len(all), c.limit(100))
	if err != nil {
		return nil, err
	}
	out := map[string]any{
		"messages": c.messagesJSON(all[from:to]), "has_more": next != "", "pin_count": 0,
		"channel_actions_ts": nil, "channel_actions_count": 0,
	}
	if next != "" {
		out["response_metadata"] = cursor(next)
	}
	return out, nil
}

func (c *call) messagesJSON(list []*message) []any {
	out := []any{}
	for _, m := range list {
		body := m.json()
		if !c.flag("include_all_metadata", false) {
			delete(body, "metadata")
		}
		out = append(out, body)
	}
	return out
}

// convReplies is conversations.replies: the parent, then the replies, oldest first. The
// parent is on every page.
func (c *call) convReplies() (map[string]any, error) {
	ch, err := c.readable()
	if err != nil {
		return nil, err
	}
	in, err := c.span()
	if err != nil {
		return nil, err
	}
	root := ch.find(c.str("ts"))
	if root == nil {
		return nil, refuse("thread_not_found")
	}
	var all []*message
	if !root.isReply() {
		for _, m := range ch.replies(root.ts) {
			if in(m.ts) {
				all = append(all, m)
			}
		}
	}
	from, to, next, err := c.page(len(all), c.limit(1000))
	if err != nil {
		return nil, err
	}
	out := map[string]any{"messages": c.messagesJSON(append([]*message{root}, all[from:to]...)), "has_more": next != ""}
	if next != "" {
		out["response_metadata"] = cursor(next)
	}
	return out, nil
}

// convMark is conversations.mark.
func (c *call) convMark() (map[string]any, error) {
	ch, err := c.visibleFor("write")
	if err != nil {
		return nil, err
	}
	if _, ok := parseStamp(c.str("ts")); !ok {
		return nil, refuse("invalid_timestamp")
	}
	if !ch.has(c.user) {
		return nil, refuse("not_in_channel")
	}
	ch.read[c.user] = c.str("ts")
	return nil, nil
}
