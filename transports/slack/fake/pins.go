package fake

import "slices"

// pinned is the message of a pins call.
func (c *call) pinned() (*message, error) {
	if c.str("channel") == "" {
		return nil, refuse("channel_not_found")
	}
	m, err := c.item()
	if err != nil {
		return nil, err
	}
	if !m.channel.has(c.user) {
		return nil, refuse("channel_not_found")
	}
	return m, nil
}

// pinsAdd is pins.add.
func (c *call) pinsAdd() (map[string]any, error) {
	m, err := c.pinned()
	if err != nil {
		return nil, err
	}
	if m.pinIndex() >= 0 {
		return nil, refuse("already_pinned")
	}
	m.pin(c.user)
	return nil, nil
}

// pinsRemove is pins.remove.
func (c *call) pinsRemove() (map[string]any, error) {
	m, err := c.pinned()
	if err != nil {
		return nil, err
	}
	if m.pinIndex() < 0 {
		return nil, refuse("no_pin")
	}
	m.unpin(c.user)
	return nil, nil
}

// pinsList is pins.list.
func (c *call) pinsList() (map[string]any, error) {
	ch, err := c.visible(c.str("channel"))
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, p := range ch.pins {
		items = append(items, p.json())
	}
	return map[string]any{"items": items}, nil
}

func (m *message) pinIndex() int {
	return slices.IndexFunc(m.channel.pins, func(p pin) bool { return p.m == m })
}

func (m *message) pin(by *User) {
	m.channel.pins = append(m.channel.pins, pin{m, by.ID, m.channel.server.opt.Now().Unix()})
	m.pinEvent("pin_added", m.channel.pins[len(m.channel.pins)-1], by)
}

func (m *message) unpin(by *User) {
	i := m.pinIndex()
	p := m.channel.pins[i]
	m.channel.pins = slices.Delete(m.channel.pins, i, i+1)
	m.pinEvent("pin_removed", p, by)
}

func (p pin) json() map[string]any {
	body := p.m.json()
	body["permalink"] = p.m.permalink()
	return map[string]any{"type": "message", "channel": p.m.channel.ID, "created": p.set, "created_by": p.by, "message": body}
}

func (m *message) pinEvent(typ string, p pin, by *User) {
	item := p.json()
	body := item["message"].(map[string]any)
	for k := range body {
		if !slices.Contains([]string{"type", "ts", "text", "user", "team", "permalink", "pinned_to", "bot_id", "app_id", "bot_profile", "blocks", "client_msg_id", "attachments"}, k) {
			delete(body, k)
		}
	}
	event := map[string]any{"type": typ, "user": by.ID, "channel_id": m.channel.ID, "item": item, "item_user": m.user,
		"pin_count": len(m.channel.pins), "event_ts": m.channel.mint().String(),
		"pinned_info": map[string]any{"channel": m.channel.ID, "pinned_by": p.by, "pinned_ts": p.set}}
	if typ == "pin_removed" {
		event["has_pins"] = len(m.channel.pins) > 0
	}
	m.channel.server.emit(emission{team: m.channel.team, channel: m.channel, event: event})
}
