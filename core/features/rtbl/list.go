package rtbl

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// maxChanges is how many changes are remembered while a list is read; with more it is read again.
const maxChanges = 10_000

// list is one list.
type list struct {
	*Lists
	name Name
	set  Set
	wake chan struct{} // reads the list again

	mu      sync.Mutex
	reading bool
	changes []change // that came while the list is read
	lost    bool     // there were too many
	read    time.Time
	err     error // of the last try

	ignored atomic.Uint64 // items that are no hash
}

// change is one change of the list.
type change struct {
	entry Hash
	add   bool
	all   bool // all entries are removed
}

// again makes run read the list at once.
func (l *list) again() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run subscribes and reads the list, again and again.
func (l *list) run(ctx context.Context) {
	retry := l.Times.FirstTry
	for {
		err := l.refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := l.Times.Refresh
		if err != nil {
			l.Log.Warn("block list not read, the entries that are known stay in force", "list", l.name, "err", err, "entries", l.set.Len())
			wait, retry = retry, min(2*retry, l.Times.LastTry)
		} else {
			retry = l.Times.FirstTry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

var errManyChanges = errors.New("too many changes while it was read")

// refresh subscribes to the node and reads all items. The subscription comes first, so that no change is missed.
func (l *list) refresh(ctx context.Context) error {
	l.begin()
	err := l.replace(ctx)
	if late := l.late(ctx); err == nil { // also after an error
		err = late
	}
	l.end(err)
	return err
}

// replace makes the list what the service has.
func (l *list) replace(ctx context.Context) error {
	if err := l.subscribe(ctx); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	entries, err := l.fetch(ctx)
	if err != nil {
		return fmt.Errorf("read items: %w", err)
	}
	changes, lost := l.taken()
	if lost {
		return errManyChanges
	}
	for _, c := range changes {
		c.applyTo(entries, l.Max)
	}
	add, remove := l.set.Compare(entries)
	if err := l.Store.ChangeEntries(ctx, l.name.String(), add, remove); err != nil {
		return err
	}
	l.set.Add(add...)
	l.set.Remove(remove...)
	if len(add)+len(remove) > 0 {
		l.Log.Info("block list read", "list", l.name, "entries", l.set.Len(), "new", len(add), "removed", len(remove))
	}
	return nil
}

func (c change) applyTo(entries map[Hash]struct{}, limit int) {
	switch {
	case c.all:
		clear(entries)
	case !c.add:
		delete(entries, c.entry)
	case len(entries) < limit:
		entries[c.entry] = struct{}{}
	}
}

// late makes the changes again that came while the list was written, until there are none.
func (l *list) late(ctx context.Context) error {
	for {
		l.mu.Lock()
		changes, lost := l.changes, l.lost
		l.changes, l.lost = nil, false
		l.reading = len(changes) > 0
		l.mu.Unlock()
		if lost {
			return errManyChanges
		}
		if len(changes) == 0 {
			return nil
		}
		for _, c := range changes {
			if err := l.apply(ctx, c); err != nil {
				return err
			}
		}
	}
}

// apply makes one change in the database and in the set.
func (l *list) apply(ctx context.Context, c change) error {
	switch {
	case c.all:
		all := l.set.All()
		if err := l.Store.ChangeEntries(ctx, l.name.String(), nil, all); err != nil {
			return err
		}
		l.set.Remove(all...)
	case !c.add:
		if err := l.Store.ChangeEntries(ctx, l.name.String(), nil, []Hash{c.entry}); err != nil {
			return err
		}
		l.set.Remove(c.entry)
	case l.set.Len() >= l.Max:
		l.full.Add(1)
	default:
		if err := l.Store.ChangeEntries(ctx, l.name.String(), []Hash{c.entry}, nil); err != nil {
			return err
		}
		l.set.Add(c.entry)
	}
	return nil
}

func (l *list) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reading, l.changes, l.lost = true, nil, false
}

// taken returns the changes since the last call.
func (l *list) taken() ([]change, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	changes := l.changes
	l.changes = nil
	return changes, l.lost
}

func (l *list) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err = err; err == nil {
		l.read = time.Now()
	}
	l.reading, l.changes, l.lost = false, nil, false
}

// changed makes changes that the service notifies of. While the list is read they are also kept, to be made again to what was read.
func (l *list) changed(ctx context.Context, changes []change) {
	l.mu.Lock()
	if l.reading {
		if len(l.changes)+len(changes) > maxChanges {
			l.changes, l.lost = nil, true
		} else if !l.lost {
			l.changes = append(l.changes, changes...)
		}
	}
	l.mu.Unlock()
	for _, c := range changes {
		if err := l.apply(ctx, c); err != nil {
			l.Log.Warn("change of a block list not stored, the list is read again", "list", l.name, "err", err)
			l.again()
			return
		}
	}
}

// state describes the list for operators.
func (l *list) state() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := fmt.Sprintf("%d entries", l.set.Len())
	if other := l.ignored.Load(); other > 0 {
		n += fmt.Sprintf(" (%d items were no hashes)", other)
	}
	switch {
	case l.err != nil && l.read.IsZero():
		return fmt.Sprintf("%s, from before the server was started; it cannot be read: %v", n, l.err)
	case l.err != nil:
		return fmt.Sprintf("%s; it could not be read again: %v", n, l.err)
	case l.read.IsZero():
		return n + ", from before the server was started; it is being read"
	}
	return fmt.Sprintf("%s; read at %s, and followed since", n, l.read.UTC().Format("2006-01-02 15:04"))
}
