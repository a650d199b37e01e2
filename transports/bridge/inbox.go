package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// errFull is told to the network, which keeps the event: the durable inbox is the only buffer.
var errFull = transports.Later(time.Second, errors.New("too many events wait in this room"))

// kept is an event as the inbox keeps it.
type kept struct {
	Room  transports.RoomID   `json:"r,omitempty"`
	Kind  transports.RoomKind `json:"k,omitempty"`
	Peer  transports.UserID   `json:"p,omitempty"`
	Actor transports.UserID   `json:"a,omitempty"`
	Name  string              `json:"n,omitempty"`
	Own   bool                `json:"o,omitempty"`
	Nonce string              `json:"c,omitempty"`
	At    time.Time           `json:"t,omitzero"`
	Quiet bool                `json:"q,omitempty"` // history of a room that is new: archived, told to nobody
	Body  json.RawMessage     `json:"b"`
}

func encodeEvent(e transports.Event, quiet bool) ([]byte, error) {
	body, err := transports.MarshalBody(e.Body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(kept{e.Room, e.Kind, e.Peer, e.Actor, e.Name, e.Own, e.Nonce, e.At, quiet, body})
}

func decodeEvent(row tables.Event) (e transports.Event, quiet bool, err error) {
	var k kept
	if err := json.Unmarshal(row.Data, &k); err != nil {
		return e, false, fmt.Errorf("read event: %w", err)
	}
	body, err := transports.UnmarshalBody(row.Kind, k.Body)
	if err != nil {
		return e, false, fmt.Errorf("read event: %w", err)
	}
	return transports.Event{
		Key: row.Key, Room: k.Room, Kind: k.Kind, Peer: k.Peer, Actor: k.Actor, Name: k.Name, Own: k.Own, Nonce: k.Nonce, At: k.At, Body: body,
	}, k.Quiet, nil
}

// deliver puts an event into the durable inbox of its room and wakes the worker.
func (g *Gateway) deliver(ctx context.Context, a *account, e transports.Event) error {
	done := make(chan error, 1)
	g.post1(ctx, a, e, never, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err() // it may be kept all the same; its key keeps it from coming twice
	}
}

// post1 is deliver without the wait. Where late says so at the moment at which the event
// would take its place, it is not kept.
func (g *Gateway) post1(ctx context.Context, a *account, e transports.Event, late func() bool, done func(error)) {
	id, err := g.place(ctx, a, e)
	if err != nil {
		done(err)
		return
	}
	event := eventID{id, e.Key}
	if kept, coming := g.durable.look(event, done); kept || coming {
		g.Counters.Duplicates.Add(1)
		if kept {
			done(nil)
		}
		return
	}
	row, err := g.rowOf(a, id, e, tables.PriorityHeld, false)
	if err != nil {
		done(err)
		return
	}
	var first *arrival
	g.keep([]tables.Event{row}, func() bool {
		if late() {
			return true
		}
		first = g.durable.arrive(event)
		return false
	}, func(err error) {
		defer g.durable.leave(first, err)
		done(err)
	})
}

func never() bool { return false }

// receiveAll makes a page of history durable before it returns.
func (g *Gateway) receiveAll(ctx context.Context, a *account, events []transports.Event, quiet bool) error {
	if len(events) == 0 {
		return nil
	}
	rows, err := g.rowsOf(ctx, a, events, quiet)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	g.keep(rows, never, func(err error) { done <- err })
	return <-done
}

// rowsOf makes inbox rows of history.
func (g *Gateway) rowsOf(ctx context.Context, a *account, events []transports.Event, quiet bool) ([]tables.Event, error) {
	rows := make([]tables.Event, 0, len(events))
	for _, e := range events {
		var row tables.Event
		id, err := g.place(ctx, a, e)
		if err == nil {
			row, err = g.rowOf(a, id, e, tables.PriorityNow, quiet)
		}
		if err != nil {
			for _, r := range rows {
				g.left(r.Room, 1)
			}
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// rowOf makes an event's row, which takes its place in the room's order.
func (g *Gateway) rowOf(a *account, room int64, e transports.Event, lane tables.Priority, quiet bool) (tables.Event, error) {
	data, err := encodeEvent(e, quiet)
	if err != nil {
		return tables.Event{}, transports.Refuse("bad-request", "the event cannot be kept", err)
	}
	row := tables.Event{Room: room, Login: a.id, Key: e.Key, Kind: transports.BodyKind(e.Body), Data: data, At: g.now()}
	if !g.enterInbox(a, &row, lane) {
		return tables.Event{}, errFull
	}
	return row, nil
}

// keep writes rows and wakes their workers; done is told when they are durable.
func (g *Gateway) keep(rows []tables.Event, late func() bool, done func(error)) {
	age := g.durable.began()
	g.inbox.put(rows, late, func(added []bool, err error) {
		if err != nil {
			err = transports.Later(time.Second, fmt.Errorf("keep event: %w", err))
		} else {
			g.durable.put(age, rows)
		}
		for i, r := range rows {
			if err != nil || !added[i] {
				g.left(r.Room, 1)
			}
			switch {
			case err != nil:
			case added[i]:
				g.Counters.Events.Add(1)
			default:
				g.Counters.Duplicates.Add(1)
			}
		}
		if err == nil {
			g.trace("kept")
		}
		done(err)
		for _, r := range rows { // also where they were not kept: their rooms may have been full
			g.poke(r.Room, func(w *worker) bool { w.inbound = true; return true })
		}
	})
}

// enterInbox numbers a row in its room's order; false where the room has too many. What comes live
// is then refused until the room has worked on all that it has, and its past is read. The past
// has room of its own, since it goes before the live events that wait.
func (g *Gateway) enterInbox(a *account, row *tables.Event, lane tables.Priority) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.workers[row.Room]
	if w == nil {
		w = &worker{g: g, id: row.Room}
		g.workers[row.Room] = w
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case lane == tables.PriorityNow:
		if w.pending >= g.set.Pending+2*g.set.CatchUp {
			return false
		}
	case w.refused != nil:
		return false
	case w.pending >= g.set.Pending:
		if g.info.Caps.History {
			w.refused = a
		}
		return false
	}
	w.pending++
	row.Seq = g.next()
	row.Position = row.Seq
	if lane == tables.PriorityHeld && w.live {
		row.Priority = tables.PriorityHeld
	}
	return true
}

// left takes rows off a room's count of those that wait.
func (g *Gateway) left(id int64, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w := g.workers[id]; w != nil {
		w.mu.Lock()
		w.pending = max(0, w.pending-n)
		if !w.running && !w.inbound && w.disposable() {
			delete(g.workers, id)
		}
		w.mu.Unlock()
	}
}

// combiner writes what several deliveries bring at the same time in one call of the store.
type combiner struct {
	g  *Gateway
	mu sync.Mutex

	rows    []tables.Event
	states  map[transports.LoginID]json.RawMessage
	waiting []waiter
	writing bool
}

type waiter struct {
	from, n int // its rows
	done    func(added []bool, err error)
}

// errLate is of an event that came behind one that could not be kept.
var errLate = errors.New("an event before this one was not kept")

// put has rows written, in the order of the calls, unless they are late; done is told which
// of them are new.
func (c *combiner) put(rows []tables.Event, late func() bool, done func(added []bool, err error)) {
	c.mu.Lock()
	if late() {
		c.mu.Unlock()
		done(nil, errLate)
		return
	}
	c.waiting = append(c.waiting, waiter{len(c.rows), len(rows), done})
	c.rows = append(c.rows, rows...)
	c.startLocked()
}

// save keeps a resume state behind what was delivered before.
func (c *combiner) save(id transports.LoginID, state json.RawMessage) {
	c.mu.Lock()
	if c.states == nil {
		c.states = map[transports.LoginID]json.RawMessage{}
	}
	c.states[id] = state
	c.startLocked()
}

// startLocked has somebody write, and unlocks.
func (c *combiner) startLocked() {
	start := !c.writing
	c.writing = true
	c.mu.Unlock()
	if start && !c.g.spawn(func(context.Context) { c.write() }) {
		c.write() // the gateway is stopping
	}
}

// write goes on until nothing is left.
func (c *combiner) write() {
	for {
		c.mu.Lock()
		rows, states, waiting := c.rows, c.states, c.waiting
		c.rows, c.states, c.waiting = nil, nil, nil
		if len(rows) == 0 && len(states) == 0 {
			c.writing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		added, err := c.g.store.Receive(context.Background(), rows, states)
		for _, w := range waiting {
			if err != nil {
				w.done(nil, err)
			} else {
				w.done(added[w.from:w.from+w.n], nil)
			}
		}
		if err != nil && !c.failed(states, len(rows), err) {
			return
		}
	}
}

// failed keeps resume states for the next write and tells whether to go on at once. What has
// come behind the events that failed fails with them: it must not pass them. Each failure
// ends the session that the event came from, so that nothing comes behind it later either.
func (c *combiner) failed(states map[transports.LoginID]json.RawMessage, events int, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for events > 0 && len(c.waiting) > 0 {
		events += len(c.rows)
		waiting := c.waiting
		c.rows, c.waiting = nil, nil
		c.mu.Unlock()
		for _, w := range waiting {
			w.done(nil, err)
		}
		c.mu.Lock()
	}
	c.g.log.Error("keeping events", "events", events, "error", err)
	for id, state := range states {
		if _, newer := c.states[id]; !newer {
			if c.states == nil {
				c.states = map[transports.LoginID]json.RawMessage{}
			}
			c.states[id] = state
		}
	}
	c.writing = len(c.rows) > 0
	return c.writing
}
