package stanza

import (
	"github.com/dragoman-im/dragoman/core/jid"
)

// Receiver is an address in a list of those who get the same stanzas.
type Receiver struct {
	JID jid.JID
	// Found is what was found for the address by whoever sends to it, who may change it; nil: nothing yet.
	Found any
}

// BatchSize is how many stanzas are allocated at once. It limits the memory of a batch, which cannot be freed while one of its stanzas is queued.
const BatchSize = 32

// Batch allocates the stanzas of a broadcast, BatchSize of them at a time.
type Batch struct {
	free []Stanza
	left int
}

// SendEach sends each of some stanzas to each of some receivers with a function for one. The copies
// share the payload.
func SendEach(send func(*Stanza), list []*Stanza, to []Receiver) {
	batch := NewBatch(len(to) * len(list))
	for i := range to {
		for _, st := range list {
			send(batch.Copy(st, to[i].JID))
		}
	}
}

// NewBatch returns a Batch for about n stanzas.
func NewBatch(n int) Batch { return Batch{left: n} }

// Copy returns a copy of a stanza with another to.
func (b *Batch) Copy(st *Stanza, to jid.JID) *Stanza {
	c := b.Next()
	c.Kind, c.To, c.From, c.ID, c.Type = st.Kind, to, st.From, st.ID, st.Type
	c.Lang, c.Extra, c.Payload = st.Lang, st.Extra, st.Payload
	return c
}

// Next returns an empty stanza.
func (b *Batch) Next() *Stanza {
	if len(b.free) == 0 {
		n := min(max(b.left, 1), BatchSize)
		b.free = make([]Stanza, n)
		b.left -= n
	}
	st := &b.free[0]
	b.free = b.free[1:]
	return st
}
