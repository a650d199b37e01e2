package fake

// addChannel makes a public or private channel and tells of it.
func (w *Workspace) addChannel(r Room, by *User) *Channel {
	s := w.server
	now := s.opt.Now().Unix()
	c := &Channel{ID: s.ids.next("C"), server: s, team: w, name: r.Name, general: r.General, created: now,
		members: distinct(r.Members), read: map[*User]string{}}
	if r.Private {
		c.kind = private
	}
	if by != nil {
		c.creator = by.ID
	}
	if r.Topic != "" {
		c.topic = topic{r.Topic, c.creator, now}
	}
	if r.Purpose != "" {
		c.purpose = topic{r.Purpose, c.creator, now}
	}
	w.channels = append(w.channels, c)
	if c.kind == public {
		body := c.json(nil)
		for _, k := range []string{"is_member", "num_members"} {
			delete(body, k)
		}
		body["is_frozen"] = false
		s.emit(emission{team: w, channel: c, open: true, event: map[string]any{"type": "channel_created", "channel": body}})
	}
	return c
}

// prefix is how events about the channel begin: channel_archive, group_archive.
func (c *Channel) prefix() string {
	if c.kind == public {
		return "channel_"
	}
	return "group_"
}
