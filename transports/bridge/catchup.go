package bridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// catchUp is what an account has to read of the past: the rooms where messages may be
// missing, and those whose history was never read. One goroutine reads, room by room;
// rooms where events wait come first.
type catchUp struct {
	running bool
	held    []heldRoom     // rooms that are held now, the one that is being read aside
	asked   map[int64]bool // rooms that were held since events may last have been missed
	begun   time.Time      // when the first of them was held
	dropped bool           // a room was let go before its past was read
	off     bool           // the account is not kept open: nothing is held for it
}

type heldRoom struct {
	id     int64
	shared bool // other accounts may bring events to it
}

const roomsPage = 500

// beginCatchUp is called when events may have been missed, before any later event: from
// now on live events are held behind what the history will bring.
func (a *account) beginCatchUp(ctx context.Context) error {
	if !a.g.info.Caps.History {
		return nil
	}
	rooms, err := a.joinedRooms(ctx)
	if err != nil {
		return fmt.Errorf("read rooms to catch up: %w", err)
	}
	a.mu.Lock()
	a.gap.asked, a.gap.dropped = make(map[int64]bool, len(rooms)), false
	for _, h := range a.gap.held {
		a.gap.asked[h.id] = true
	}
	a.mu.Unlock()
	a.hold(rooms)
	return nil
}

// hold keeps back what comes to rooms until their past was read, once after each gap.
func (a *account) hold(rooms []tables.Room) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gap.off || !a.g.info.Caps.History {
		return
	}
	if len(a.gap.held) == 0 {
		a.gap.begun = a.g.now()
	}
	for _, r := range rooms {
		if r.Net == "" || a.gap.asked[r.ID] {
			continue
		}
		if a.gap.asked == nil {
			a.gap.asked = map[int64]bool{}
		}
		a.gap.asked[r.ID] = true
		a.gap.held = append(a.gap.held, heldRoom{r.ID, r.Scope == ""})
		a.g.hold(r.ID)
	}
}

// missed is told of a room whose past has to be read once more.
func (a *account) missed(r tables.Room) {
	a.mu.Lock()
	if !slices.ContainsFunc(a.gap.held, func(h heldRoom) bool { return h.id == r.ID }) {
		delete(a.gap.asked, r.ID)
	}
	a.mu.Unlock()
	a.found(r)
}

// joinedRooms are those that this account is in.
func (a *account) joinedRooms(ctx context.Context) ([]tables.Room, error) {
	var list []tables.Room
	for after := int64(0); ; {
		page, err := a.g.store.LoginRooms(ctx, a.id, after, roomsPage)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Visible.Joined {
				list = append(list, r.Room)
			}
			after = r.ID
		}
		if len(page) < roomsPage {
			return list, nil
		}
	}
}

// hold keeps a room's events back until release.
func (g *Gateway) hold(id int64) {
	g.poke(id, func(w *worker) bool {
		w.gaps++
		w.live = true
		w.refused = nil // what was refused is among what will be read
		return true
	})
}

// release lets a room's events go on. Where its past was not read the room is open: what
// comes is shown, but the next catch-up begins where this one would have.
func (g *Gateway) release(id int64, caughtUp bool) {
	g.poke(id, func(w *worker) bool {
		w.gaps = max(0, w.gaps-1)
		w.open = !caughtUp
		w.inbound = true
		return true
	})
}

// letGo releases what is held while there is no session that could read the past. Where
// the account is expected back soon, only others' sessions may bring events: the rooms
// that are shared must not wait for it.
func (a *account) letGo(soon bool) {
	soon = soon && a.g.now().Sub(a.heldSince()) <= a.g.set.CatchUpHold
	others := soon && a.g.anyOnline()
	a.mu.Lock()
	defer a.mu.Unlock()
	var kept []heldRoom
	for _, h := range a.gap.held {
		if soon && !(h.shared && others) {
			kept = append(kept, h)
			continue
		}
		a.g.release(h.id, false)
		a.gap.dropped = true
	}
	a.gap.held = kept
}

// mustBegin tells whether the past has to be read although the session missed nothing since
// it was last online.
func (a *account) mustBegin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gap.dropped
}

func (a *account) heldSince() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gap.begun
}

// holdNothing is for an account that is not kept open any longer.
func (a *account) holdNothing() {
	a.mu.Lock()
	a.gap.off = true
	a.mu.Unlock()
	a.letGo(false)
}

func (g *Gateway) anyOnline() bool {
	for _, a := range g.allAccounts() {
		if a.online() {
			return true
		}
	}
	return false
}

// found is told of rooms that perhaps are new, or of which the account did not know before
// that it is in them: their past is read too.
func (a *account) found(rooms ...tables.Room) {
	a.hold(rooms)
	a.runCatchUp()
}

// runCatchUp starts the reading, where there is something to read and a session that is online:
// read before that, the past would end before the present begins, and what is said between
// the two would be lost.
func (a *account) runCatchUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gap.running || a.readyLocked() == nil || a.g.ctx.Err() != nil || len(a.gap.held) == 0 {
		return
	}
	session := a.session
	a.gap.running = a.g.spawn(func(ctx context.Context) { a.readPast(ctx, session) })
}

// readPast reads one room after the other.
func (a *account) readPast(ctx context.Context, session transports.Client) {
	defer a.runCatchUp() // for what came, or for another session that was opened, meanwhile
	defer func() {
		a.mu.Lock()
		a.gap.running = false
		a.mu.Unlock()
	}()
	h, ok := session.(transports.Historian)
	for ok && ctx.Err() == nil {
		room, more := a.nextPast(session)
		if !more {
			return
		}
		err := a.readRoom(ctx, h, room.id)
		switch {
		case err == nil:
			a.g.release(room.id, true)
		case a.putOff(room, err):
			a.pause(ctx, err)
		}
	}
}

// nextPast picks the next room, one with events that wait before all others.
func (a *account) nextPast(session transports.Client) (room heldRoom, more bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.session != session || len(a.gap.held) == 0 {
		return room, false
	}
	pick := max(0, slices.IndexFunc(a.gap.held, func(h heldRoom) bool { return a.g.waits(h.id) }))
	room = a.gap.held[pick]
	a.gap.held = slices.Delete(a.gap.held, pick, pick+1)
	return room, true
}

// waits tells whether events wait in a room.
func (g *Gateway) waits(id int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.workers[id]
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pending > 0
}

// putOff tells whether a room is to be tried again: it then stays held.
func (a *account) putOff(room heldRoom, err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	again := transports.ClassOf(err) == transports.Retry || errors.Is(err, errFull)
	if again && !a.gap.off && a.g.now().Sub(a.gap.begun) <= a.g.set.CatchUpHold {
		if len(a.gap.held) == 0 {
			a.gap.begun = a.g.now()
		}
		a.gap.held = append(a.gap.held, room)
		return true
	}
	if !a.gap.off {
		a.g.log.Warn("catching up was given up for now; messages may be missing until the next time", "account", a.id, "room", room.id, "error", err)
	}
	a.g.release(room.id, false)
	return false
}

// pause waits as long as the network asks.
func (a *account) pause(ctx context.Context, err error) {
	d := backoffMin
	var e *transports.Error
	if errors.As(err, &e) {
		d = max(d, e.After)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
