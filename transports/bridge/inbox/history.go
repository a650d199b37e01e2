package inbox

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// readRoom reads what may be missing of a room. A panic of the client ends the reading of this room,
// which is then no longer held.
func (b *Backfill) readRoom(ctx context.Context, l *logins.Login, h transports.Historian, id int64) (err error) {
	defer func() {
		if v := recover(); v != nil {
			b.env.Counters.Panics.Add(1)
			err = fmt.Errorf("panic in a client: %v\n%s", v, debug.Stack())
		}
	}()
	row, ok, err := b.store.RoomByID(ctx, id)
	if err != nil || !ok {
		return err
	}
	defer func() {
		if transports.ClassOf(err) == transports.Refused {
			b.Doubted(ctx, l, row)
		}
	}()
	if !row.Backfilled {
		if err := b.readNew(ctx, l, h, row); err != nil || row.Last == "" {
			return err
		}
	}
	return b.readGap(ctx, l, h, row)
}

// readGap reads what came to a room since the last message that we know.
func (b *Backfill) readGap(ctx context.Context, l *logins.Login, h transports.Historian, row tables.Room) error {
	isNew := func(e transports.Event) bool { return e.At.After(row.LastAt) || isNewTo(l, e) }
	after, limit := row.Last, b.env.Settings.Page
	if after == "" { // the room was empty: all that is in it is new
		limit = b.env.Settings.Backfill
	}
	for got := 0; got < b.env.Settings.Backfill; {
		page, err := b.history(ctx, l, h, transports.HistoryRequest{Room: row.Net, After: after, Limit: limit})
		if err != nil {
			return err
		}
		if err := b.storeHistory(ctx, l, page.Events, isNew); err != nil {
			return err
		}
		got += len(page.Events)
		last := lastMessage(page.Events)
		if !page.More || after == "" || last == "" || last == after {
			return nil
		}
		after = last
	}
	b.env.Notify(l.Owner, "More was said in "+row.Name+" while "+b.env.Info.Name+" could not be reached than can be shown here.")
	return nil
}

// readNew reads the last messages of a room that is new. Those from before the account was linked
// are archived, and shown to nobody; later ones are shown.
func (b *Backfill) readNew(ctx context.Context, l *logins.Login, h transports.Historian, row tables.Room) error {
	isNew := func(e transports.Event) bool { return isNewTo(l, e) }
	events, err := b.newest(ctx, l, h, row.Net)
	if err == nil {
		err = b.storeHistory(ctx, l, events, isNew)
	}
	if err != nil && transports.ClassOf(err) != transports.Refused {
		return err
	}
	if err != nil {
		b.env.Log.Warn("a room's history cannot be read", "login", l.ID, "room", row.Net, "error", err)
		b.Doubted(ctx, l, row)
	}
	return b.store.Commit(ctx, &tables.Batch{Rooms: tables.RoomBatch{Backfilled: []int64{row.ID}}})
}

// newest reads the last messages of a room, page by page: as many as the settings want, and more where
// all of those are new to the login.
func (b *Backfill) newest(ctx context.Context, l *logins.Login, h transports.Historian, room transports.RoomID) (events []transports.Event, err error) {
	request := transports.HistoryRequest{Room: room, Limit: b.env.Settings.History}
	for {
		page, err := b.history(ctx, l, h, request)
		if err != nil {
			return nil, err
		}
		events = append(page.Events, events...)
		first := firstMessage(page.Events)
		if !page.More || first == "" || first == request.Before {
			return events, nil
		}
		most := b.env.Settings.History
		if isNewTo(l, events[0]) {
			most = b.env.Settings.Backfill
		}
		if request.Limit = min(most-len(events), b.env.Settings.Page); request.Limit <= 0 {
			return events, nil
		}
		request.Before = first
	}
}

// firstMessage is where to go on reading backwards.
func firstMessage(events []transports.Event) transports.MessageID {
	for _, e := range events {
		if m, ok := e.Body.(transports.Message); ok {
			return m.ID
		}
	}
	return ""
}

// history is one call, at the rate that the login may make them.
func (b *Backfill) history(ctx context.Context, l *logins.Login, h transports.Historian, request transports.HistoryRequest) (transports.HistoryPage, error) {
	b.mu.Lock()
	calls := b.of(l).calls
	b.mu.Unlock()
	if err := calls.Wait(ctx); err != nil {
		return transports.HistoryPage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, gateway.CallTimeout)
	defer cancel()
	return h.History(ctx, request)
}

// isNewTo reports whether something happened when the account was linked already.
func isNewTo(l *logins.Login, e transports.Event) bool {
	return e.At.After(l.LinkedAt().Add(-gateway.ClockSkew))
}

// storeHistory stores past events: those before the first new one are shown to nobody. What cannot be used is
// left out.
func (b *Backfill) storeHistory(ctx context.Context, l *logins.Login, events []transports.Event, isNew func(transports.Event) bool) error {
	usable := events[:0:0]
	for _, e := range events {
		if err := check(e); err != nil {
			b.env.Log.Warn("event of the history refused", "login", l.ID, "room", e.Room, "key", e.Key, "error", err)
			continue
		}
		if !e.Ephemeral() {
			usable = append(usable, e)
		}
	}
	first := slices.IndexFunc(usable, isNew)
	if first < 0 {
		first = len(usable)
	}
	for i := range usable[:first] {
		usable[i].Past = true
	}
	if err := b.inbox.backfill(ctx, l, usable[:first]); err != nil {
		return err
	}
	return b.inbox.backfill(ctx, l, usable[first:])
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
