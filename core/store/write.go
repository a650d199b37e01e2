package store

import (
	"context"
	"database/sql"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Write is Partition.Write for what belongs to no key in particular, such as a gateway or a
// setting of the server.
func (s *Store) Write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return s.Partition("").Write(ctx, fn)
}

// WriteAsync is Partition.WriteAsync for what belongs to no key in particular.
func (s *Store) WriteAsync(fn func(tx *sql.Tx) error, done func(error)) {
	s.Partition("").WriteAsync(fn, done)
}

// Pace returns once no partition is far behind, or stop is closed. Whoever brings
// writes without waiting for them calls it between two: what a disk cannot take must
// reach the senders as a slower connection, not as messages that are missing.
func (s *Store) Pace(stop <-chan struct{}) {
	for _, p := range s.partitions {
		for below := p.queue.belowPaceLimit(); below != nil; below = p.queue.belowPaceLimit() { // others may have been quicker
			select {
			case <-below:
			case <-stop:
				return
			}
		}
	}
}

// of is the partition of an account.
func (s *Store) of(account jid.JID) *Partition { return s.Partition(account.String()) }
