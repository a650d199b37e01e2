package store

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/store/postgres"
	"github.com/dragoman-im/dragoman/core/store/sqlerror"
)

// repeatable reports that a transaction was rolled back for no fault of its own, so that the
// same one may succeed.
func repeatable(err error) bool {
	// errRolledBack: the server ended the connection while COMMIT was on its way, and says that it did not commit.
	return errors.Is(err, errRolledBack) || sqlerror.RolledBack(err)
}

// How long the outcome of a commit is asked for whose answer was lost, and how often.
const (
	outcomeWait  = 30 * time.Second
	outcomeRetry = 200 * time.Millisecond
)

const outcomeSQL = `SELECT coalesce(pg_xact_status(CAST(CAST(? AS text) AS xid8)), 'committed')`

// errRolledBack is a transaction that PostgreSQL has not committed before the connection was lost.
var errRolledBack = &Unavailable{errors.New("the connection was lost before the commit"), "the database server cannot be reached: see whether it runs; all goes on by itself then"}

// outcome is the error of a commit, after finding out how it ended where the connection was lost
// in the middle. Nothing is repeated or refused before that is known: a write would be
// there twice, or reported as missing and yet be there.
func (s *Store) outcome(err error) error {
	var unknown *postgres.UnknownCommit
	if !errors.As(err, &unknown) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), outcomeWait)
	defer cancel()
	for {
		var status string
		if ask := s.writes.QueryRowContext(ctx, outcomeSQL, unknown.ID).Scan(&status); ask == nil {
			switch status {
			case "committed":
				return nil
			case "aborted":
				return errRolledBack
			}
		} // else the server is away, or still at it
		select {
		case <-time.After(outcomeRetry):
		case <-ctx.Done():
			return err
		}
	}
}
