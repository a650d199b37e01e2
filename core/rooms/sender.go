package rooms

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Sender takes the stanzas of one room. It belongs to the room's goroutine. What was given to it
// leaves when Flush is called, or before, so that a receiver's socket is written to once for
// several stanzas.
type Sender interface {
	Send(st *stanza.Stanza)
	// SendMany sends one stanza, whose To is empty, to many sessions. It keeps neither the stanza nor the list.
	SendMany(st *stanza.Stanza, to []jid.JID)
	Flush()
}

// How much a collector holds back: no receiver's queue may be filled by it.
const (
	maxForOne = 16 << 10 // bytes for the first receiver, taken as a sample of all
	maxForAll = 1 << 20  // bytes
	startTag  = 512      // bytes of a stanza beside its payload, at most
)

// collector is a Sender on the Collect of an Endpoint.
type collector struct {
	send  func(*stanza.Stanza)
	flush func()
	first jid.JID
	one   int
	all   int
}

// NewSender makes a Sender of an endpoint that knows single receivers only.
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

func (c *collector) SendMany(st *stanza.Stanza, to []jid.JID) { room.SendEach(c.Send, st, to) }

func (c *collector) Flush() {
	if c.all == 0 {
		return
	}
	c.flush()
	c.first, c.one, c.all = jid.JID{}, 0, 0
}
