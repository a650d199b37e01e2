package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/store/sqlerror"
)

const (
	// maxGroup is how many functions are in one commit, which writes each page that they change once: the
	// more rows of many accounts' archives are in it, the less each of them costs.
	maxGroup    = 4096
	maxGather   = 3 * time.Millisecond // how long a group goes on taking in what has come meanwhile
	maxAttempts = 5                    // of one group: another transaction may be in its way, or the connection be lost
)

// commit runs a group and whatever joins it, and leaves each write's outcome in its err. It
// reports whether the database was changed, where a fault makes that worth knowing.
//
// On SQLite each function has a savepoint, which costs little. On PostgreSQL a savepoint costs two
// round trips: the functions run without, and only where one of them fails is the group
// repeated with savepoints.
func (p *Partition) commit(group []*write) (done []*write, changed bool) {
	if !slices.ContainsFunc(group, func(w *write) bool { return w.fn != nil }) {
		return group, false // only Settle: those that it waits for are done
	}
	savepoints := p.store.dialect == SQLite
	for attempt := 1; ; attempt++ {
		var err error
		group, changed, err = p.attempt(group, savepoints)
		switch {
		case err == nil:
			return group, changed
		case errors.Is(err, errNeedsSavepoints):
			savepoints = true
		case attempt == maxAttempts || !repeatable(err):
			return p.fail(group, err), false
		}
		for _, w := range group {
			if w.fn != nil {
				w.err = nil
			}
		}
	}
}

var errNeedsSavepoints = errors.New("one function of several has failed without a savepoint")

// attempt runs a group in one transaction. An error means that nothing was committed.
func (p *Partition) attempt(group []*write, savepoints bool) (done []*write, changed bool, err error) {
	begun := time.Now()
	tx, err := p.store.writes.BeginTx(context.Background(), nil)
	if err != nil {
		// What has come meanwhile has waited for the same lock: it is not made to wait again.
		return p.queue.take(group, maxQueue, false), false, fmt.Errorf("begin: %w", err)
	}
	before := p.store.changes(tx)
	for i := 0; i < len(group); i++ {
		if savepoints {
			err = p.apply(tx, group[i])
		} else {
			err = p.applyUnprotected(tx, group, i)
		}
		if err != nil {
			if err = errors.Join(err, ignoreDone(tx.Rollback())); errors.Is(err, errOnlyOne) {
				err = nil
			}
			return group, false, err
		}
		if i+1 == len(group) && len(group) < maxGroup && time.Since(begun) < maxGather {
			group = p.queue.take(group, maxGroup-len(group), false)
		}
	}
	changed = p.store.changes(tx) > before
	if err := p.store.outcome(tx.Commit()); err != nil {
		return group, false, fmt.Errorf("commit: %w", err)
	}
	return group, changed, nil
}

// fail gives the error of the whole group to each that has none of its own.
func (p *Partition) fail(group []*write, err error) []*write {
	if err = unavailable(err); !temporary(err) {
		p.store.log.Error("writing to the database", "err", err, "writes", len(group))
	}
	for _, w := range group {
		if w.err == nil {
			w.err = err
		}
	}
	return group
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
	if w.single && p.store.dialect == SQLite {
		if w.err = p.call(tx, w.fn); w.err != nil && !sqlerror.Constraint(w.err) {
			return w.err // nobody knows whether the transaction is there still
		}
		return nil
	}
	if _, err := tx.Exec(savepointSQL); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	if w.err = p.call(tx, w.fn); w.err != nil {
		if repeatable(w.err) {
			return w.err
		}
		if _, err := tx.Exec(rollbackToSQL); err != nil {
			return fmt.Errorf("%w (and undo: %w)", w.err, err)
		}
	}
	if _, err := tx.Exec(releaseSQL); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return nil
}

// errOnlyOne ends a transaction whose only function has failed: its error is the outcome.
var errOnlyOne = errors.New("the only function of the group has failed")

// applyUnprotected runs one function of a group without a savepoint.
func (p *Partition) applyUnprotected(tx *sql.Tx, group []*write, i int) error {
	w := group[i]
	if w.fn == nil {
		return nil
	}
	if w.err = p.call(tx, w.fn); w.err == nil {
		return nil
	}
	switch {
	case repeatable(w.err):
		return w.err
	case len(group) == 1:
		return errOnlyOne
	}
	return errNeedsSavepoints
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
