package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// EventStore stores events and the resume states that belong to them, in one transaction.
type EventStore interface {
	Receive(ctx context.Context, events []tables.Event, states map[transports.LoginID]json.RawMessage) (added []bool, err error)
}

// writer writes what several deliveries bring at the same time in one transaction. Its goroutine runs
// while there is something to write.
type writer struct {
	env   *gateway.Env
	store EventStore

	mu      sync.Mutex
	rows    []tables.Event
	states  map[transports.LoginID]json.RawMessage
	waiting []waiter
	writing bool
}

// waiter is called when n rows, from the index from on, are written.
type waiter struct {
	from, n int
	done    func(added []bool, err error)
}

// errLate is the error of an event that came after one of its client that could not be stored.
var errLate = errors.New("an event before this one was not stored")

func newWriter(env *gateway.Env, store EventStore) *writer { return &writer{env: env, store: store} }

// put has rows written, in the order of the calls, unless late returns true; done is called with
// whether each of them is new.
func (w *writer) put(rows []tables.Event, late func() bool, done func(added []bool, err error)) {
	w.mu.Lock()
	if late() {
		w.mu.Unlock()
		done(nil, errLate)
		return
	}
	w.waiting = append(w.waiting, waiter{len(w.rows), len(rows), done})
	w.rows = append(w.rows, rows...)
	w.startAndUnlock()
}

// save keeps a resume state behind what was put before.
func (w *writer) save(id transports.LoginID, state json.RawMessage) {
	w.mu.Lock()
	w.setState(id, state)
	w.startAndUnlock()
}

func (w *writer) setState(id transports.LoginID, state json.RawMessage) {
	if w.states == nil {
		w.states = map[transports.LoginID]json.RawMessage{}
	}
	w.states[id] = state
}

func (w *writer) startAndUnlock() {
	start := !w.writing
	w.writing = true
	w.mu.Unlock()
	if start && !w.env.Group.Go(func(context.Context) { w.write() }) {
		w.write() // the gateway is stopping
	}
}

// write goes on until nothing is left.
func (w *writer) write() {
	for {
		w.mu.Lock()
		rows, states, waiting := w.rows, w.states, w.waiting
		w.rows, w.states, w.waiting = nil, nil, nil
		if len(rows) == 0 && len(states) == 0 && len(waiting) == 0 {
			w.writing = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		var added []bool
		var err error
		if len(rows)+len(states) > 0 {
			added, err = w.store.Receive(context.Background(), rows, states)
		}
		for _, r := range waiting {
			if err != nil {
				r.done(nil, err)
			} else {
				r.done(added[r.from:r.from+r.n], nil)
			}
		}
		if err != nil && !w.failed(states, len(rows), err) {
			return
		}
	}
}

// failed keeps resume states for the next write and reports whether to go on at once. Rows that were put after
// the events that failed fail too: they must not be stored before those. Each failure ends the client
// that the event came from, so that it brings no later ones either.
func (w *writer) failed(states map[transports.LoginID]json.RawMessage, events int, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for events > 0 && len(w.waiting) > 0 {
		events += len(w.rows)
		waiting := w.waiting
		w.rows, w.waiting = nil, nil
		w.mu.Unlock()
		for _, r := range waiting {
			r.done(nil, err)
		}
		w.mu.Lock()
	}
	w.env.Log.Error("storing events", "events", events, "error", err)
	for id, state := range states {
		if _, newer := w.states[id]; !newer {
			w.setState(id, state)
		}
	}
	w.writing = len(w.rows) > 0
	return w.writing
}
