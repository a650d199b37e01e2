package room

import "github.com/dragoman-im/dragoman/core/stanza"

// slabSize bounds what one queued stanza can keep from being freed.
const slabSize = 32

// slab hands out the stanzas of a fan-out, slabSize of them for one allocation.
type slab struct {
	free []stanza.Stanza
	left int
}

func newSlab(n int) slab { return slab{left: n} }

func (b *slab) next() *stanza.Stanza {
	if len(b.free) == 0 {
		n := min(max(b.left, 1), slabSize)
		b.free = make([]stanza.Stanza, n)
		b.left -= n
	}
	st := &b.free[0]
	b.free = b.free[1:]
	return st
}
