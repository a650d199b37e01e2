package store

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"runtime/debug"
)

// Partition is one of the store's writers: a queue, a goroutine that commits it in groups, and
// the connection that it commits on. Writes of one partition are committed in the order in
// which they were queued. Nothing is promised about the order of two partitions.
type Partition struct {
	store *Store
	queue *queue
	done  chan struct{} // closed when the goroutine has ended
}

func newPartition(s *Store) *Partition {
	return &Partition{store: s, queue: newQueue(), done: make(chan struct{})}
}

// Partition returns the writer for a key, such as an account's address or a room. All
// writes of one key go through the same partition as long as the store is open.
func (s *Store) Partition(key string) *Partition {
	if len(s.partitions) == 1 {
		return s.partitions[0]
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	return s.partitions[h.Sum32()%uint32(len(s.partitions))]
}

// Write runs fn in the next commit and returns once it is on the disk. fn runs in the
// partition's goroutine, undisturbed by the other functions of the commit: its error or panic
// undoes what it did, and nothing else. It returns the error of a statement that fails: PostgreSQL
// takes no further one then. It must neither block nor end tx, and use tx without a context
// that may end: interrupting a statement can undo the whole group.
//
// fn may run more than once, when the database asks for the transaction to be repeated: it
// sets what it gives to its caller, and adds to nothing. Rows that fn reads in order to
// change them must be locked (doc.go says how): another process may write the same ones.
//
// ctx can only stop what has not begun.
func (p *Partition) Write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return p.WriteThen(ctx, fn, nil)
}

// WriteThen is Write, and calls then from the partition's goroutine right after the commit.
// Calls of then are in the order of the commits.
func (p *Partition) WriteThen(ctx context.Context, fn func(tx *sql.Tx) error, then func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	result := make(chan error, 1)
	w := &write{fn: fn, done: func(err error) {
		defer func() { result <- err }() // also where then panics
		if err == nil && then != nil {
			then()
		}
	}}
	if err := p.queue.push(w); err != nil {
		return err
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		if p.queue.cancel(w) {
			return ctx.Err()
		}
		return <-result
	}
}

// WriteAsync is Write without the wait: done gets the outcome after the commit, from the
// partition's goroutine, and must not block. Only on a closed store is done called at once.
func (p *Partition) WriteAsync(fn func(tx *sql.Tx) error, done func(error)) {
	p.writeAsync(&write{fn: fn, done: done})
}

func (p *Partition) writeAsync(w *write) {
	if w.done == nil {
		w.done = func(error) {}
	}
	if err := p.queue.push(w); err != nil {
		w.done(err)
	}
}

// Settle returns when everything that was queued before has been committed or has failed.
func (p *Partition) Settle(ctx context.Context) error { return p.Write(ctx, nil) }

// run is the partition's goroutine. Nothing is waited for on purpose: while one group
// is being synced the next one gathers, and a lone write is committed at once.
func (p *Partition) run() {
	defer close(p.done)
	var group []*write
	for {
		group = p.queue.take(group[:0], maxGroup, true)
		if len(group) == 0 {
			return
		}
		var changed bool
		group, changed = p.commit(group)
		p.store.watch(group, changed)
		for i, w := range group {
			p.complete(w)
			group[i] = nil
		}
	}
}

// complete reports the outcome to whoever waits; a panic there must not end the writer.
func (p *Partition) complete(w *write) {
	defer func() {
		if r := recover(); r != nil {
			p.store.log.Error("the callback of a write panicked", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	w.done(w.err)
}

// call runs one function of a write.
func (p *Partition) call(tx *sql.Tx, fn func(*sql.Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			p.store.log.Error("a write panicked", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic in a write: %v", r)
		}
	}()
	return orphan(fn(tx))
}
