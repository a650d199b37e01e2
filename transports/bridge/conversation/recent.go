package conversation

import (
	"cmp"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Limits of the events of one conversation that are in memory.
const (
	maxRecent      = 512
	maxRecentBytes = 256 << 10
	rowBytes       = 256 // of a row besides its key and data
)

// recent holds events that were just stored, so that they need not be read from the database. rows are the
// first pending events of the conversation in their order; where more is true there may be others behind them,
// which are in the database alone. Whatever makes it uncertain which events come first calls forget; the next
// ones are then read.
//
// An event is in arriving from when it gets its number until add or drop. The goroutine of the
// conversation can read a row before add is called for it; add ignores it then.
//
// It is guarded by the lock of the conversation.
type recent struct {
	rows     []tables.Event
	size     int // of rows, in bytes
	more     bool
	reading  bool // a query is under way: rows are those that were added since it began
	taken    bool // the goroutine has the events before rows, and has not called putBack yet
	last     orderKey
	arriving []arriving // by number
}

// orderKey is where an event is in the order of its conversation.
type orderKey struct {
	priority tables.Priority
	position int64
}

func orderKeyOf(e tables.Event) orderKey { return orderKey{e.Priority, e.Position} }

func (p orderKey) before(o orderKey) bool {
	return p.priority < o.priority || p.priority == o.priority && p.position < o.position
}

// arriving is an event that is being stored.
type arriving struct {
	seq  int64
	fate fate
}

// fate is what add does with an event.
type fate int

const (
	fresh     fate = iota // it is put behind the others
	known                 // a query has returned it already
	uncertain             // rows were removed meanwhile: it may be one of them
)

// forget has the next events read from the database.
func (r *recent) forget() {
	r.rows, r.size, r.more, r.reading, r.taken = nil, 0, true, false, false
}

// forgetAll is forget after rows were removed or changed: also those that are being stored.
func (r *recent) forgetAll() {
	r.forget()
	for i := range r.arriving {
		r.arriving[i].fate = uncertain
	}
}

func (r *recent) arrive(seq int64) { r.arriving = append(r.arriving, arriving{seq: seq}) }

// drop removes an event from those that are being stored.
func (r *recent) drop(seq int64) fate {
	i, ok := r.find(seq)
	if !ok {
		return uncertain
	}
	f := r.arriving[i].fate
	r.arriving = slices.Delete(r.arriving, i, i+1)
	if len(r.arriving) == 0 && cap(r.arriving) > batchArriving {
		r.arriving = nil
	}
	return f
}

const batchArriving = 64 // capacity that is kept

func (r *recent) find(seq int64) (int, bool) {
	return slices.BinarySearchFunc(r.arriving, seq, func(a arriving, seq int64) int { return cmp.Compare(a.seq, seq) })
}

// add puts an event that was stored behind the others.
func (r *recent) add(e tables.Event) {
	switch r.drop(e.Seq) {
	case known:
		return
	case uncertain:
		r.forget()
		return
	}
	if !r.follows(e) {
		r.forget()
		return
	}
	if r.more {
		return // the others are between
	}
	size := bytesOf(e)
	if len(r.rows) >= maxRecent || r.size+size > maxRecentBytes {
		if r.reading {
			r.forget()
		}
		r.more = true
		return
	}
	if !e.At.IsZero() {
		e.At = time.UnixMicro(e.At.UnixMicro()).UTC() // as the database has it
	}
	r.append(e, size)
}

// follows tells whether an event comes behind all that are known.
func (r *recent) follows(e tables.Event) bool {
	return len(r.rows) == 0 && !r.taken || r.last.before(orderKeyOf(e))
}

func (r *recent) append(e tables.Event, size int) {
	r.rows, r.last = append(r.rows, e), orderKeyOf(e)
	r.size += size
}

func bytesOf(e tables.Event) int { return rowBytes + len(e.Key) + len(e.Data) }

// take returns the first events, no more than limit; putBack has to be called with those that were not
// processed, or all are read again. False means that they have to be read, and endReading is to be called then.
func (r *recent) take(limit int) ([]tables.Event, bool) {
	if r.taken || r.reading || r.more && len(r.rows) < limit {
		r.forget()
		r.reading, r.more = true, false
		return nil, false
	}
	n := min(len(r.rows), limit)
	rows := r.rows[:n:n]
	r.rows, r.taken = r.rows[n:], n > 0
	for _, e := range rows {
		r.size -= bytesOf(e)
	}
	if len(r.rows) == 0 {
		r.rows = nil
	}
	return rows, true
}

// endReading is called with the events that a query has returned, where limit were wanted. They are taken.
func (r *recent) endReading(rows []tables.Event, limit int) {
	for _, e := range rows {
		if i, ok := r.find(e.Seq); ok && r.arriving[i].fate == fresh {
			r.arriving[i].fate = known
		}
	}
	added, valid := r.rows, r.reading
	r.forget()
	if !valid {
		return
	}
	r.more = len(rows) >= limit
	if len(rows) > 0 {
		r.taken, r.last = true, orderKeyOf(rows[len(rows)-1])
	}
	for _, e := range added {
		switch {
		case slices.ContainsFunc(rows, func(read tables.Event) bool { return read.Seq == e.Seq }):
		case !r.follows(e):
			r.forget()
			return
		case !r.more:
			r.append(e, bytesOf(e))
		}
	}
}

// putBack puts events that were taken before the others again.
func (r *recent) putBack(rows []tables.Event) {
	if !r.taken {
		return // they are read again
	}
	r.taken = false
	if len(rows) == 0 {
		return
	}
	for _, e := range rows {
		r.size += bytesOf(e)
	}
	if len(r.rows) == 0 {
		r.last = orderKeyOf(rows[len(rows)-1])
	}
	r.rows = append(rows[:len(rows):len(rows)], r.rows...)
}
