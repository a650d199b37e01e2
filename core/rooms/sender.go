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
	// SendMany sends one stanza, whose To is empty, to many sessions. It must not retain the stanza or the list.
	SendMany(st *stanza.Stanza, to []jid.JID)
	Flush()
}

// Limits of what a collector holds back, so that a flush does not fill a receiver's queue.
const (
	maxForOne = 16 << 10 // bytes for the first receiver, taken as a sample of all
	maxForAll = 1 << 20  // bytes of Send: all of them may be for one receiver
	maxOfMany = 16 << 20 // bytes of SendMany: some messages for thousands of receivers
	startTag  = 512      // bytes of a stanza beside its payload, at most
)

// collector is a Sender on the Collect of an Endpoint.
type collector struct {
	send  func(*stanza.Stanza)
	flush func()
	first jid.JID
	one   int
	all   int
	each  int // bytes of SendMany for each receiver, at most
	many  int // and for all of them
}

// NewSender returns a Sender for an endpoint, which sends to one receiver at a time.
func NewSender(e Endpoint) Sender {
	c := &collector{}
	c.send, c.flush = e.Collect()
	return c
}

func (c *collector) Send(st *stanza.Stanza) {
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

// SendMany holds back more than Send: each receiver gets the stanza once.
func (c *collector) SendMany(st *stanza.Stanza, to []jid.JID) {
	if len(to) == 0 {
		return
	}
	stanza.SendEach(c.send, st, to)
	size := startTag + len(st.Payload) + len(st.Extra)
	c.each += size
	c.many += size * len(to)
	if c.each > maxForOne || c.many > maxOfMany {
		c.Flush()
	}
}

func (c *collector) Flush() {
	if c.all == 0 && c.many == 0 {
		return
	}
	c.flush()
	c.first, c.one, c.all, c.each, c.many = jid.JID{}, 0, 0, 0, 0
}
