package offline

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// decoyCount is how many decoys the addresses share that are of no account.
const decoyCount = 1 << 14

// decoys count what addresses of no account would have: one that never fills would differ from
// an account. Several share one, so that unknown addresses cost no memory; an address whose decoy fills
// sooner looks like an account that had something already.
type decoys struct {
	mu   sync.Mutex
	seed maphash.Seed
	used []Usage // made with the first message
}

// nobody does with a message to no account what is done with one that is kept: the sender sees
// no difference, also when there is no room any more (RFC 6121 §8.5.1).
func (o *Offline) nobody(ctx context.Context, p *router.Pass) error {
	address := p.Stanza.To.Bare()
	if p.Stanza.From == address || !message.Offline(p.Stanza) {
		return router.ErrStop
	}
	_, limit, err := o.store.OfflineUsage(ctx, address)
	if err != nil {
		return fmt.Errorf("keep message for %s: %w", address, err)
	}
	d := &o.decoys
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used == nil {
		d.seed, d.used = maphash.MakeSeed(), make([]Usage, decoyCount)
	}
	used := &d.used[maphash.String(d.seed, address.String())%decoyCount]
	size := sizeOf(p.Stanza)
	if !o.fits(*used, limit, size) {
		return stanza.ServiceUnavailable("") // XEP-0160 §2
	}
	*used = Usage{used.Messages + 1, used.Bytes + size}
	return router.ErrStop
}
