package mam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// maxGiven is how many results are remembered for a session that has not sent presence.
const maxGiven = 5000

// given are the archived messages of an account that its sessions have been given as results of queries before their first
// presence: they do not get them as offline messages once more (XEP-0313 §6.1.1).
type given struct {
	mu  sync.Mutex
	ids map[*router.Bound]map[string]bool
}

// note notes a result.
func (g *given) note(to *router.Bound, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ids == nil {
		g.ids = map[*router.Bound]map[string]bool{}
	}
	list := g.ids[to]
	if list == nil {
		list = map[string]bool{}
		g.ids[to] = list
	}
	if len(list) < maxGiven {
		list[id] = true
	}
	for other := range g.ids {
		if other.Account().Session(other.JID()) != other { // it has ended
			delete(g.ids, other)
		}
	}
}

// noteGiven notes a result for a session that has not sent presence.
func (a *Archive) noteGiven(ctx context.Context, to *router.Bound, id string) {
	if to.Presence() != nil {
		return
	}
	if g, err := a.given.Get(ctx, to.Account()); err == nil {
		g.note(to, id)
	}
}

// Given reports whether a session has been given an archived message as the result of a query, before its first presence.
func (a *Archive) Given(to *router.Bound, id string) bool {
	g := a.given.Loaded(to.Account())
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ids[to][id]
}

// Has returns those of some messages that an account's archive has, by their ids.
func (a *Archive) Has(ctx context.Context, account jid.JID, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	_, err := a.store.Query(ctx, account, archive.Filter{IDs: ids}, archive.Page{})
	switch {
	case err == nil: // all of them
		return ids, nil
	case !errors.Is(err, archive.ErrNoEntry):
		return nil, fmt.Errorf("look for messages in the archive of %s: %w", account, err)
	case len(ids) == 1:
		return nil, nil
	}
	first, err := a.Has(ctx, account, ids[:len(ids)/2])
	if err != nil {
		return nil, err
	}
	rest, err := a.Has(ctx, account, ids[len(ids)/2:])
	return slices.Concat(first, rest), err
}

// Arrived is called when a session has become available and has been given its offline messages. It is a presence.Arrival.
func (a *Archive) Arrived(_ context.Context, p *router.Pass) error {
	if g := a.given.Loaded(p.Account); g != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.ids, p.Session)
	}
	return nil
}
