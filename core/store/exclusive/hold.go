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

// Hold is what keeps other processes from a database while this one uses it. Close does nothing for a nil Hold.
type Hold struct {
	closers  []io.Closer
	database *Database
	once     sync.Once // of Close
}

// Scope is what a process keeps for itself.
type Scope struct {
	Directory string // with keys and files; "" for none
	URL       string // of the database: postgres://..., or sqlite:path, whose directory is kept; "" for none
}

// New keeps other processes from a scope. The error is a *HeldError if another process has it.
func New(ctx context.Context, p Scope, role Role) (*Hold, error) {
	h := &Hold{}
	dirs := map[string]bool{}
	if p.Directory != "" {
		dirs[filepath.Clean(p.Directory)] = true
	}
	scheme, rest, _ := strings.Cut(p.URL, ":")
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
		u, err := url.Parse(p.URL)
		if err != nil {
			return nil, errors.Join(errors.New("the URL of the database cannot be read"), h.Close()) // the error may hold the password
		}
		what := "the database " + cmp.Or(u.Host, u.Query().Get("host")) + u.Path
		h.database, err = LockDatabase(ctx, what, role, func(ctx context.Context, application string) (*pgconn.PgConn, error) {
			return postgres.Connect(ctx, p.URL, map[string]string{"application_name": application})
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
