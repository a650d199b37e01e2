package bridge

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// readRoom reads what may be missing of a room. A panic of the session ends the reading of
// this room, which is then no longer held.
func (a *account) readRoom(ctx context.Context, h transports.Historian, id int64) (err error) {
	defer func() {
		if v := recover(); v != nil {
			a.g.Counters.Panics.Add(1)
			err = fmt.Errorf("panic in a session: %v\n%s", v, debug.Stack())
		}
	}()
	row, ok, err := a.g.store.RoomByID(ctx, id)
	if err != nil || !ok {
		return err
	}
	if !row.Backfilled {
		if err := a.fillRoom(ctx, h, row); err != nil || row.Last == "" {
			return err
		}
	}
	return a.catchUpRoom(ctx, h, row)
}

// catchUpRoom reads what came to a room since the last message that we know.
func (a *account) catchUpRoom(ctx context.Context, h transports.Historian, row tables.Room) error {
	isNew := func(e transports.Event) bool { return e.At.After(row.LastAt) || a.isNew(e) }
	after, limit := row.Last, a.g.set.Page
	if after == "" { // the room was empty: all that is in it is new
		limit = a.g.set.CatchUp
	}
	for got := 0; got < a.g.set.CatchUp; {
		events, more, err := a.history(ctx, h, row.Net, after, limit)
		if err != nil {
			return err
		}
		if err := a.keepPast(ctx, events, isNew); err != nil {
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

// fillRoom reads the last messages of a room that is new. Those from before the account
// was linked are history, quietly; later ones were never shown, and are told.
func (a *account) fillRoom(ctx context.Context, h transports.Historian, row tables.Room) error {
	events, _, err := a.history(ctx, h, row.Net, "", a.g.set.History)
	if err == nil && len(events) >= a.g.set.History && a.isNew(events[0]) {
		events, _, err = a.history(ctx, h, row.Net, "", a.g.set.CatchUp)
	}
	if err == nil {
		err = a.keepPast(ctx, events, a.isNew)
	}
	if err != nil && transports.ClassOf(err) != transports.Refused {
		return err
	}
	if err != nil {
		a.g.log.Warn("a room's history cannot be read", "account", a.id, "room", row.Net, "error", err)
	}
	return a.g.store.Commit(ctx, &tables.Batch{Rooms: tables.RoomBatch{Backfilled: []int64{row.ID}}})
}

// history is one call, at the rate that the account may.
func (a *account) history(ctx context.Context, h transports.Historian, room transports.RoomID, after transports.MessageID, n int) ([]transports.Event, bool, error) {
	if err := a.calls.Wait(ctx); err != nil {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	page, err := h.History(ctx, transports.HistoryRequest{Room: room, After: after, Limit: n})
	return page.Events, page.More && after != "", err
}

// isNew tells whether something happened when the account was linked already.
func (a *account) isNew(e transports.Event) bool { return e.At.After(a.linked().Add(-clockSkew)) }

// keepPast puts past events into the inbox: those before the first new one are history, quietly, the
// others are told. What cannot be used is left out.
func (a *account) keepPast(ctx context.Context, events []transports.Event, isNew func(transports.Event) bool) error {
	good := events[:0:0]
	for _, e := range events {
		if err := checkEvent(e); err != nil {
			a.g.log.Warn("event of the history refused", "account", a.id, "room", e.Room, "key", e.Key, "error", err)
			continue
		}
		if !e.Ephemeral() {
			good = append(good, e)
		}
	}
	old := slices.IndexFunc(good, isNew)
	if old < 0 {
		old = len(good)
	}
	if err := a.g.receiveAll(ctx, a, good[:old], true); err != nil {
		return err
	}
	return a.g.receiveAll(ctx, a, good[old:], false)
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
