package room

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// batchSize limits the memory of a batch, which cannot be freed while one of its stanzas is queued.
const batchSize = 32

// stanzaBatch allocates the stanzas of a broadcast, batchSize of them at a time.
type stanzaBatch struct {
	free []stanza.Stanza
	left int
}

// SendEach sends a stanza to many sessions with a function for one receiver. The copies
// share the payload.
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
