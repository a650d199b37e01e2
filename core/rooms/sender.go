package rooms

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Sender sends the stanzas of one room. It belongs to the room's goroutine. It may collect stanzas until
// Flush is called, so that a receiver's socket is written to once for
// several stanzas.
type Sender interface {
	Send(st *stanza.Stanza)
	// SendMany sends one stanza, whose To is empty, to many sessions. Neither the stanza nor the list may be changed afterwards.
	SendMany(st *stanza.Stanza, to []jid.JID)
	Flush()
}

const (
	// Limits of what a collector holds back, so that a flush does not fill a receiver's queue.
	maxForOne = 16 << 10 // bytes of Send for the first receiver, taken as a sample of all, and of SendMany for each
	maxForAll = 1 << 20  // bytes for all of them
	startTag  = 512      // bytes of a stanza beside its payload, at most

	// together is how many of the receivers of SendMany are flushed at a time: so few that what belongs to their sessions, and the
	// buffers of their queues, is still in the processor's cache after the stanzas have been appended.
	together = 64
)

// collector is a Sender on the Collect of an Endpoint.
type collector struct {
	send  func(*stanza.Stanza)
	flush func()
	first jid.JID
	one   int
	all   int // bytes that were not flushed

	// Stanzas of SendMany that were not sent yet, their receivers, and how many bytes each of these will get, at most.
	posts []*stanza.Stanza
	to    []jid.JID
	each  int
}

// NewSender returns a Sender for an endpoint, which sends to one receiver at a time.
func NewSender(e Endpoint) Sender {
	c := &collector{}
	c.send, c.flush = e.Collect()
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
func (c *collector) SendMany(st *stanza.Stanza, to []jid.JID) {
	if len(to) == 0 {
		return
	}
	if len(c.posts) > 0 && (len(c.to) != len(to) || &c.to[0] != &to[0]) {
		c.sendPosts()
	}
	c.posts, c.to = append(c.posts, st), to
	if c.each += startTag + len(st.Payload) + len(st.Extra); c.each > maxForOne {
		c.Flush()
	}
}

// sendPosts sends what SendMany has held back.
func (c *collector) sendPosts() {
	if len(c.posts) == 0 {
		return
	}
	for some := range slices.Chunk(c.to, together) {
		stanza.SendAllToEach(c.send, c.posts, some)
		c.all += c.each * len(some)
		if len(c.to) > together {
			c.flushSent()
		}
	}
	clear(c.posts)
	c.posts, c.to, c.each = c.posts[:0], nil, 0
}

func (c *collector) Flush() {
	c.sendPosts()
	if c.all > 0 {
		c.flushSent()
	}
}

func (c *collector) flushSent() {
	c.flush()
	c.first, c.one, c.all = jid.JID{}, 0, 0
}
