package inbox

import (
	"sync"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// dedup recognises events that the inbox has stored or is storing. An event of a room comes once for each login
// that sees the room; all but the first need neither be encoded nor written.
type dedup struct {
	mu      sync.Mutex
	pending map[eventID]*pendingEvent // being stored
	stored  map[eventID]struct{}
	epoch   int64 // how often rooms were removed
}

// pendingEvent is an event that is being stored.
type pendingEvent struct {
	id     eventID
	others []func(error) // called with the outcome, for the other logins that brought it
}

type eventID struct {
	room int64
	key  string
}

// maxStored is how many stored events are remembered before all are forgotten; the database still recognises them.
const maxStored = 8192

// look reports whether a live event is stored, or is being stored; then done will be called with the outcome.
func (d *dedup) look(id eventID, done func(error)) (isStored, isPending bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.stored[id]; ok {
		return true, false
	}
	p := d.pending[id]
	if p != nil {
		p.others = append(p.others, done)
	}
	return false, p != nil
}

// begin notes that an event is being stored. It is called when the event is put in the writer's queue, not before:
// otherwise the next event of another login could be queued ahead of it. It returns nil if the event was noted already.
func (d *dedup) begin(id eventID) *pendingEvent {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending[id] != nil {
		return nil
	}
	if d.pending == nil {
		d.pending = map[eventID]*pendingEvent{}
	}
	p := &pendingEvent{id: id}
	d.pending[id] = p
	return p
}

// end reports the outcome of storing an event to the other logins that brought it.
func (d *dedup) end(p *pendingEvent, err error) {
	if p == nil {
		return
	}
	d.mu.Lock()
	if d.pending[p.id] == p {
		delete(d.pending, p.id)
	}
	others := p.others
	d.mu.Unlock()
	for _, done := range others {
		done(err)
	}
}

// currentEpoch is read before events are written, and passed to add afterwards.
func (d *dedup) currentEpoch() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.epoch
}

// add remembers events that were written, unless rooms were removed meanwhile.
func (d *dedup) add(epoch int64, events []tables.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if epoch != d.epoch {
		return
	}
	for _, e := range events {
		if d.stored == nil || len(d.stored) >= maxStored {
			d.stored = map[eventID]struct{}{}
		}
		d.stored[eventID{e.Room, e.Key}] = struct{}{}
	}
}

// forget is called when rooms were removed, since a new room may get the number of a removed one.
func (d *dedup) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pending, d.stored = nil, nil
	d.epoch++
}
