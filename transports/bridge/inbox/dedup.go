package inbox

import (
	"sync"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// dedup recognises events that the inbox has or is just storing: one that all who see a room are shown comes
// once for each of their logins, and all but the first need neither be encoded nor written.
type dedup struct {
	mu      sync.Mutex
	arrival map[eventID]*arrival
	stored  map[eventID]struct{}
	epoch   int64 // how often rooms were removed
}

// arrival is an event that is being stored, with those who brought it too.
type arrival struct {
	id     eventID
	others []func(error)
}

type eventID struct {
	room int64
	key  string
}

// maxStored is how many are remembered before all are forgotten; the database knows them still.
const maxStored = 8192

// look tells what is known of a live event: that it is stored, or that it is being stored, where done will be
// called with what becomes of it.
func (d *dedup) look(id eventID, done func(error)) (isStored, arrives bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.stored[id]; ok {
		return true, false
	}
	a := d.arrival[id]
	if a != nil {
		a.others = append(a.others, done)
	}
	return false, a != nil
}

// arrive is called when an event takes its place among those that are written, not before: what another
// login brings next must not pass it. Nil where it was there already.
func (d *dedup) arrive(id eventID) *arrival {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.arrival[id] != nil {
		return nil
	}
	if d.arrival == nil {
		d.arrival = map[eventID]*arrival{}
	}
	a := &arrival{id: id}
	d.arrival[id] = a
	return a
}

// arrived tells the others what has become of an event.
func (d *dedup) arrived(a *arrival, err error) {
	if a == nil {
		return
	}
	d.mu.Lock()
	if d.arrival[a.id] == a {
		delete(d.arrival, a.id)
	}
	others := a.others
	d.mu.Unlock()
	for _, done := range others {
		done(err)
	}
}

// now is asked before events are written, and given to add after.
func (d *dedup) now() int64 {
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

// forget is called when rooms were removed, whose number another one may get.
func (d *dedup) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.arrival, d.stored = nil, nil
	d.epoch++
}
