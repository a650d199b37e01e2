package bridge

import (
	"sync"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// durable remembers events that the inbox has or is just getting: one that all who see a room are told of comes
// once for each of them, and all but the first need neither be encoded nor written.
type durable struct {
	mu     sync.Mutex
	coming map[eventID]*arrival
	kept   map[eventID]struct{}
	age    int64 // how often rooms were removed
}

// arrival is an event on its way to the disk, with those who brought it too.
type arrival struct {
	id     eventID
	others []func(error)
}

type eventID struct {
	room int64
	key  string
}

// maxDurable is how many are remembered before all are forgotten; the inbox knows them still.
const maxDurable = 8192

// look tells what is known of a live event: that it is kept, or that it is on its way, where done will be told what
// becomes of it.
func (d *durable) look(id eventID, done func(error)) (kept, coming bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.kept[id]; ok {
		return true, false
	}
	c := d.coming[id]
	if c != nil {
		c.others = append(c.others, done)
	}
	return false, c != nil
}

// arrive is called when an event takes its place among those that are written, not before: what another
// account brings next must not pass it. Nil where it was there already.
func (d *durable) arrive(id eventID) *arrival {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.coming[id] != nil {
		return nil
	}
	if d.coming == nil {
		d.coming = map[eventID]*arrival{}
	}
	c := &arrival{id: id}
	d.coming[id] = c
	return c
}

// leave tells the others what became of an event.
func (d *durable) leave(c *arrival, err error) {
	if c == nil {
		return
	}
	d.mu.Lock()
	if d.coming[c.id] == c {
		delete(d.coming, c.id)
	}
	others := c.others
	d.mu.Unlock()
	for _, done := range others {
		done(err)
	}
}

// began is asked before events are written, and given to put after.
func (d *durable) began() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.age
}

func (d *durable) put(age int64, rows []tables.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if age != d.age {
		return
	}
	for _, r := range rows {
		if d.kept == nil || len(d.kept) >= maxDurable {
			d.kept = map[eventID]struct{}{}
		}
		d.kept[eventID{r.Room, r.Key}] = struct{}{}
	}
}

// forget is for rooms that were removed, whose number another one may get.
func (d *durable) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.coming, d.kept = nil, nil
	d.age++
}
