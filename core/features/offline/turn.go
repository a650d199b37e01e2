package offline

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// served marks a session that has got what was kept before it came.
type served struct{}

// Turn is the last of the stages: a message for sessions that have just come waits for
// its turn behind those that were kept for them, which are read from the store meanwhile.
func (o *Offline) Turn() router.Stage { return router.Stage{Name: "turn", Inbound: o.turn} }

func (o *Offline) turn(ctx context.Context, p *router.Pass) error {
	if !early(p) || !worthKeeping(p.Stanza) {
		return nil
	}
	size := sizeOf(p.Stanza)
	ok, err := o.reserve(ctx, p.Account, size)
	if err != nil {
		return fmt.Errorf("keep message for %s: %w", p.Account, err)
	}
	if !ok {
		return nil // rather out of turn than not at all
	}
	o.turns.Lock()
	defer o.turns.Unlock()
	if !early(p) { // they have got everything meanwhile
		o.release(p.Account, 1, size)
		return nil
	}
	o.add(p, size)
	o.onceMore(p.Account) // within the lock, so that whoever collects reads once more after it
	return router.ErrStop
}

// onceMore has a collection that is under way read again.
func (o *Offline) onceMore(account jid.JID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, running := o.collecting[account]; running {
		o.collecting[account] = true
	}
}

// early tells whether a message goes only to sessions that were not served yet.
func early(p *router.Pass) bool {
	st := p.Stanza
	if st.Kind != stanza.Message || len(p.Targets) == 0 {
		return false
	}
	if st.Type != stanza.TypeChat && st.Type != stanza.TypeNormal && st.Type != "" {
		return false
	}
	for _, s := range p.Targets {
		if !takes(s) || s.Value(served{}) != nil {
			return false
		}
	}
	return true
}
