package offline

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// hold keeps a message for sessions that have just become available behind those that were kept
// for them, which are read from the store meanwhile.
func (o *Offline) hold(ctx context.Context, p *router.Pass) error {
	if !o.early(p) || !message.Offline(p.Stanza) {
		return nil
	}
	size := sizeOf(p.Stanza)
	ok, err := o.reserve(ctx, p.Account, size)
	if err != nil {
		return fmt.Errorf("keep message for %s: %w", p.Account.JID(), err)
	}
	if !ok {
		return nil // rather out of order than not at all
	}
	e, err := o.of(ctx, p.Account)
	if err != nil {
		return err
	}
	e.order.Lock()
	defer e.order.Unlock()
	if !o.early(p) { // they have got everything meanwhile
		o.release(p.Account, 1, size)
		return nil
	}
	o.add(p, size)
	e.onceMore() // within the lock, so that whoever collects reads once more after it
	return router.ErrStop
}

// early reports whether a message goes only to sessions that were not served yet.
func (o *Offline) early(p *router.Pass) bool {
	st := p.Stanza
	if st.Kind != stanza.Message || len(p.Targets) == 0 {
		return false
	}
	if st.Type != stanza.TypeChat && st.Type != stanza.TypeNormal && st.Type != "" {
		return false
	}
	for _, s := range p.Targets {
		if !takes(s) || s.Has(o.served) {
			return false
		}
	}
	return true
}
