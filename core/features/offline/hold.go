package offline

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// hold stores a message for sessions that have just become available, behind the stored messages that are
// being delivered to them.
func (o *Offline) hold(ctx context.Context, p *router.Pass) error {
	if !o.beforeStored(p) || !message.Offline(p.Stanza) {
		return nil
	}
	size := sizeOf(p.Stanza)
	ok, err := o.reserve(ctx, p.Account, p.Stanza.From.Bare(), size)
	if err != nil {
		return fmt.Errorf("store message for %s: %w", p.Account.JID(), err)
	}
	if !ok {
		return nil // the limit is reached: deliver it at once, out of order
	}
	e, err := o.of(ctx, p.Account)
	if err != nil {
		return err
	}
	e.order.Lock()
	defer e.order.Unlock()
	if !o.beforeStored(p) { // the delivery has ended meanwhile
		o.release(p.Account, p.Stanza.From.Bare(), size)
		return nil
	}
	o.add(p, size)
	e.repeat() // under the lock: the running delivery reads the store again after this write
	return router.ErrStop
}

// beforeStored reports whether all receiving sessions still wait for their stored messages.
func (o *Offline) beforeStored(p *router.Pass) bool {
	st := p.Stanza
	if st.Kind != stanza.Message || len(p.Targets) == 0 {
		return false
	}
	if st.Type != stanza.TypeChat && st.Type != stanza.TypeNormal && st.Type != "" {
		return false
	}
	for _, s := range p.Targets {
		if !receivesMessages(s) || s.Has(o.served) {
			return false
		}
	}
	return true
}

// isNotStored implements router.Stage.Skip.
func isNotStored(st *stanza.Stanza) bool { return st.Kind != stanza.Message || !message.Offline(st) }
