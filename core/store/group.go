package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// maxGroup is how many functions are in one commit, which writes each page that they change once: the
	// more rows of many accounts' archives are in it, the less each of them costs.
	maxGroup  = 4096
	maxGather = 3 * time.Millisecond // how long a group goes on taking in what has come meanwhile
)

// commit runs a group and whatever joins it, and leaves each write's outcome in its err. It
// tells whether the database was changed, where a fault makes that worth knowing.
func (p *Partition) commit(group []*write) (done []*write, changed bool) {
	if !slices.ContainsFunc(group, func(w *write) bool { return w.fn != nil }) {
		return group, false // only Settle: those that it waits for are done
	}
	begun := time.Now()
	tx, err := p.store.writes.BeginTx(context.Background(), nil)
	if err != nil {
		// What has come meanwhile has waited for the same lock: it is not made to wait again.
		return p.spoil(p.queue.take(group, maxQueue, false), fmt.Errorf("begin: %w", err))
	}
	before := p.store.health.examine(tx)
	for i := 0; i < len(group); i++ {
		if err := p.apply(tx, group[i]); err != nil {
			return p.spoil(group, errors.Join(err, ignoreDone(tx.Rollback())))
		}
		if i+1 == len(group) && len(group) < maxGroup && time.Since(begun) < maxGather {
			group = p.queue.take(group, maxGroup-len(group), false)
		}
	}
	changed = p.store.health.examine(tx) > before
	if err := tx.Commit(); err != nil {
		return p.spoil(group, fmt.Errorf("commit: %w", err))
	}
	return group, changed
}

// spoil gives the error of the whole group to each that has none of its own.
func (p *Partition) spoil(group []*write, err error) ([]*write, bool) {
	if err = unavailable(err); !temporary(err) {
		p.store.log.Error("writing to the database", "err", err, "writes", len(group))
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
func (p *Partition) apply(tx *sql.Tx, w *write) error {
	if w.fn == nil {
		return nil
	}
	if w.single {
		if w.err = p.call(tx, w.fn); w.err != nil && !constraint(w.err) {
			return w.err // nobody knows whether the transaction is there still
		}
		return nil
	}
	if _, err := tx.Exec(savepointSQL); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	if w.err = p.call(tx, w.fn); w.err != nil {
		if _, err := tx.Exec(rollbackToSQL); err != nil {
			return fmt.Errorf("%w (and undo: %w)", w.err, err)
		}
	}
	if _, err := tx.Exec(releaseSQL); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
