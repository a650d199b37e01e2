package offline

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ghostBoxes is how many boxes the accounts share that do not exist.
const ghostBoxes = 1 << 14

// ghosts counts what accounts would have that do not exist: a box that never fills would tell
// them from those that do. Several share a box, so that strangers cost no memory; one that is
// full sooner looks like an account that had something already.
type ghosts struct {
	seed  maphash.Seed
	boxes []Usage // made with the first message
}

// haunt does with a message to nobody what is done with one that is kept: nothing that the sender
// sees until the box is full.
func (o *Offline) haunt(ctx context.Context, p *router.Pass) error {
	_, limit, err := o.store.OfflineUsage(ctx, p.Account)
	if err != nil {
		return fmt.Errorf("keep message for %s: %w", p.Account, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	g := &o.ghosts
	if g.boxes == nil {
		g.seed, g.boxes = maphash.MakeSeed(), make([]Usage, ghostBoxes)
	}
	box := &g.boxes[maphash.String(g.seed, p.Account.String())%ghostBoxes]
	size := sizeOf(p.Stanza)
	if !o.Refused.fits(*box, limit, size) {
		return stanza.ServiceUnavailable("")
	}
	*box = Usage{box.Messages + 1, box.Bytes + size}
	return router.ErrStop // RFC 6121 §8.5.1: as if it had been kept
}
