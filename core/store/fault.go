package store

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/sqlerror"
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
	var known *Unavailable
	if err == nil || errors.As(err, &known) {
		return err
	}
	if advice := cmp.Or(sqlerror.SQLiteAdvice(err), sqlerror.PostgresAdvice(err)); advice != "" {
		return &Unavailable{err, advice}
	}
	return err
}

// errGone is the error for a sender whose account, or whatever the row belonged to, was
// deleted while the write waited.
var errGone = stanza.ItemNotFound("it has been deleted")

// orphan adds errGone to the error of a row without the one that it belongs to.
func orphan(err error) error {
	if sqlerror.Foreign(err) {
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

// changes is looked at before and after a group that is about to be committed: while there is a
// fault, only one that changes something shows that it is over. On PostgreSQL each commit does.
func (s *Store) changes(tx *sql.Tx) (n int64) {
	switch {
	case !s.health.faulty():
	case s.dialect == Postgres:
		return time.Now().UnixNano()
	default:
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
		s.log.Info("the database can be written again", "database", s.place, "after", now.Sub(h.since).Round(time.Millisecond))
		h.since, h.logged, h.lost = time.Time{}, time.Time{}, 0
	case fault != nil && (h.since.IsZero() || now.Sub(h.logged) >= faultInterval):
		s.log.Error("the database cannot be written", "do", fault.advice, "database", s.place, "err", fault.what, "writes", h.lost)
		if h.since.IsZero() {
			h.since = now
		}
		h.logged, h.lost = now, 0
	}
}
