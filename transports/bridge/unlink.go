package bridge

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// unlink removes an account. First it is marked, so that a crash in between is made good
// at the next start; then the owner's roster is cleared, then all that is kept.
func (g *Gateway) unlink(ctx context.Context, a *account) error {
	a.mu.Lock()
	a.row.Status = tables.StatusUnlinking
	a.mu.Unlock()
	if err := g.store.PutStatus(ctx, a.id, tables.StatusUnlinking, ""); err != nil {
		return fmt.Errorf("unlink: %w", err)
	}
	return g.finishUnlink(ctx, a)
}

func (g *Gateway) finishUnlink(ctx context.Context, a *account) error {
	a.stop()
	contacts, err := g.store.Contacts(ctx, a.id)
	if err != nil {
		return fmt.Errorf("unlink: %w", err)
	}
	for _, c := range contacts {
		g.removeContact(ctx, a, c.User)
	}
	if err := g.forget(ctx, a); err != nil {
		return err
	}
	if len(g.accountsOf(a.owner)) == 0 {
		g.removeSelf(ctx, a.owner)
	}
	return nil
}

// RemoveUser removes all accounts of a user whose own account is being deleted: there is no
// roster to be cleared.
func (g *Gateway) RemoveUser(ctx context.Context, who jid.JID) error {
	who = who.Bare()
	g.noteRemoval(who)
	g.dialogues.dropRegistration(who)
	g.dialogues.dropTalk(who)
	g.commands.Forget(who)
	for _, a := range g.accountsOf(who) {
		a.mu.Lock()
		a.row.Status = tables.StatusUnlinking
		a.mu.Unlock()
		a.stop()
		if err := g.forget(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// removal is the end of a user. Whoever has the address next is somebody else.
type removal struct {
	n  int64 // of all removals
	at time.Time
}

func (g *Gateway) noteRemoval(who jid.JID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.removed[who] = removal{g.removals.Add(1), g.now()}
}

// removedSince tells whether a user was removed after so many others had been.
func (g *Gateway) removedSince(who jid.JID, n int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.removed[who].n > n
}

// keepRemovals is for how long a login that was under way may still come to its end.
const keepRemovals = time.Hour

func (g *Gateway) forgetRemoved() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for who, r := range g.removed {
		if g.now().Sub(r.at) > keepRemovals {
			delete(g.removed, who)
		}
	}
}

// forget drops an account whose session has ended, with all that is kept for it.
func (g *Gateway) forget(ctx context.Context, a *account) error {
	rooms, err := g.seenBy(ctx, a)
	if err != nil {
		return fmt.Errorf("unlink: %w", err)
	}
	g.forgetAccount(a)
	g.durable.forget()
	if err := g.store.Unlink(ctx, a.id); err != nil {
		return fmt.Errorf("unlink: %w", err)
	}
	g.places.forget()
	g.durable.forget() // what came meanwhile
	for _, id := range rooms {
		g.poke(id, func(w *worker) bool {
			w.jobs = append(w.jobs, func(ctx context.Context, w *worker) { w.unlinked(ctx, a) })
			return true
		})
	}
	g.log.Info("account unlinked", "account", a.id, "owner", a.owner.String())
	return nil
}

// seenBy are the rooms that have a worker now.
func (g *Gateway) seenBy(ctx context.Context, a *account) ([]int64, error) {
	var ids []int64
	for after := int64(0); ; {
		page, err := g.store.LoginRooms(ctx, a.id, after, roomsPage)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			after = r.ID
			if g.hasWorker(r.ID) {
				ids = append(ids, r.ID)
			}
		}
		if len(page) < roomsPage {
			return ids, nil
		}
	}
}

func (g *Gateway) hasWorker(id int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.workers[id] != nil
}

// unlinked is what a room's worker does when an account is gone: its owner leaves, and a
// room that only it could see is forgotten.
func (w *worker) unlinked(ctx context.Context, a *account) {
	w.evictUser(ctx, a, "Your account was unlinked.")
	w.loaded = false
	w.call, w.head = nil, nil
	w.accepted, w.seenBy = nil, nil
}
