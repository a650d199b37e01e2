package fake

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

func getChannel(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, ch.json(c.app.user), nil
}

// changeChannel is for guild channels and threads. (resources/channel.mdx, Modify Channel)
func changeChannel(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	if ch.guild == nil {
		return 0, nil, errNotOnDM()
	}
	if ch.thread != nil {
		return c.changeThread(ch)
	}
	if err := ch.allows(c.app.user, ManageChannels); err != nil {
		return 0, nil, err
	}
	c.s.permit(ch.guild, ch, func() { err = c.describe(ch, false) })
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, ch.json(c.app.user), nil
}

// describe reads a channel's properties; nothing is changed where one is wrong.
func (c *call) describe(ch *channel, created bool) error {
	next := *ch
	if name, err := c.text("name"); err != nil {
		return err
	} else if created || c.has("name") {
		if n := utf8.RuneCountInString(name); n < 1 || n > 100 {
			return tooLong("name", 100)
		}
		next.name = name
		if next.kind == kindText || next.kind == kindAnnouncement || next.kind == kindForum {
			next.name = strings.ToLower(strings.Join(strings.Fields(name), "-")) // as the client shows it
		}
	}
	if topic, err := c.text("topic"); err != nil {
		return err
	} else if c.has("topic") {
		most := 1024
		if next.kind == kindForum {
			most = 4096
		}
		if utf8.RuneCountInString(topic) > most {
			return tooLong("topic", most)
		}
		next.topic = topic
	}
	var err error
	if next.slowmode, err = number(c.body, "rate_limit_per_user", next.slowmode); err != nil {
		return err
	}
	if next.position, err = number(c.body, "position", next.position); err != nil {
		return err
	}
	if nsfw, ok := c.body["nsfw"].(bool); ok {
		next.nsfw = nsfw
	}
	if c.has("parent_id") {
		id, _ := c.body["parent_id"].(string)
		next.parent = c.s.channels[ID(id)]
		if id != "" && (next.parent == nil || next.parent.guild != ch.guild || next.parent.kind != kindCategory) {
			return invalidForm("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist")
		}
	}
	if list, ok := c.body["permission_overwrites"].([]any); ok {
		if next.overwrites, err = overwritesOf(list); err != nil {
			return err
		}
	}
	*ch = next
	return nil
}

func overwritesOf(list []any) ([]overwrite, error) {
	var out []overwrite
	for _, e := range list {
		b, _ := e.(obj)
		id, _ := b["id"].(string)
		kind, err := number(b, "type", 0)
		if err != nil || !ID(id).valid() {
			return nil, invalidForm("permission_overwrites", "BASE_TYPE_REQUIRED", "This field is required")
		}
		out = append(out, overwrite{id: ID(id), member: kind == 1, allow: permissionsOf(b["allow"]), deny: permissionsOf(b["deny"])})
	}
	return out, nil
}

func permissionsOf(v any) Permissions {
	switch v := v.(type) {
	case string:
		n, _ := strconv.ParseUint(v, 10, 64)
		return Permissions(n)
	case json.Number:
		n, _ := v.Int64()
		return Permissions(n)
	}
	return 0
}

func (c *call) changeThread(t *channel) (int, any, error) {
	mine := t.thread.owner == c.app.user.id
	manages := t.permissions(c.app.user).has(ManageThreads)
	if !mine && !manages {
		return 0, nil, errNoPermission()
	}
	name, err := c.text("name")
	if err != nil {
		return 0, nil, err
	}
	if c.has("name") {
		if err := threadName(name); err != nil {
			return 0, nil, err
		}
	}
	locked, lock := c.body["locked"].(bool)
	if lock && !manages {
		return 0, nil, errNoPermission()
	}
	archived, archive := c.body["archived"].(bool)
	if t.thread.archived && !(archive && !archived) {
		return 0, nil, errArchived()
	}
	slowmode, err := number(c.body, "rate_limit_per_user", t.slowmode)
	if err != nil {
		return 0, nil, err
	}
	duration, err := number(c.body, "auto_archive_duration", t.thread.autoArchive)
	if err != nil {
		return 0, nil, err
	}
	t.slowmode, t.thread.autoArchive = slowmode, duration
	if c.has("name") {
		t.name = name
	}
	if lock {
		t.thread.locked = locked
	}
	if archive && archived != t.thread.archived {
		t.thread.archived, t.thread.changed = archived, c.s.now()
	}
	if c.has("applied_tags") {
		t.thread.tags = idsOf(c.body["applied_tags"])
	}
	c.s.emitThreadUpdate(t)
	return http.StatusOK, t.json(c.app.user), nil
}

// emitThreadUpdate tells of a changed thread.
func (s *Server) emitThreadUpdate(t *channel) {
	s.emitChannel("THREAD_UPDATE", t)
	s.touch()
}

func deleteChannel(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	need := ManageChannels
	switch {
	case ch.guild == nil: // closes it; it stays for the other
		return http.StatusOK, ch.json(c.app.user), nil
	case ch.thread != nil:
		need = ManageThreads
	}
	if err := ch.allows(c.app.user, need); err != nil {
		return 0, nil, err
	}
	b := ch.json(c.app.user)
	c.s.remove(ch)
	return http.StatusOK, b, nil
}

// remove deletes a channel of a guild with its threads and webhooks.
func (s *Server) remove(ch *channel) {
	if ch.thread != nil {
		s.emit(event{"THREAD_DELETE", ch.guild, ch, IntentGuilds, nil, same(obj{
			"id": ch.id, "guild_id": ch.guild.id, "parent_id": ch.parent.id, "type": int(ch.kind),
		})})
		if m := ch.parent.index[ch.id]; m != nil {
			m.thread = nil
		}
		delete(s.channels, ch.id)
		s.touch()
		return
	}
	s.emitChannel("CHANNEL_DELETE", ch)
	for _, t := range sorted(s.channels) {
		if t.parent == ch && t.thread != nil {
			delete(s.channels, t.id)
		} else if t.parent == ch {
			t.parent = nil
			s.emitChannel("CHANNEL_UPDATE", t)
		}
	}
	for id, w := range s.webhooks {
		if w.channel == ch {
			delete(s.webhooks, id)
		}
	}
	delete(s.channels, ch.id)
	s.touch()
}

func startTyping(c *call) (int, any, error) {
	ch, err := c.channel(SendMessages)
	if err != nil {
		return 0, nil, err
	}
	if !ch.texts() {
		return 0, nil, errNotText()
	}
	c.s.emitTyping(ch, c.app.user)
	c.s.tellTyping(ch, c.app.user)
	return http.StatusNoContent, nil, nil
}
