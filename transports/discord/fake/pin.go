package fake

import (
	"net/http"
	"slices"
	"time"
)

// pinned lists a channel's pins, the newest first.
func (c *channel) pinned() []*message {
	var list []*message
	for _, m := range c.messages {
		if !m.pinned.IsZero() {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *message) int { return b.pinned.Compare(a.pinned) })
	return list
}

// setPin pins or unpins a message.
func (s *Server) setPin(m *message, by *user, on bool) error {
	c := m.channel
	if on == !m.pinned.IsZero() {
		return nil
	}
	if !on {
		m.pinned = time.Time{}
	} else {
		if len(c.pinned()) >= maxPins {
			return errManyPins()
		}
		m.pinned = s.now()
		c.lastPin = m.pinned
	}
	s.emitMessage("MESSAGE_UPDATE", m)
	s.emitPins(c)
	if on {
		note := &message{
			id: s.newID(), channel: c, author: by, kind: typePinned, created: s.now(),
			ref: &reference{message: m.id, channel: c.id, guild: c.guildID()},
		}
		c.store(note)
		s.emitMessage("MESSAGE_CREATE", note)
	}
	s.touch()
	return nil
}

// The handlers of pins. (resources/message.mdx, Get Channel Pins and following)

func getPins(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	limit, err := c.limitOf(50, 50)
	if err != nil {
		return 0, nil, err
	}
	list := ch.pinned()
	more := len(list) > limit
	items := []obj{}
	for _, m := range list[:min(limit, len(list))] {
		items = append(items, obj{"pinned_at": stamp(m.pinned), "message": c.s.messageJSON(m, c.view())})
	}
	return http.StatusOK, obj{"items": items, "has_more": more}, nil
}

// getPinsOld is the form before 2025, still answered.
func getPinsOld(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	list := ch.pinned()
	return http.StatusOK, shapes(list[:min(50, len(list))], func(m *message) obj { return c.s.messageJSON(m, c.view()) }), nil
}

func (c *call) setPin(on bool) (int, any, error) {
	need := PinMessages
	if ch := c.s.channels[c.id("channel_id")]; ch != nil && ch.guild == nil {
		need = 0
	}
	m, err := c.message(need)
	if err != nil {
		return 0, nil, err
	}
	if m.system() {
		return 0, nil, errSystemMessage()
	}
	return http.StatusNoContent, nil, c.s.setPin(m, c.app.user, on)
}

func pin(c *call) (int, any, error)   { return c.setPin(true) }
func unpin(c *call) (int, any, error) { return c.setPin(false) }
