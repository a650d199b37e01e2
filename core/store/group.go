package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

const (
	// maxGroup is how many functions are in one commit, which writes each page that they change once: the
	// more rows of many accounts' archives are in it, the less each of them costs.
	maxGroup  = 4096
	maxGather = 3 * time.Millisecond // how long a group goes on taking in what has come meanwhile
)

// Write runs fn in the next commit and returns once it is on the disk. fn runs in the
// writer's goroutine, in a savepoint: its error or panic undoes what it did, and nothing
// else. It must neither block nor end tx, and use tx without a context that may end:
// interrupting a statement can undo the whole group. ctx can only stop what has not begun.
func (s *Store) Write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return s.writeThen(ctx, fn, nil)
}

// settle returns when everything that was handed to the writer before is on the disk or has
// failed. Without such writes it costs a transaction that writes nothing.
func (s *Store) settle(ctx context.Context) error {
	return s.Write(ctx, func(*sql.Tx) error { return nil })
}

// writeThen is Write, and calls then from the writer's goroutine right after the commit.
// Calls of then are in the order of the commits.
func (s *Store) writeThen(ctx context.Context, fn func(tx *sql.Tx) error, then func()) error {
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
	if err := s.queue.push(w); err != nil {
		return err
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		if s.queue.cancel(w) {
			return ctx.Err()
		}
		return <-result
	}
}

// WriteAsync is Write without the wait: done gets the outcome after the commit, from the
// writer's goroutine, and must not block. Only on a closed store is done called at once.
func (s *Store) WriteAsync(fn func(tx *sql.Tx) error, done func(error)) {
	s.writeAsync(&write{fn: fn, done: done})
}

func (s *Store) writeAsync(w *write) {
	if w.done == nil {
		w.done = func(error) {}
	}
	if err := s.queue.push(w); err != nil {
		w.done(err)
	}
}

// Pace returns once the writer is not far behind, or stop is closed. Whoever brings
// writes without waiting for them calls it between two: what a disk cannot take must
// reach the senders as a slower connection, not as messages that are missing.
func (s *Store) Pace(stop <-chan struct{}) {
	for eased := s.queue.eased(); eased != nil; eased = s.queue.eased() { // others may have been quicker
		select {
		case <-eased:
		case <-stop:
			return
		}
	}
}

// runWriter is the writer's goroutine. Nothing is waited for on purpose: while one group
// is being synced the next one gathers, and a lone write is committed at once.
func (s *Store) runWriter() {
	defer close(s.done)
	var group []*write
	for {
		group = s.queue.take(group[:0], maxGroup, true)
		if len(group) == 0 {
			return
		}
		var changed bool
		group, changed = s.commit(group)
		s.watch(group, changed)
		for i, w := range group {
			s.tell(w)
			group[i] = nil
		}
	}
}

// tell hands the outcome to whoever waits; a panic there must not end the writer.
func (s *Store) tell(w *write) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("a write's completion panicked", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	w.done(w.err)
}

// commit runs a group and whatever joins it, and leaves each write's outcome in its err. It
// tells whether the database was changed, where a fault makes that worth knowing.
func (s *Store) commit(group []*write) (done []*write, changed bool) {
	begun := time.Now()
	tx, err := s.writes.BeginTx(context.Background(), nil)
	if err != nil {
		// What has come meanwhile has waited for the same lock: it is not made to wait again.
		return s.spoil(s.queue.take(group, maxQueue, false), fmt.Errorf("begin: %w", err))
	}
	before := s.health.examine(tx)
	for i := 0; i < len(group); i++ {
		if err := s.apply(tx, group[i]); err != nil {
			return s.spoil(group, errors.Join(err, ignoreDone(tx.Rollback())))
		}
		if i+1 == len(group) && len(group) < maxGroup && time.Since(begun) < maxGather {
			group = s.queue.take(group, maxGroup-len(group), false)
		}
	}
	changed = s.health.examine(tx) > before
	if err := tx.Commit(); err != nil {
		return s.spoil(group, fmt.Errorf("commit: %w", err))
	}
	return group, changed
}

// spoil gives the error of the whole group to each that has none of its own.
func (s *Store) spoil(group []*write, err error) ([]*write, bool) {
	if err = unavailable(err); !temporary(err) {
		s.log.Error("writing to the database", "err", err, "writes", len(group))
	}
	for _, w := range group {
		if w.err == nil {
			w.err = err
		}
	}
	return group, false
}

func temporary(err error) bool {
	var fault *Unavailable
	return errors.As(err, &fault)
}

const (
	savepointSQL  = `SAVEPOINT f`
	releaseSQL    = `RELEASE SAVEPOINT f`
	rollbackToSQL = `ROLLBACK TO SAVEPOINT f`
)

// apply runs one function in a savepoint. An error of apply itself means that the
// transaction is lost: on a full disk or an I/O error SQLite rolls all of it back.
func (s *Store) apply(tx *sql.Tx, w *write) error {
	if w.fn == nil {
		return nil
	}
	if w.single {
		if w.err = s.call(tx, w.fn); w.err != nil && !constraint(w.err) {
			return w.err // nobody knows whether the transaction is there still
		}
		return nil
	}
	if _, err := tx.Exec(savepointSQL); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	if w.err = s.call(tx, w.fn); w.err != nil {
		if _, err := tx.Exec(rollbackToSQL); err != nil {
			return fmt.Errorf("%w (and undo: %w)", w.err, err)
		}
	}
	if _, err := tx.Exec(releaseSQL); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return nil
}

func (s *Store) call(tx *sql.Tx, fn func(*sql.Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("a write panicked", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic in a write: %v", r)
		}
	}()
	return orphan(fn(tx))
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
