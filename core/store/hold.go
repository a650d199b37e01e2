package store

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dragoman-im/dragoman/core/store/exclusive"
	"github.com/dragoman-im/dragoman/core/store/postgres"
)

// Hold is what keeps other processes from a database while this one uses it. Close does nothing for a nil Hold.
type Hold struct {
	closers  []io.Closer
	database *exclusive.Database
	once     sync.Once // of Close
}

// NewHold keeps other processes from the database that the options name, and from the directories: that of the database where
// it is a file, and dir, which may be empty. The error is an *exclusive.HeldError if another process has them.
func NewHold(ctx context.Context, o Options, dir string, role exclusive.Role) (*Hold, error) {
	s := &Store{}
	if err := s.locate(&o); err != nil {
		return nil, err
	}
	h := &Hold{}
	dirs := map[string]bool{}
	if dir != "" {
		dirs[filepath.Clean(dir)] = true
	}
	if s.dialect == SQLite {
		dirs[filepath.Dir(o.Path)] = true
	}
	for dir := range dirs {
		lock, err := exclusive.Directory(ctx, dir, role)
		if err != nil {
			return nil, errors.Join(err, h.Close())
		}
		h.closers = append(h.closers, lock)
	}
	if s.dialect == Postgres {
		var err error
		h.database, err = exclusive.LockDatabase(ctx, "the database "+s.place, role, func(ctx context.Context, application string) (*pgconn.PgConn, error) {
			return postgres.Connect(ctx, o.URL, map[string]string{"application_name": application})
		})
		if err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	return h, nil
}

// Watch returns an error when another process has begun to use the database, after the connection to it was lost, and nil when ctx
// ends.
func (h *Hold) Watch(ctx context.Context) error {
	select {
	case err := <-h.database.Lost():
		return err
	case <-ctx.Done():
		return nil
	}
}

// Close lets other processes use the database. Close the store before. A second call does nothing.
func (h *Hold) Close() (err error) {
	if h == nil {
		return nil
	}
	h.once.Do(func() {
		err = h.database.Close()
		for _, c := range h.closers {
			err = errors.Join(err, c.Close())
		}
	})
	return err
}
