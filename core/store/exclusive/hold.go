package exclusive

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dragoman-im/dragoman/core/store/postgres"
)

// Hold is the locks of a data directory and a database that this process uses. Close does nothing for a nil Hold.
type Hold struct {
	closers  []io.Closer
	database *Database
	once     sync.Once // of Close
}

// Scope is what a process locks.
type Scope struct {
	Directory string // with keys and files; "" for none
	URL       string // of the database: postgres://..., or sqlite:path, whose directory is locked; "" for none
}

// New locks a scope. The error is a *HeldError if another process has locked it.
func New(ctx context.Context, s Scope, role Role) (*Hold, error) {
	h := &Hold{}
	dirs := map[string]bool{}
	if s.Directory != "" {
		dirs[filepath.Clean(s.Directory)] = true
	}
	scheme, rest, _ := strings.Cut(s.URL, ":")
	if scheme == "sqlite" {
		dirs[filepath.Dir(rest)] = true
	}
	for dir := range dirs {
		lock, err := Directory(ctx, dir, role)
		if err != nil {
			return nil, errors.Join(err, h.Close())
		}
		h.closers = append(h.closers, lock)
	}
	if scheme == "postgres" || scheme == "postgresql" {
		u, err := url.Parse(s.URL)
		if err != nil {
			return nil, errors.Join(errors.New("the URL of the database cannot be read"), h.Close()) // the error may hold the password
		}
		what := "the database " + cmp.Or(u.Host, u.Query().Get("host")) + u.Path
		h.database, err = LockDatabase(ctx, what, role, func(ctx context.Context, application string) (*pgconn.PgConn, error) {
			return postgres.Connect(ctx, s.URL, map[string]string{"application_name": application})
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
