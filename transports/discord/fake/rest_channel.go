package fake

import (
	"net/http"
	"unicode/utf8"
)

func getChannel(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, ch.json(c.app.user), nil
}

// maxTopic is the longest topic in characters.
const maxTopic = 1024

// changeChannel changes the topic of a channel of a guild. (resources/channel.mdx, Modify Channel)
func changeChannel(c *call) (int, any, error) {
	ch, err := c.channel(ManageChannels)
	if err != nil {
		return 0, nil, err
	}
	text, err := c.text("topic")
	switch {
	case err != nil:
		return 0, nil, err
	case utf8.RuneCountInString(text) > maxTopic:
		return 0, nil, tooLong("topic", maxTopic)
	case ch.guild == nil || ch.thread != nil:
		return 0, nil, errNoPermission()
	}
	ch.topic = text
	c.s.emitChannel("CHANNEL_UPDATE", ch)
	return http.StatusOK, ch.json(c.app.user), nil
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
	return http.StatusNoContent, nil, nil
}
