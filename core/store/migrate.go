package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewerSchema is a database that a later release has written to.
var ErrNewerSchema = errors.New("the database was made by a newer release; use that release, or a backup from before the upgrade")

// migrate brings the schema up to that of this release.
func migrate(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	return climb(ctx, p, log)
}

// maxWaits is how often the lock of somebody else who migrates is waited for, a whole busy
// timeout each time.
const maxWaits = 4

// locked tells that another process had the lock for the whole busy timeout.
func locked(err error) bool {
	var fault sqlite3.Error
	return errors.As(err, &fault) && (fault.Code == sqlite3.ErrBusy || fault.Code == sqlite3.ErrLocked)
}

// climb goes up to the version of this release. Another process may do the same at the same
// time, such as the command line beside the server: then a step fails because it is done, and
// the next one is tried; where the others hold the lock for long it is waited for anew.
func climb(ctx context.Context, p *goose.Provider, log *slog.Logger) error {
	for waited := 1; ; {
		have, want, err := p.GetVersions(ctx)
		switch {
		case locked(err) && waited < maxWaits:
			waited++
			continue
		case err != nil:
			return fmt.Errorf("read schema version: %w", err)
		case have > want:
			return fmt.Errorf("schema version %d, this release knows %d: %w", have, want, ErrNewerSchema)
		case have == want:
			return nil
		}
		done, err := p.Up(ctx)
		for _, m := range done {
			log.Info("schema migrated", "version", m.Source.Version, "took", m.Duration)
		}
		if err == nil {
			return nil
		}
		if locked(err) && waited < maxWaits {
			waited++
			continue
		}
		if now, _, again := p.GetVersions(ctx); again != nil || now <= have {
			return fmt.Errorf("migrate schema: %w", err)
		}
	}
}
