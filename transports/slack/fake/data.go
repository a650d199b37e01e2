package fake

import (
	"slices"
	"strings"
)

// Workspace is a Slack workspace ("team").
type Workspace struct {
	ID     string
	Domain string

	server   *Server
	name     string
	users    []*User
	channels []*Channel
	emoji    map[string]string // name to URL or "alias:name"
	groups   []*group
}

// User is a person, a bot's user, or Slackbot.
type User struct {
	ID string

	server   *Server
	team     *Workspace
	person   Person
	deleted  bool
	bot      *Install // not nil for a bot's user
	updated  int64
	away     bool // set away by hand
	active   bool // has a client open
	inHuddle bool
}

// Person is what a User is made from. Name is needed; the rest may be empty.
type Person struct {
	Name        string // the handle, without @
	RealName    string
	DisplayName string
	Email       string
	Title       string
	TZ          string // "Europe/Berlin"
	Avatar      []byte // PNG, JPEG or GIF; nil means a coloured square
	Admin       bool
}

// kind is the kind of a conversation.
type kind int

const (
	public kind = iota
	private
	im
	mpim
)

// channelType is the kind's name in message events.
func (k kind) channelType() string { return [...]string{"channel", "group", "im", "mpim"}[k] }

// scopeGroup is what scopes call the kind: "channels:read".
func (k kind) scopeGroup() string { return [...]string{"channels", "groups", "im", "mpim"}[k] }

// Room is what a Channel is made from.
type Room struct {
	Name    string
	Private bool
	General bool
	Topic   string
	Purpose string
	Members []*User // the first is the creator
}

// Channel is a conversation: public or private channel, DM or group DM.
type Channel struct {
	ID string

	server   *Server
	team     *Workspace
	kind     kind
	name     string
	previous []string
	topic    topic
	purpose  topic
	creator  string
	created  int64
	archived bool
	general  bool
	members  []*User
	messages []*message // by ts
	last     stamp
	read     map[*User]string
	huddle   *message
}

// topic is a topic or a purpose.
type topic struct {
	value, creator string
	set            int64
}

func (n topic) json() map[string]any {
	return map[string]any{"value": n.value, "creator": n.creator, "last_set": n.set}
}

type reaction struct {
	name  string
	users []string
}

// message is a message as it is stored.
type message struct {
	channel     *Channel
	ts          stamp
	user        string // empty for bot_message
	subtype     string
	text        string // escaped, as on the wire
	blocks      []any
	attachments []any
	metadata    map[string]any
	clientMsgID string
	install     *Install // the app it was posted by
	username    string
	icons       map[string]any
	thread      stamp // of the parent; zero if not in a thread
	broadcast   bool
	edited      map[string]any
	reactions   []reaction
	files       []*File
	deleted     bool           // gone; only a tombstone is still shown
	extra       map[string]any // keys of single subtypes: topic, inviter, room …
}

func (m *message) isReply() bool { return m.thread != stamp{} && m.thread != m.ts }

func (c *Channel) has(u *User) bool { return u != nil && slices.Contains(c.members, u) }

func (c *Channel) find(ts string) *message {
	t, ok := parseStamp(ts)
	if !ok {
		return nil
	}
	i, found := slices.BinarySearchFunc(c.messages, t, func(m *message, t stamp) int {
		switch {
		case m.ts.less(t):
			return -1
		case t.less(m.ts):
			return 1
		}
		return 0
	})
	if !found || c.messages[i].deleted && c.messages[i].subtype != "tombstone" {
		return nil
	}
	return c.messages[i]
}

// replies are the messages of the thread under m, without m.
func (c *Channel) replies(root stamp) []*message {
	var out []*message
	for _, m := range c.messages {
		if m.isReply() && m.thread == root && !m.deleted {
			out = append(out, m)
		}
	}
	return out
}

// other is the other party of a DM.
func (c *Channel) other(u *User) *User {
	for _, m := range c.members {
		if m != u {
			return m
		}
	}
	return u
}

func (w *Workspace) user(id string) *User {
	for _, u := range w.users {
		if u.ID == id {
			return u
		}
	}
	return nil
}

func (w *Workspace) userByName(name string) *User {
	for _, u := range w.users {
		if strings.EqualFold(u.person.Name, name) || u.person.DisplayName != "" && strings.EqualFold(u.person.DisplayName, name) {
			return u
		}
	}
	return nil
}

func (w *Workspace) channel(id string) *Channel {
	for _, c := range w.channels {
		if c.ID == id {
			return c
		}
	}
	return nil
}

func (w *Workspace) channelByName(name string) *Channel {
	for _, c := range w.channels {
		if (c.kind == public || c.kind == private) && c.name == name {
			return c
		}
	}
	return nil
}

// direct is the DM or group DM of exactly these users, or nil.
func (w *Workspace) direct(users []*User) *Channel {
	for _, c := range w.channels {
		if c.kind != im && c.kind != mpim || len(c.members) != len(users) {
			continue
		}
		if !slices.ContainsFunc(users, func(u *User) bool { return !c.has(u) }) {
			return c
		}
	}
	return nil
}

// shownName is the name that Slack's own clients show.
func (u *User) shownName() string {
	for _, n := range []string{u.person.DisplayName, u.person.RealName, u.person.Name} {
		if n != "" {
			return n
		}
	}
	return u.ID
}

// do runs f with mu held, then hands over the events it made.
func (s *Server) do(f func()) {
	s.mu.Lock()
	f()
	events := s.takePending()
	s.mu.Unlock()
	s.publish(events)
}
