package fake

import (
	"encoding/json"
	"unicode/utf8"
)

// Limits of posts. docs.slack.dev/reference/methods/chat.postMessage, and for the sum of the
// blocks github.com/slackapi/bolt-js/issues/2509.
const (
	maxText        = 40000 // of a new message
	maxUpdate      = 4000  // of chat.update
	maxMarkdown    = 12000
	maxSection     = 3000
	maxBlocks      = 50
	maxBlockSum    = 13200
	maxAttachments = 100
)

// writable is the channel an app may write to. An id of a user means the DM with them.
func (c *call) writable() (*Channel, error) {
	id := c.str("channel")
	ch := c.team.channel(id)
	if ch == nil {
		if u := c.team.user(id); u != nil && u.ID != slackbot {
			return c.team.open([]*User{c.user, u}, c.user), nil
		}
		if len(id) > 1 && id[0] == '#' {
			ch = c.team.channelByName(id[1:])
		}
	}
	switch {
	case ch == nil || !ch.has(c.user) && ch.kind != public:
		return nil, refuse("channel_not_found")
	case ch.archived:
		return nil, refuse("is_archived")
	case !ch.has(c.user) && (c.tok.kind != botToken || !c.tok.allows("chat:write.public")):
		return nil, refuse("not_in_channel")
	}
	return ch, nil
}

// content is the text and blocks of a call, as they will be kept.
func (c *call) content(old *message) (wire string, blocks []any, err error) {
	text := c.str("text")
	given, hasBlocks := c.array("blocks")
	if c.str("blocks") != "" && !hasBlocks && c.json == nil {
		return "", nil, refuse("invalid_blocks_format")
	}
	attachments, hasAttachments := c.array("attachments")
	if len(attachments) > maxAttachments {
		return "", nil, refuse("too_many_attachments")
	}
	if md := c.str("markdown_text"); md != "" {
		if text != "" || hasBlocks {
			return "", nil, refuse("markdown_text_conflict")
		}
		if utf8.RuneCountInString(md) > maxMarkdown {
			return "", nil, refuse("msg_blocks_too_long")
		}
		text = md
	}
	if len(given) > 0 {
		if err := checkBlocks(given); err != nil {
			return "", nil, err
		}
		blocks = withIDs(given)
	}
	if text == "" && len(blocks) == 0 && !(hasAttachments && len(attachments) > 0) && (old == nil || len(old.files) == 0) {
		return "", nil, refuse("no_text")
	}
	limit := maxText
	if old != nil {
		limit = maxUpdate
	}
	if utf8.RuneCountInString(text) > limit {
		return "", nil, refuse("msg_too_long")
	}
	wire = c.team.posted(text, c.str("parse"), c.flag("link_names", false))
	if len(blocks) == 0 && c.flag("mrkdwn", true) {
		blocks = richText(wire)
	}
	return wire, blocks, nil
}

var blockTypes = map[string]bool{
	"actions": true, "context": true, "divider": true, "file": true, "header": true, "image": true, "input": true,
	"markdown": true, "rich_text": true, "section": true, "video": true, "table": true,
}

func checkBlocks(blocks []any) error {
	if len(blocks) > maxBlocks {
		return refuse("invalid_blocks")
	}
	sum := 0
	for _, b := range blocks {
		m, ok := b.(map[string]any)
		if !ok {
			return refuse("invalid_blocks")
		}
		typ, _ := m["type"].(string)
		if !blockTypes[typ] {
			return refuse("invalid_blocks")
		}
		if text, ok := m["text"].(map[string]any); ok && typ == "section" {
			if v, _ := text["text"].(string); v == "" || utf8.RuneCountInString(v) > maxSection {
				return refuse("invalid_blocks")
			}
		}
		raw, _ := json.Marshal(m)
		sum += len(raw)
	}
	if sum > maxBlockSum {
		return refuse("msg_blocks_too_long")
	}
	return nil
}

func withIDs(blocks []any) []any {
	out := make([]any, len(blocks))
	for i, b := range blocks {
		m := map[string]any{}
		for k, v := range b.(map[string]any) {
			m[k] = v
		}
		if m["block_id"] == nil {
			m["block_id"] = secret(3)[:5]
		}
		out[i] = m
	}
	return out
}

// chatPost is chat.postMessage.
func (c *call) chatPost() (map[string]any, error) {
	ch, err := c.writable()
	if err != nil {
		return nil, err
	}
	wire, blocks, err := c.content(nil)
	if err != nil {
		return nil, err
	}
	m := &message{user: c.user.ID, text: wire, blocks: blocks, install: c.tok.install}
	m.attachments, _ = c.array("attachments")
	if v, ok := c.value("metadata"); ok {
		m.metadata, _ = v.(map[string]any)
	}
	if err := c.persona(m); err != nil {
		return nil, err
	}
	if err := c.inThread(ch, m); err != nil {
		return nil, err
	}
	ch.add(m).announce()
	return map[string]any{"channel": ch.ID, "ts": m.ts.String(), "message": m.json()}, nil
}

// persona gives a post the name and picture that its app asks for. It is then a bot_message,
// with no user.
func (c *call) persona(m *message) error {
	name, url, emoji := c.str("username"), c.str("icon_url"), c.str("icon_emoji")
	if name == "" && url == "" && emoji == "" {
		return nil
	}
	if c.tok.kind != botToken {
		return nil // a person's token posts as the person, whatever it asks for
	}
	if err := c.need("chat:write.customize"); err != nil {
		return err
	}
	m.subtype, m.user, m.username = "bot_message", "", name
	if name == "" {
		m.username = c.tok.install.App.spec.Name
	}
	switch {
	case emoji != "":
		m.icons = map[string]any{"emoji": emoji}
	case url != "":
		m.icons = map[string]any{"image_36": url, "image_48": url, "image_72": url}
	}
	return nil
}

// inThread puts a post into the thread that it names.
func (c *call) inThread(ch *Channel, m *message) error {
	ts := c.str("thread_ts")
	if ts == "" {
		return nil
	}
	root := ch.find(ts)
	if root == nil {
		return refuse("cannot_reply_to_message")
	}
	m.into(root, c.flag("reply_broadcast", false))
	return nil
}

// into makes m a reply under root, or under root's own parent.
func (m *message) into(root *message, broadcast bool) {
	if root.isReply() {
		m.thread = root.thread
	} else {
		root.thread, m.thread = root.ts, root.ts
	}
	if broadcast {
		m.broadcast = true
		if m.subtype == "" {
			m.subtype = "thread_broadcast"
		}
	}
}

// own is the message that a call names, if the token may change it.
func (c *call) own(ts, denied string) (*Channel, *message, error) {
	ch := c.team.channel(c.str("channel"))
	if ch == nil || !ch.has(c.user) && ch.kind != public {
		return nil, nil, refuse("channel_not_found")
	}
	m := ch.find(ts)
	if m == nil || m.deleted {
		return nil, nil, refuse("message_not_found")
	}
	mine := m.user != "" && m.user == c.user.ID
	if c.tok.kind == botToken {
		mine = mine || m.install == c.tok.install && m.user == ""
	}
	if !mine && !(denied == "cant_delete_message" && c.tok.kind == userToken && c.user.person.Admin) {
		return nil, nil, refuse(denied)
	}
	return ch, m, nil
}

// chatUpdate is chat.update.
func (c *call) chatUpdate() (map[string]any, error) {
	ch, m, err := c.own(c.str("ts"), "cant_update_message")
	if err != nil {
		return nil, err
	}
	wire, blocks, err := c.content(m)
	if err != nil {
		return nil, err
	}
	if a, ok := c.array("attachments"); ok {
		m.attachments = a
	}
	m.edit(wire, blocks, c.user.ID)
	return map[string]any{"channel": ch.ID, "ts": m.ts.String(), "text": m.text, "message": m.json()}, nil
}

// chatDelete is chat.delete.
func (c *call) chatDelete() (map[string]any, error) {
	ch, m, err := c.own(c.str("ts"), "cant_delete_message")
	if err != nil {
		return nil, err
	}
	m.remove()
	return map[string]any{"channel": ch.ID, "ts": m.ts.String()}, nil
}
