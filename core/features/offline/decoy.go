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

// decoyCount is the number of decoys that all addresses without an account share.
const decoyCount = 1 << 14

// decoys count the stored messages that addresses without an account would have. Without them such an
// address would never be full, and so differ from an account. Many addresses share one decoy, so that
// unknown addresses cost no memory; a decoy that fills sooner looks like an account that had messages
// already.
type decoys struct {
	mu   sync.Mutex
	seed maphash.Seed
	used []Usage // created with the first message
}

// nobody handles a message to an address without an account as one that is stored: the sender sees no
// difference, also when the limit is reached (RFC 6121 §8.5.1).
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
