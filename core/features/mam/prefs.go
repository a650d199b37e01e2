package mam

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
)

// maxPrefs is how many accounts' preferences are kept in memory.
const maxPrefs = 20_000

// prefs remembers preferences, which every message asks for.
type prefs struct {
	store archive.PrefsStore

	mu    sync.Mutex
	known map[jid.JID]archive.Prefs
	epoch uint64 // counts changes, so that what was read before one is not remembered
}

func newPrefs(s archive.PrefsStore) *prefs {
	return &prefs{store: s, known: map[jid.JID]archive.Prefs{}}
}

func (p *prefs) of(ctx context.Context, account jid.JID) (archive.Prefs, error) {
	p.mu.Lock()
	have, ok := p.known[account]
	epoch := p.epoch
	p.mu.Unlock()
	if ok {
		return have, nil
	}
	have, err := p.store.Prefs(ctx, account)
	if err != nil {
		return have, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoch == epoch {
		if len(p.known) >= maxPrefs {
			clear(p.known)
		}
		p.known[account] = have
	}
	return have, nil
}

func (p *prefs) forget(account jid.JID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epoch++
	delete(p.known, account)
}

// Forget drops what is remembered of an account that has been deleted.
func (a *Archive) Forget(account jid.JID) { a.prefs.forget(account) }

// noting is the engine's way to the store: a change of preferences is noted here.
type noting struct {
	Store
	prefs *prefs
}

func (n *noting) SetPrefs(ctx context.Context, account jid.JID, p archive.Prefs) error {
	err := n.Store.SetPrefs(ctx, account, p)
	n.prefs.forget(account) // also after an error: who knows
	return err
}
