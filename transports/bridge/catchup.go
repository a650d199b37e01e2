package bridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// catchUp is what an account has to read of the past: the rooms where messages may be
// missing, and those whose history was never read. One goroutine reads, room by room;
// rooms where live events wait come first.
type catchUp struct {
	running bool
	held    []int64   // rooms that are held now
	fill    []RoomRow // rooms whose history was never read
	begun   time.Time
}

const roomsPage = 500

// beginCatchUp is called when events may have been missed, before any later event: from
// now on live events are held behind what the history will bring.
func (a *account) beginCatchUp() error {
	if !a.g.info.Caps.History {
		return nil
	}
	rooms, err := a.knownRooms(a.g.ctx)
	if err != nil {
		return fmt.Errorf("read rooms to catch up: %w", err)
	}
	a.mu.Lock()
	if a.gap == nil {
		a.gap = &catchUp{}
	}
	held := map[int64]bool{}
	for _, id := range a.gap.held {
		held[id] = true
	}
	var fresh []int64
	for _, r := range rooms {
		if !held[r.ID] {
			fresh = append(fresh, r.ID)
		}
	}
	a.gap.held = append(a.gap.held, fresh...)
	a.gap.begun = a.g.now()
	a.mu.Unlock()
	for _, id := range fresh {
		a.g.hold(id)
	}
	return nil
}

// knownRooms are those that this account is in and whose history was read before.
func (a *account) knownRooms(ctx context.Context) ([]RoomRow, error) {
	var list []RoomRow
	for after := int64(0); ; {
		page, err := a.g.store.AccountRooms(ctx, a.id, after, roomsPage)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Visible.Joined && (r.Filled || r.Seen != "") && r.Room != "" {
				list = append(list, r.RoomRow)
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
		return true
	})
}

func (g *Gateway) release(id int64) {
	g.poke(id, func(w *worker) bool {
		w.gaps = max(0, w.gaps-1)
		w.inbound = true
		return true
	})
}

// dropHeld lets go of what is held while there is no session that could read the past:
// other accounts' sessions may bring events to the same rooms. The next session begins anew.
func (a *account) dropHeld() {
	a.mu.Lock()
	var held []int64
	if a.gap != nil {
		held, a.gap.held = a.gap.held, nil
	}
	a.mu.Unlock()
	for _, id := range held {
		a.g.release(id)
	}
}

// fillLater reads the history of a room that is new, once.
func (a *account) fillLater(row RoomRow) {
	if !a.g.info.Caps.History || row.Filled || row.Room == "" {
		return
	}
	a.mu.Lock()
	if a.gap == nil {
		a.gap = &catchUp{}
	}
	a.gap.fill = append(a.gap.fill, row)
	a.mu.Unlock()
	a.runCatchUp()
}

// runCatchUp starts the reading, where there is something to read and a session to read with.
func (a *account) runCatchUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gap == nil || a.gap.running || a.session == nil || a.g.ctx.Err() != nil || len(a.gap.held)+len(a.gap.fill) == 0 {
		return
	}
	session := a.session
	a.gap.running = a.g.spawn(func(ctx context.Context) { a.readPast(ctx, session) })
}

// readPast reads one room after the other.
func (a *account) readPast(ctx context.Context, session transports.Session) {
	defer a.runCatchUp() // for what came, or for another session that was opened, meanwhile
	defer func() {
		a.mu.Lock()
		a.gap.running = false
		a.mu.Unlock()
	}()
	h, ok := session.(transports.Historian)
	for ok && ctx.Err() == nil {
		id, fill, more := a.nextPast(session)
		if !more {
			return
		}
		if fill != nil {
			a.fillRoom(ctx, h, *fill)
			continue
		}
		err := a.catchUpRoom(ctx, h, id)
		if a.putOff(id, err) {
			a.pause(ctx, err)
			continue
		}
		a.g.release(id)
	}
}

// nextPast picks the next room: one with live events that wait, another one, one to fill.
func (a *account) nextPast(session transports.Session) (id int64, fill *RoomRow, more bool) {
	a.mu.Lock()
	held := a.gap.held
	a.mu.Unlock()
	pick := 0
	for i, id := range held {
		if a.g.waits(id) {
			pick = i
			break
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.session != session {
		return 0, nil, false
	}
	if len(held) > 0 && len(a.gap.held) > 0 {
		id = held[pick]
		rest := a.gap.held[:0:0]
		for _, h := range a.gap.held {
			if h != id {
				rest = append(rest, h)
			}
		}
		a.gap.held = rest
		return id, nil, true
	}
	if len(a.gap.fill) > 0 {
		row := a.gap.fill[0]
		a.gap.fill = a.gap.fill[1:]
		return 0, &row, true
	}
	return 0, nil, false
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

// catchUpRoom reads what came to a room since the last message that we know.
func (a *account) catchUpRoom(ctx context.Context, h transports.Historian, id int64) error {
	row, ok, err := a.g.store.RoomByID(ctx, id)
	if err != nil || !ok {
		return err
	}
	after, limit := row.Seen, a.g.set.Page
	if after == "" { // the room was empty: all that is in it is new
		limit = a.g.set.CatchUp
	}
	for got := 0; got < a.g.set.CatchUp; {
		events, more, err := a.history(ctx, h, row.Room, after, limit)
		if err != nil {
			return err
		}
		if err := a.keepPast(ctx, events, false); err != nil {
			return err
		}
		got += len(events)
		last := lastMessage(events)
		if !more || last == "" || last == after {
			return nil
		}
		after = last
	}
	a.g.tell(a.owner, "More was said in "+row.Name+" while "+a.g.info.Name+" could not be reached than can be shown here.")
	return nil
}

// fillRoom reads the last messages of a room that is new, quietly: they are history. In a
// conversation, those from after the account was linked were never shown and are told.
func (a *account) fillRoom(ctx context.Context, h transports.Historian, row RoomRow) {
	if row, ok, err := a.g.store.RoomByID(ctx, row.ID); err != nil || !ok || row.Filled {
		return
	}
	a.g.hold(row.ID)
	defer a.g.release(row.ID)
	events, _, err := a.history(ctx, h, row.Room, "", a.g.set.History)
	old := len(events)
	if row.Kind == transports.Direct {
		linked := a.linked()
		old = slices.IndexFunc(events, func(e transports.Event) bool { return e.At.After(linked) })
		if old < 0 {
			old = len(events)
		}
	}
	if err == nil {
		err = a.keepPast(ctx, events[:old], true)
	}
	if err == nil {
		err = a.keepPast(ctx, events[old:], false)
	}
	if err != nil && transports.ClassOf(err) != transports.Refused {
		if ctx.Err() == nil {
			a.g.log.Warn("reading a room's history", "room", row.Room, "error", err)
		}
		return // the next start tries again
	}
	row.Filled = true
	if err := a.g.store.Commit(ctx, &Batch{Filled: []int64{row.ID}}); err != nil && ctx.Err() == nil {
		a.g.log.Error("keeping that a history was read", "room", row.Room, "error", err)
	}
}

// history is one call, at the rate that the account may.
func (a *account) history(ctx context.Context, h transports.Historian, room transports.RoomID, after transports.MessageID, n int) ([]transports.Event, bool, error) {
	if err := a.calls.Wait(ctx); err != nil {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return h.History(ctx, room, after, n)
}

// keepPast puts past events into the inbox; those that cannot be used are left out.
func (a *account) keepPast(ctx context.Context, events []transports.Event, quiet bool) error {
	good := events[:0:0]
	for _, e := range events {
		if err := checkEvent(e); err != nil {
			a.g.log.Warn("event of the history refused", "account", a.id, "room", e.Room, "key", e.Key, "error", err)
			continue
		}
		if !e.Fleeting() {
			good = append(good, e)
		}
	}
	if len(good) == 0 {
		return nil
	}
	return a.g.receiveAll(ctx, a, good, quiet)
}

// lastMessage is where to go on reading.
func lastMessage(events []transports.Event) transports.MessageID {
	for i := len(events) - 1; i >= 0; i-- {
		if m, ok := events[i].Body.(transports.Message); ok {
			return m.ID
		}
	}
	return ""
}

// putOff tells whether a room is to be tried again: it then stays held.
func (a *account) putOff(id int64, err error) bool {
	if err == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if transports.ClassOf(err) != transports.Retry && !errors.Is(err, errFull) {
		a.g.log.Warn("catching up", "account", a.id, "room", id, "error", err)
		return false
	}
	if a.g.now().Sub(a.gap.begun) > a.g.set.CatchUpHold && a.session != nil {
		a.g.log.Warn("giving up catching up; messages may be missing", "account", a.id, "room", id, "error", err)
		return false
	}
	a.gap.held = append(a.gap.held, id)
	return true
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
