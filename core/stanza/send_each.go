package stanza

import (
	"github.com/dragoman-im/dragoman/core/jid"
)

// BatchSize is how many stanzas are allocated at once. It limits the memory of a batch, which cannot be freed while one of its stanzas is queued.
const BatchSize = 32

// Batch allocates the stanzas of a broadcast, BatchSize of them at a time.
type Batch struct {
	free []Stanza
	left int
}

// SendEach sends a stanza to many sessions with a function for one receiver. The copies
// share the payload.
func SendEach(send func(*Stanza), st *Stanza, to []jid.JID) {
	SendAllToEach(send, []*Stanza{st}, to)
}

// SendAllToEach is SendEach for several stanzas: each receiver gets all of them before the next one does.
func SendAllToEach(send func(*Stanza), list []*Stanza, to []jid.JID) {
	batch := NewBatch(len(to) * len(list))
	for _, j := range to {
		for _, st := range list {
			c := batch.Next()
			c.Kind, c.To, c.From, c.ID, c.Type = st.Kind, j, st.From, st.ID, st.Type
			c.Lang, c.Extra, c.Payload = st.Lang, st.Extra, st.Payload
			send(c)
		}
	}
}

// NewBatch returns a Batch for about n stanzas.
func NewBatch(n int) Batch { return Batch{left: n} }

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
