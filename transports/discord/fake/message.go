package fake

import (
	"slices"
	"time"
)

// The types of messages that this fake server makes. (resources/message.mdx, Message Types)
const (
	typeDefault       = 0
	typePinned        = 6
	typeJoin          = 7
	typeThreadCreated = 18
	typeReply         = 19
	typeThreadStarter = 21
)

// The flags of messages. (resources/message.mdx, Message Flags)
const (
	flagSuppressEmbeds   = 1 << 2
	flagHasThread        = 1 << 5
	flagSuppressNotices  = 1 << 12
	flagVoice            = 1 << 13
	flagHasSnapshot      = 1 << 14
	settableMessageFlags = flagSuppressEmbeds | flagSuppressNotices | flagVoice
)

type message struct {
	id          ID
	channel     *channel
	author      *user    // nil where a webhook wrote it
	hook        *webhook // nil where a user wrote it
	hookID      ID       // stays when the webhook goes
	persona     persona
	app         *app // of a bot or its webhook
	kind        int
	content     string
	mentions    []*user
	roles       []ID
	everyone    bool
	attachments []*attachment
	embeds      []obj
	created     time.Time
	edited      time.Time
	flags       int
	ref         *reference
	reactions   []*reaction
	nonce       any
	tts         bool
	thread      *channel
	position    int // within a thread
}

// persona is the name and the picture of one message of a webhook.
type persona struct {
	name   string
	avatar string // hash
	url    string
}

// reference is what a reply or a forward points to.
type reference struct {
	kind    int // 0 reply, 1 forward
	message ID
	channel ID
	guild   ID
}

type reaction struct {
	emoji emoji // of a Unicode emoji only the name
	users []ID
}

// system reports whether the network itself wrote the message.
func (m *message) system() bool {
	return m.kind != typeDefault && m.kind != typeReply
}

// same compares custom emoji by id and the others by name.
func (r *reaction) same(e emoji) bool {
	if r.emoji.id != "" || e.id != "" {
		return r.emoji.id == e.id
	}
	return r.emoji.name == e.name
}

func (m *message) reaction(e emoji) *reaction {
	for _, r := range m.reactions {
		if r.same(e) {
			return r
		}
	}
	return nil
}

func (m *message) by(u *user) bool { return m.author != nil && m.author == u }

// store appends a message to its channel.
func (c *channel) store(m *message) {
	if c.index == nil {
		c.index = map[ID]*message{}
	}
	if len(c.messages) >= maxStored {
		delete(c.index, c.messages[0].id)
		c.messages = slices.Delete(c.messages, 0, 1)
	}
	// A forum post's first message has the thread's id, which may be older than others.
	at, _ := slices.BinarySearchFunc(c.messages, m.id, func(o *message, id ID) int { return compareIDs(o.id, id) })
	c.messages = slices.Insert(c.messages, at, m)
	c.index[m.id] = m
	if c.last == "" || c.last.less(m.id) {
		c.last = m.id
	}
	if t := c.thread; t != nil && m.kind != typeThreadStarter {
		m.position = t.total
		t.total++
		if m.id != c.id {
			t.count++
		}
	}
}

// drop removes a message from its channel.
func (c *channel) drop(m *message) {
	at, ok := slices.BinarySearchFunc(c.messages, m.id, func(o *message, id ID) int { return compareIDs(o.id, id) })
	if !ok {
		return
	}
	c.messages = slices.Delete(c.messages, at, at+1)
	delete(c.index, m.id)
	if c.thread != nil && m.id != c.id && c.thread.count > 0 {
		c.thread.count--
	}
}
