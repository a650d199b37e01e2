package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// step is one event on its way from the inbox to stanzas.
type step struct {
	w     *worker
	row   tables.Event
	e     transports.Event
	quiet bool
	all   *tables.Batch // of the steps before, not committed yet
	b     tables.Batch  // of this one

	kept  []delivery                  // stanzas that must reach the server though we crash
	after []func(ctx context.Context) // what is done once the batch is committed
}

// delivery is a stanza as a ready inbox row keeps it.
type delivery struct {
	To      jid.JID `json:"to"`
	From    jid.JID `json:"from"`
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Payload string  `json:"x"`
}

func (d delivery) stanza() *stanza.Stanza {
	return &stanza.Stanza{Kind: stanza.Message, To: d.To, From: d.From, ID: d.ID, Type: d.Type, Payload: d.Payload}
}

func decodeDeliveries(data []byte) ([]delivery, error) {
	var list []delivery
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	return list, nil
}

// errHeld is returned for an event that has to wait for the outcome of a call.
var errHeld = errors.New("held until a call has ended")

// maxStuck is how often an event that the store does not take is tried alone.
const maxStuck = 5

// takeIn works on the events that wait, a batch at a time.
func (w *worker) takeIn(ctx context.Context) {
	limit := batchEvents + w.heldRows
	rows, err := w.g.store.PendingEvents(ctx, w.id, limit)
	if err != nil {
		if ctx.Err() == nil {
			w.g.log.Error("reading events", "room", w.row.Net, "error", err)
			w.again(ctx)
			w.lookIn()
		}
		return
	}
	if !w.mayTakeIn() { // a catch-up has begun, and what has come since is perhaps among these
		w.lookIn()
		return
	}
	w.heldRows = 0
	done, all := w.work(ctx, rows)
	if ctx.Err() != nil {
		return
	}
	if len(done) > 0 {
		w.g.trace("worked", slog.String("room", string(w.row.Net)), slog.Int("events", len(done)))
		if err := w.commit(ctx, all); err != nil {
			w.lookIn()
			if ctx.Err() == nil {
				w.g.log.Error("writing events", "room", w.row.Net, "events", len(done), "error", err)
				w.oneByOne(ctx, done)
			}
			return
		}
		w.together(func() { w.handOver(ctx, done) })
	}
	if len(rows) == limit && len(done) > 0 {
		w.lookIn()
		return
	}
	w.caughtUp(len(rows) == len(done))
}

// caughtUp lets live events have the first lane again once nothing waits before them. Where some
// were refused meanwhile, their account reads the past first.
func (w *worker) caughtUp(empty bool) {
	w.mu.Lock()
	empty = empty && w.gaps == 0 && w.pending == 0
	refused := w.refused
	if empty {
		w.live = false
	}
	w.mu.Unlock()
	if empty && refused != nil {
		refused.missed(w.row)
		w.mu.Lock()
		if w.gaps == 0 { // the account is not there any longer
			w.refused = nil
		}
		w.mu.Unlock()
	}
}

// work turns rows into steps, in order; those that are held stay for later.
func (w *worker) work(ctx context.Context, rows []tables.Event) ([]*step, *tables.Batch) {
	all := &tables.Batch{}
	var done []*step
	for _, row := range rows {
		s := &step{w: w, row: row, all: all}
		err := s.run(ctx)
		if ctx.Err() != nil {
			return nil, nil
		}
		if errors.Is(err, errHeld) {
			w.heldRows++
			continue
		}
		if err != nil {
			w.g.Counters.Failed.Add(1)
			w.g.log.Error("an event is kept aside", "room", w.row.Net, "seq", row.Seq, "kind", row.Kind, "error", err)
			s = &step{w: w, row: row, all: all}
			s.b.Inbox.Events = []tables.EventUpdate{{Seq: row.Seq, State: tables.EventFailed, Error: err.Error()}}
		} else {
			s.finish()
		}
		all.Append(&s.b)
		done = append(done, s)
	}
	return done, all
}

// run is the event's meaning; a panic is its error.
func (s *step) run(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.w.g.Counters.Panics.Add(1)
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	if s.e, s.quiet, err = decodeEvent(s.row); err != nil {
		return err
	}
	if err := s.mean(ctx); err != nil {
		return err // what this step would have changed is forgotten
	}
	s.learnRoom(ctx)
	return nil
}

func (s *step) mean(ctx context.Context) error {
	switch b := s.e.Body.(type) {
	case transports.Message:
		return s.message(ctx, b)
	case transports.Edit:
		return s.edit(ctx, b)
	case transports.Delete:
		return s.delete(ctx, b)
	case transports.Reactions:
		return s.reactions(ctx, b)
	case transports.Read:
		return s.read(ctx, b)
	case transports.Member:
		return s.member(ctx, b)
	case transports.RoomChanged:
		return s.roomChanged(ctx, b)
	case transports.RoomGone:
		return s.roomGone(ctx, b)
	case transports.Contact:
		return s.contact(ctx, b)
	case transports.Call:
		return s.callNotice(ctx, b)
	}
	return fmt.Errorf("no way to show an event of kind %q", s.row.Kind)
}

// finish writes down how far the event's row has come.
func (s *step) finish() {
	u := tables.EventUpdate{Seq: s.row.Seq, State: tables.EventDone}
	if len(s.kept) > 0 {
		u.State, u.Position = tables.EventReady, s.w.g.next()
		u.Deliveries, _ = json.Marshal(s.kept)
	}
	s.b.Inbox.Events = append(s.b.Inbox.Events, u)
}

// handOver sends what the committed steps want sent.
func (w *worker) handOver(ctx context.Context, done []*step) {
	w.g.left(w.id, len(done))
	w.g.trace("committed", slog.String("room", string(w.row.Net)), slog.Int("events", len(done)))
	for _, s := range done {
		for _, f := range s.after {
			w.guard("show", func() { f(ctx) })
		}
		if len(s.kept) > 0 {
			w.g.handed.send(s.row.Seq, s.kept)
			w.g.Counters.Delivered.Add(1)
		}
		for _, d := range s.kept {
			w.g.trace("stanza", slog.String("to", d.To.String()), slog.String("id", d.ID))
		}
		w.g.trace("handed over", slog.String("room", string(w.row.Net)), slog.String("kind", s.row.Kind), slog.String("key", s.row.Key))
	}
	for _, s := range done {
		delete(w.stuck, s.row.Seq)
	}
}

// oneByOne is for a batch that the store did not take: one bad event must not hold up
// the others. What fails alone several times is kept aside.
func (w *worker) oneByOne(ctx context.Context, steps []*step) {
	for _, old := range steps {
		done, b := w.work(ctx, []tables.Event{old.row})
		if ctx.Err() != nil || len(done) == 0 {
			return
		}
		err := w.commit(ctx, b)
		if err == nil {
			w.handOver(ctx, done)
			continue
		}
		if w.stuck == nil {
			w.stuck = map[int64]int{}
		}
		if w.stuck[old.row.Seq]++; w.stuck[old.row.Seq] >= maxStuck {
			aside := &tables.Batch{Inbox: tables.InboxBatch{Events: []tables.EventUpdate{{Seq: old.row.Seq, State: tables.EventFailed, Error: err.Error()}}}}
			if w.commit(ctx, aside) == nil {
				w.g.Counters.Failed.Add(1)
				w.g.left(w.id, 1)
				delete(w.stuck, old.row.Seq)
				continue
			}
		}
		w.again(ctx)
		return // keep the order
	}
}

// then does something once the step is durable.
func (s *step) then(f func(ctx context.Context)) { s.after = append(s.after, f) }

// learnRoom keeps what an event tells of its room: the network's id of a conversation
// that began with the person, and that the account sees the room.
func (s *step) learnRoom(ctx context.Context) {
	w := s.w
	if w.row.Net == "" && s.e.Room != "" && w.direct() {
		row := w.row
		row.Net = s.e.Room
		s.b.Rooms.Rooms = append(s.b.Rooms.Rooms, row)
		s.then(func(context.Context) { w.row.Net = row.Net })
	}
	switch s.e.Body.(type) {
	case transports.RoomGone, transports.RoomChanged, transports.Contact:
		return
	}
	a := w.g.account(s.row.Login)
	if a == nil || w.seenBy[a.id] {
		return
	}
	rows, err := w.g.store.RoomLogins(ctx, w.id)
	if err != nil {
		return // the next event tells it too
	}
	known := slices.ContainsFunc(rows, func(r tables.Visibility) bool { return r.Login == a.id })
	if !known {
		s.b.Rooms.Visible = append(s.b.Rooms.Visible, tables.Visibility{Login: a.id, Room: w.id, Joined: true, Writable: true})
	}
	s.then(func(context.Context) {
		if w.seenBy[a.id] {
			return
		}
		if w.seenBy == nil {
			w.seenBy = map[transports.LoginID]bool{}
		}
		w.seenBy[a.id] = true
		if !known && !w.direct() {
			w.g.spawn(func(ctx context.Context) { w.g.describe(ctx, a, s.e.Room) })
		}
	})
}

// describe asks the network about a room that an event came from before it was listed.
func (g *Gateway) describe(ctx context.Context, a *account, id transports.RoomID) {
	session := a.ready()
	if session == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	info, err := session.Room(ctx, id)
	if err == nil && info.ID == id && info.Kind != transports.Direct {
		err = g.deliver(ctx, a, transports.Event{
			Key: "described " + stanza.NewID(), Room: id, Kind: info.Kind, At: g.now(), Body: transports.RoomChanged{Info: info},
		})
	}
	if err != nil {
		g.log.Debug("describing a room", "room", id, "error", err)
	}
}
