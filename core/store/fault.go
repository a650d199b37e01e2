package store

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Unavailable is an error of a write that may be tried again: nothing of it is on the disk,
// and what is in the way is expected to go, as a full disk or another program's lock.
type Unavailable struct {
	what   error
	advice string // what the operator can do about it
}

func (u *Unavailable) Error() string { return u.what.Error() }

// Unwrap gives the database's own error.
func (u *Unavailable) Unwrap() error { return u.what }

// TryLater tells the layers above, which know no database, that trying later makes sense.
func (u *Unavailable) TryLater() bool { return true }

// unavailable makes an Unavailable of an error that is one.
func unavailable(err error) error {
	var fault sqlite3.Error
	if err == nil || !errors.As(err, &fault) {
		return err
	}
	var known *Unavailable
	if errors.As(err, &known) {
		return err
	}
	switch fault.Code {
	case sqlite3.ErrFull:
		return &Unavailable{err, "the disk is full: free space where the database is; all goes on by itself then"}
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return &Unavailable{err, "another program holds a lock on the database: end it, or let it finish; all goes on by itself then"}
	case sqlite3.ErrIoErr:
		return &Unavailable{err, "the disk does not take what is written: look at its health, its quota and the limit on the size of files"}
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm, sqlite3.ErrAuth:
		return &Unavailable{err, "the database must not be written: look at the rights of the data directory and how its file system is mounted"}
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return &Unavailable{err, "the database is damaged: stop the server and restore the last backup"}
	}
	return err
}

// constraint tells that a statement was refused for what it would have written.
func constraint(err error) bool {
	var fault sqlite3.Error
	return errors.As(err, &fault) && fault.Code == sqlite3.ErrConstraint
}

// locked reports that another process had the lock for the whole busy timeout.
func locked(err error) bool {
	var fault sqlite3.Error
	return errors.As(err, &fault) && (fault.Code == sqlite3.ErrBusy || fault.Code == sqlite3.ErrLocked)
}

// foreign tells that a row was refused because there is none that it could belong to.
func foreign(err error) bool {
	var fault sqlite3.Error
	return errors.As(err, &fault) && fault.ExtendedCode == sqlite3.ErrConstraintForeignKey
}

// errGone is what a sender is told whose account, or whatever the row belonged to, was
// deleted while the write waited.
var errGone = stanza.ItemNotFound("it has been deleted")

// orphan adds errGone to the error of a row without the one that it belongs to.
func orphan(err error) error {
	if foreign(err) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

// faultInterval is how often a fault that lasts is logged again.
const faultInterval = time.Minute

// health watches how writing goes, so that a fault is one line of the log and not thousands.
type health struct {
	mu     sync.Mutex
	since  time.Time // of the fault; zero: there is none
	logged time.Time
	lost   int // writes that have failed since it was logged
}

func (h *health) faulty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.since.IsZero()
}

const changesSQL = `SELECT total_changes()`

// examine looks at a group that is about to be committed: while there is a fault, only one
// that changes something shows that it is over.
func (h *health) examine(tx *sql.Tx) (n int64) {
	if h.faulty() {
		_ = tx.QueryRow(changesSQL).Scan(&n) // where it fails it has not changed anything
	}
	return n
}

// watch takes note of how a group went.
func (s *Store) watch(group []*write, changed bool) {
	h := &s.health
	var fault *Unavailable
	lost := 0
	for _, w := range group {
		if w.err = unavailable(w.err); w.err != nil && w.fn != nil {
			if errors.As(w.err, &fault) {
				lost++
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.lost += lost
	switch {
	case fault == nil && changed && !h.since.IsZero():
		s.log.Info("the database can be written again", "path", s.path, "after", now.Sub(h.since).Round(time.Millisecond))
		h.since, h.logged, h.lost = time.Time{}, time.Time{}, 0
	case fault != nil && (h.since.IsZero() || now.Sub(h.logged) >= faultInterval):
		s.log.Error("the database cannot be written", "do", fault.advice, "path", s.path, "err", fault.what, "writes", h.lost)
		if h.since.IsZero() {
			h.since = now
		}
		h.logged, h.lost = now, 0
	}
}
