package rooms

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Sender sends the stanzas of one room. It belongs to the room's goroutine. It may collect stanzas until
// Flush is called, so that a receiver's socket is written to once for
// several stanzas.
type Sender interface {
	Send(st *stanza.Stanza)
	// SendMany sends one stanza, whose To is empty, to many sessions. Neither the stanza nor the list may be changed afterwards; the
	// Sender changes Found.
	SendMany(st *stanza.Stanza, to []stanza.Receiver)
	Flush()
}

// Broadcaster is implemented by an Endpoint that can send the same stanzas to many at a lower cost: see router.Endpoint.
type Broadcaster interface {
	Broadcast() (send func(*stanza.Stanza), each func(list []*stanza.Stanza, to []stanza.Receiver), flush func())
}

// Limits of what a collector holds back, so that a flush does not fill a receiver's queue.
const (
	maxForOne = 16 << 10 // bytes of Send for the first receiver, taken as a sample of all, and of SendMany for each
	maxForAll = 1 << 20  // bytes of Send: all of them may be for one receiver
	startTag  = 512      // bytes of a stanza beside its payload, at most
)

// collector is a Sender on the Collect of an Endpoint, or its Broadcast.
type collector struct {
	send     func(*stanza.Stanza)
	sendEach func([]*stanza.Stanza, []stanza.Receiver)
	flush    func()
	first    jid.JID
	one      int
	all      int

	// Stanzas of SendMany that were not sent yet, their receivers, and how many bytes each of these will get, at most.
	posts []*stanza.Stanza
	to    []stanza.Receiver
	each  int
}

// NewSender returns a Sender for an endpoint.
func NewSender(e Endpoint) Sender {
	c := &collector{}
	if b, ok := e.(Broadcaster); ok {
		c.send, c.sendEach, c.flush = b.Broadcast()
		return c
	}
	c.send, c.flush = e.Collect()
	c.sendEach = func(list []*stanza.Stanza, to []stanza.Receiver) {
		stanza.SendEach(c.send, list, to)
		c.flush()
	}
	return c
}

func (c *collector) Send(st *stanza.Stanza) {
	c.sendPosts()
	c.send(st)
	size := startTag + len(st.Payload) + len(st.Extra)
	if c.first.IsZero() {
		c.first = st.To
	}
	c.all += size
	if st.To == c.first {
		c.one += size
	}
	if c.one > maxForOne || c.all > maxForAll {
		c.Flush()
	}
}

// SendMany holds the stanza back: receivers get it together with others that are for the same list.
func (c *collector) SendMany(st *stanza.Stanza, to []stanza.Receiver) {
	if len(to) == 0 {
		return
	}
	if len(c.posts) > 0 && (len(c.to) != len(to) || &c.to[0] != &to[0]) {
		c.sendPosts()
	}
	c.posts, c.to = append(c.posts, st), to
	if c.each += startTag + len(st.Payload) + len(st.Extra); c.each > maxForOne {
		c.sendPosts()
	}
}

// sendPosts sends what SendMany has held back.
func (c *collector) sendPosts() {
	if len(c.posts) == 0 {
		return
	}
	c.sendEach(c.posts, c.to)
	clear(c.posts)
	c.posts, c.to, c.each = c.posts[:0], nil, 0
	c.first, c.one, c.all = jid.JID{}, 0, 0
}

func (c *collector) Flush() {
	c.sendPosts()
	if c.all > 0 {
		c.flush()
		c.first, c.one, c.all = jid.JID{}, 0, 0
	}
}
