package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
)

// Times after which rows are changed or deleted for themselves.
const (
	removeWait = 250 * time.Millisecond // they wait for a commit with other rows
	retryWait  = 10 * time.Second       // after a failure
)

// Outbox are the messages. Any goroutine may call its methods.
type Outbox struct {
	store *store.Store
	log   *slog.Logger
	bulk  *store.Bulk[*entry]
	last  atomic.Int64 // position

	writers map[*store.Partition]*writer
}

// New returns the messages in a store. Call it once for a store, before the store is used.
func New(s *store.Store, log *slog.Logger) *Outbox {
	o := &Outbox{store: s, log: log, writers: map[*store.Partition]*writer{}}
	o.bulk = store.NewBulk(s, func(p *store.Partition) store.BulkWriter[*entry] {
		w := &writer{box: o}
		w.timer = time.AfterFunc(time.Hour, w.flush)
		w.timer.Stop()
		o.writers[p] = w
		return w
	})
	s.OnDeleteAccount(deleteAccount)
	return o
}

// entry is one message.
type entry struct {
	writer  *writer
	stanza  *stanza.Stanza // nil when it need not be written any more
	row     *row           // nil until it is written
	bit     uint8          // in row.handled
	removed bool
}

// row is a row of the table. Its fields are guarded by the lock of the writer.
type row struct {
	position int64
	handled  uint64
	left     int  // messages that are not handled
	changed  bool // handled is not in the table
}

// Add implements the Store of s2s/outbox: done is called when the message is on the disk, or remove was called before it was written. remove may be
// called at any time, more than once.
func (o *Outbox) Add(st *stanza.Stanza, done func(error)) (remove func()) {
	theirs := st.To.Domain()
	e := &entry{writer: o.writer(theirs), stanza: st}
	o.bulk.Append(theirs, e, done)
	return e.remove
}

// writer returns the writer of the rows for a domain.
func (o *Outbox) writer(theirs string) *writer {
	w := o.writers[o.store.Partition(theirs)]
	if w.key.Load() == nil {
		key := theirs
		w.key.CompareAndSwap(nil, &key)
	}
	return w
}

func (e *entry) remove() {
	w := e.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.removed {
		return
	}
	e.removed, e.stanza = true, nil
	if r := e.row; r != nil {
		r.handled |= 1 << e.bit
		r.left--
		w.note(r)
	}
}

// position returns a number that is larger than all before it.
func (o *Outbox) position() int64 {
	for {
		last := o.last.Load()
		next := max(time.Now().UnixMicro(), last+1)
		if o.last.CompareAndSwap(last, next) {
			return next
		}
	}
}

// Flush writes what is noted about messages that are done with, and stops the timers.
func (o *Outbox) Flush(ctx context.Context) error {
	var errs []error
	for _, w := range o.writers {
		w.timer.Stop()
		key := w.key.Load()
		if key == nil {
			continue
		}
		result := make(chan error, 1)
		o.bulk.Append(*key, nil, func(err error) { result <- err })
		select {
		case err := <-result:
			errs = append(errs, err)
		case <-ctx.Done():
			errs = append(errs, ctx.Err())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("delete messages that have arrived at other servers: %w", err)
	}
	return nil
}

// writer writes the rows of one partition: it is a store.BulkWriter.
type writer struct {
	box   *Outbox
	key   atomic.Pointer[string] // one that belongs to the partition
	timer *time.Timer

	mu      sync.Mutex
	ended   []*row // that are to be deleted
	changed []*row // whose column handled is to be written, unless they are ended
	due     bool   // the timer runs
	taken   taken
}

// note notes that a row has changed. The lock is held.
func (w *writer) note(r *row) {
	switch {
	case r.left == 0:
		w.ended = append(w.ended, r)
	case r.changed:
		return
	default:
		r.changed = true
		w.changed = append(w.changed, r)
	}
	w.schedule(removeWait)
}

// schedule makes flush run. The lock is held.
func (w *writer) schedule(wait time.Duration) {
	if !w.due {
		w.due = true
		w.timer.Reset(wait)
	}
}

// flush is called by the timer.
func (w *writer) flush() {
	w.mu.Lock()
	w.due = false
	empty := len(w.ended)+len(w.changed) == 0
	w.mu.Unlock()
	if !empty {
		w.box.bulk.Append(*w.key.Load(), nil, nil)
	}
}
