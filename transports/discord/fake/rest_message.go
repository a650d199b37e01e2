package fake

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// getMessages lists the newest first, whichever way it pages. (resources/message.mdx, Get
// Channel Messages)
func getMessages(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	if !ch.texts() {
		return 0, nil, errNotText()
	}
	limit, err := c.limitOf(50, 100)
	if err != nil {
		return 0, nil, err
	}
	var at [3]ID
	for i, name := range []string{"before", "after", "around"} {
		if at[i], err = c.queryID(name); err != nil {
			return 0, nil, err
		}
	}
	list := []obj{}
	if ch.permissions(c.app.user).has(ReadMessageHistory) {
		for _, m := range slices.Backward(ch.page(at[0], at[1], at[2], limit)) {
			list = append(list, c.s.messageJSON(m, c.view()))
		}
	}
	return http.StatusOK, list, nil
}

// page picks at most limit messages, oldest first: the ones just before, just after or
// around an id, or the newest.
func (c *channel) page(before, after, around ID, limit int) []*message {
	position := func(id ID) (int, bool) {
		return slices.BinarySearchFunc(c.messages, id, func(m *message, id ID) int { return compareIDs(m.id, id) })
	}
	from, to := max(0, len(c.messages)-limit), len(c.messages)
	switch {
	case around != "":
		i, _ := position(around)
		from = max(0, i-limit/2)
		to = min(len(c.messages), from+limit)
	case after != "":
		i, found := position(after)
		if found {
			i++
		}
		from, to = i, min(len(c.messages), i+limit)
	case before != "":
		i, _ := position(before)
		from, to = max(0, i-limit), i
	}
	return c.messages[from:to]
}

func getMessage(c *call) (int, any, error) {
	m, err := c.message(ReadMessageHistory)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.messageJSON(m, c.view()), nil
}

func createMessage(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	ref, err := c.referenceOf(ch)
	if err != nil {
		return 0, nil, err
	}
	d, err := c.draftOf(ch, c.body, c.files)
	if err != nil {
		return 0, nil, err
	}
	d.author, d.ref = c.app.user, ref
	if d.nonce, err = nonceOf(c.body["nonce"]); err != nil {
		return 0, nil, err
	}
	d.once = c.flag("enforce_nonce")
	m, _, err := c.s.publish(d)
	if err != nil {
		return 0, nil, err
	}
	b := c.s.messageJSON(m, c.view())
	if m.nonce != nil {
		b["nonce"] = m.nonce
	}
	return http.StatusOK, b, nil
}

// nonceOf checks a nonce: a number, or a text of at most 25 characters.
func nonceOf(v any) (any, error) {
	text, ok := v.(string)
	if ok && utf8.RuneCountInString(text) > maxNonce {
		return nil, tooLong("nonce", maxNonce)
	}
	if ok && text == "" {
		return nil, nil
	}
	return v, nil
}

// referenceOf reads message_reference of a reply. Forwards are not implemented.
func (c *call) referenceOf(ch *channel) (*reference, error) {
	b, ok := c.body["message_reference"].(obj)
	if !ok {
		return nil, nil
	}
	id, _ := b["message_id"].(string)
	if kind, err := number(b, "type", 0); err != nil || kind != 0 {
		return nil, invalidForm("message_reference", "BASE_TYPE_CHOICES", "This Discord has only replies.")
	}
	if other, _ := b["channel_id"].(string); other != "" && ID(other) != ch.id {
		return nil, invalidForm("message_reference", "REPLIES_CANNOT_REPLY_TO_OTHER_CHANNEL", "Cannot reply to a message in a different channel")
	}
	m := ch.index[ID(id)]
	if m == nil {
		if must, ok := b["fail_if_not_exists"].(bool); ok && !must {
			return nil, nil // sent as a normal message
		}
		return nil, invalidForm("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
	}
	if m.system() && m.kind != typeThreadStarter {
		return nil, invalidForm("message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message")
	}
	return m.replyRef(), nil
}

func (m *message) replyRef() *reference {
	return &reference{kind: 0, message: m.id, channel: m.channel.id, guild: m.channel.guildID()}
}

func changeMessage(c *call) (int, any, error) {
	m, err := c.message(0)
	if err != nil {
		return 0, nil, err
	}
	if !m.by(c.app.user) {
		return 0, nil, errOthersMessage()
	}
	if m.system() {
		return 0, nil, errSystemMessage()
	}
	r, err := c.rewriteOf(m)
	if err != nil {
		return 0, nil, err
	}
	if err := c.s.edit(m, r); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.messageJSON(m, c.view()), nil
}

// rewriteOf reads the body of an edit.
func (c *call) rewriteOf(m *message) (rewrite, error) {
	var r rewrite
	content, err := c.text("content")
	if err != nil {
		return r, err
	}
	if c.has("content") {
		content = strings.TrimSpace(content)
		if utf8.RuneCountInString(content) > maxContent {
			return r, tooLong("content", maxContent)
		}
		r.content = &content
	}
	if list, ok := c.body["attachments"].([]any); ok {
		keep := []ID{}
		for _, e := range list {
			b, _ := e.(obj)
			if id, ok := b["id"].(string); ok {
				keep = append(keep, ID(id))
			}
		}
		r.keep = &keep
	}
	if r.allowed, err = allowedOf(c.body["allowed_mentions"]); err != nil {
		return r, err
	}
	r.added, err = c.filesOf(m.channel, c.body, c.files)
	return r, err
}

func deleteMessage(c *call) (int, any, error) {
	m, err := c.message(0)
	if err != nil {
		return 0, nil, err
	}
	if !m.by(c.app.user) {
		if m.channel.guild == nil {
			return 0, nil, errNotOnDM()
		}
		if !m.channel.permissions(c.app.user).has(ManageMessages) {
			return 0, nil, errNoPermission()
		}
	}
	if m.kind == typeThreadStarter {
		return 0, nil, errSystemMessage()
	}
	if t := m.channel.thread; t != nil && t.archived {
		return 0, nil, errArchived()
	}
	c.s.erase(m)
	return http.StatusNoContent, nil, nil
}

// eraseAll is a bulk delete that is permitted.
func (s *Server) eraseAll(ch *channel, list []ID) {
	var gone []ID
	for _, id := range list {
		if m := ch.index[id]; m != nil {
			ch.drop(m)
			gone = append(gone, id)
		}
	}
	if len(gone) > 0 {
		b := ch.located(obj{"ids": gone})
		s.emit(event{"MESSAGE_DELETE_BULK", ch.guild, ch, IntentMessages, nil, same(b)})
	}
	s.touch()
}
