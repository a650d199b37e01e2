package room

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// batchSize bounds the memory that one queued stanza can keep from being freed.
const batchSize = 32

// stanzaBatch allocates the stanzas of a broadcast, batchSize of them at a time.
type stanzaBatch struct {
	free []stanza.Stanza
	left int
}

// SendEach sends a stanza to many sessions by a function that takes one receiver at a time: the
// start tag is written anew for each, the rest is shared.
func SendEach(send func(*stanza.Stanza), st *stanza.Stanza, to []jid.JID) {
	batch := newStanzaBatch(len(to))
	for _, j := range to {
		c := batch.next()
		c.Kind, c.To, c.From, c.ID, c.Type = st.Kind, j, st.From, st.ID, st.Type
		c.Lang, c.Extra, c.Payload = st.Lang, st.Extra, st.Payload
		send(c)
	}
}

func newStanzaBatch(n int) stanzaBatch { return stanzaBatch{left: n} }

func (b *stanzaBatch) next() *stanza.Stanza {
	if len(b.free) == 0 {
		n := min(max(b.left, 1), batchSize)
		b.free = make([]stanza.Stanza, n)
		b.left -= n
	}
	st := &b.free[0]
	b.free = b.free[1:]
	return st
}
