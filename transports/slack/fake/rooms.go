package fake

import (
	"regexp"
	"slices"
)

var channelName = regexp.MustCompile(`^[\p{Ll}\p{Lo}\p{N}_-]+$`)

const maxChannelName = 80

func checkName(name string) error {
	switch {
	case name == "":
		return refuse("invalid_name_required")
	case len([]rune(name)) > maxChannelName:
		return refuse("invalid_name_maxlength")
	case !channelName.MatchString(name):
		return refuse("invalid_name_specials")
	}
	return nil
}

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
		c.topic = note{r.Topic, c.creator, now}
	}
	if r.Purpose != "" {
		c.purpose = note{r.Purpose, c.creator, now}
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

// tell emits an event about the channel itself. All in the workspace hear it of public ones.
func (c *Channel) tell(what string, more map[string]any) {
	event := map[string]any{"type": c.prefix() + what, "channel": c.ID}
	for k, v := range more {
		event[k] = v
	}
	c.server.emit(emission{team: c.team, channel: c, open: true, event: event})
}

// convCreate is conversations.create.
func (c *call) convCreate() (map[string]any, error) {
	k := public
	if c.flag("is_private", false) {
		k = private
	}
	if err := c.needFor(k, "write"); err != nil {
		return nil, err
	}
	name := c.str("name")
	if err := checkName(name); err != nil {
		return nil, err
	}
	if c.team.channelByName(name) != nil {
		return nil, refuse("name_taken")
	}
	ch := c.team.addChannel(Room{Name: name, Private: k == private, Members: []*User{c.user}}, c.user)
	ch.joined(c.user, nil)
	return map[string]any{"channel": ch.json(c.user)}, nil
}

// manage is the channel that a call may change: one the user is in, not a DM.
func (c *call) manage(what string) (*Channel, error) {
	ch, err := c.visibleFor(what)
	switch {
	case err != nil:
		return nil, err
	case ch.kind == im || ch.kind == mpim && what == "write":
		return nil, refuse("method_not_supported_for_channel_type")
	case !ch.has(c.user):
		return nil, refuse("not_in_channel")
	}
	return ch, nil
}

// convRename is conversations.rename.
func (c *call) convRename() (map[string]any, error) {
	ch, err := c.manage("write")
	if err != nil {
		return nil, err
	}
	name := c.str("name")
	if err := checkName(name); err != nil {
		return nil, err
	}
	if other := c.team.channelByName(name); other != nil && other != ch {
		return nil, refuse("name_taken")
	}
	ch.rename(name, c.user)
	return map[string]any{"channel": ch.json(c.user)}, nil
}

func (c *Channel) rename(name string, by *User) {
	old := c.name
	c.previous = append(c.previous, old)
	c.name = name
	c.tell("rename", map[string]any{"channel": map[string]any{"id": c.ID, "name": name, "name_normalized": name,
		"created": c.created, "is_channel": true, "is_mpim": false}})
	c.system("channel_name", by, "has renamed the channel from \""+old+"\" to \""+name+"\"",
		map[string]any{"old_name": old, "name": name})
}

// convSetTopic is conversations.setTopic.
func (c *call) convSetTopic() (map[string]any, error) { return c.setNote("topic") }

// convSetPurpose is conversations.setPurpose.
func (c *call) convSetPurpose() (map[string]any, error) { return c.setNote("purpose") }

const maxNote = 250

func (c *call) setNote(which string) (map[string]any, error) {
	ch, err := c.manage("write.topic")
	if err != nil {
		return nil, err
	}
	text := c.str(which)
	if len([]rune(text)) > maxNote {
		return nil, refuse("too_long")
	}
	ch.setNote(which, c.team.posted(text, "", false), c.user)
	return map[string]any{"channel": ch.json(c.user)}, nil
}

func (c *Channel) setNote(which, wire string, by *User) {
	n := note{wire, by.ID, c.server.opt.Now().Unix()}
	said := "set the channel topic: " + wire
	if which == "purpose" {
		c.purpose = n
		said = "set the channel description: " + wire
	} else {
		c.topic = n
	}
	c.system("channel_"+which, by, said, map[string]any{which: wire})
}

// convArchive is conversations.archive.
func (c *call) convArchive() (map[string]any, error) {
	ch, err := c.manage("write")
	switch {
	case err != nil:
		return nil, err
	case ch.general:
		return nil, refuse("cant_archive_general")
	case ch.archived:
		return nil, refuse("already_archived")
	}
	ch.archive(c.user, true)
	return nil, nil
}

// convUnarchive is conversations.unarchive.
func (c *call) convUnarchive() (map[string]any, error) {
	ch, err := c.visibleFor("write")
	switch {
	case err != nil:
		return nil, err
	case ch.kind == im || ch.kind == mpim:
		return nil, refuse("method_not_supported_for_channel_type")
	case !ch.archived:
		return nil, refuse("not_archived")
	}
	ch.archive(c.user, false)
	return nil, nil
}

func (c *Channel) archive(by *User, on bool) {
	c.archived = on
	if on {
		c.tell("archive", map[string]any{"user": by.ID, "is_moved": 0})
		return
	}
	c.tell("unarchive", map[string]any{"user": by.ID})
}

// remove ends a channel for good. Apps cannot; people with the right can.
func (c *Channel) remove(by *User) {
	c.tell("deleted", map[string]any{"actor_id": by.ID})
	c.team.channels = slices.DeleteFunc(c.team.channels, func(o *Channel) bool { return o == c })
}
