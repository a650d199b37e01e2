package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/dragoman-im/dragoman/core/store/schema"
	"github.com/dragoman-im/dragoman/core/store/sqlerror"
)

//go:embed migrations
var migrations embed.FS

// ErrNewerSchema is a database that a later release has written to.
var ErrNewerSchema = errors.New("the database was made by a newer release; use that release, or a backup from before the upgrade")

// Migrations are the tables of one package: files named 0001_what.sql as goose reads them.
//
// A file at the top is for both dialects. It is written for SQLite; for PostgreSQL the types are
// replaced: BLOB by BYTEA, INTEGER by BIGINT, INTEGER NOT NULL PRIMARY KEY by an identity
// column, TEXT by text that is ordered by its bytes, and WITHOUT ROWID is dropped. A file in
// the folder sqlite or postgres is for that dialect alone. A version may be missing in one of them.
type Migrations struct {
	Name  string // lower-case letters; goose_<name>_version holds the versions
	Files fs.FS
	// Go are steps that need more than SQL, with versions of their own among those of the files.
	Go func(Dialect) []*goose.Migration
}

// coreMigrations are those of this package's tables.
func coreMigrations() (Migrations, error) {
	files, err := fs.Sub(migrations, "migrations")
	return Migrations{Files: files, Go: archiveMigrations}, err
}

// table holds the versions; that of the core's tables has goose's default name.
func (m Migrations) table() string {
	if m.Name == "" {
		return goose.DefaultTablename
	}
	return "goose_" + m.Name + "_version"
}

// Migrate brings the tables of another package to the schema of this release. It is called
// after Open and before the tables are used; ErrNewerSchema where a later release has been there.
func (s *Store) Migrate(ctx context.Context, m Migrations) error {
	if current, err := m.isCurrent(ctx, s.writes, s.dialect); err != nil {
		return fmt.Errorf("read migrations %s: %w", m.Name, err)
	} else if current {
		return nil
	}
	if s.dialect == Postgres {
		return migrate(ctx, s.writes, s.dialect, m, s.log)
	}
	db, err := s.openForMigration(ctx)
	if err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	return errors.Join(migrate(ctx, db, s.dialect, m, s.log), db.Close())
}

const schemaVersionSQL = `SELECT max(version_id) FROM `

// isCurrent reports whether the database has the schema of this release, as almost every start finds it: with one query, and
// without reading the migrations. After an error of the query the answer is no.
func (m Migrations) isCurrent(ctx context.Context, db *sql.DB, d Dialect) (bool, error) {
	want, err := m.latest(d)
	if err != nil {
		return false, err
	}
	var have sql.NullInt64
	err = db.QueryRowContext(ctx, schemaVersionSQL+m.table()).Scan(&have)
	return err == nil && have.Valid && have.Int64 == want, nil
}

// latest returns the highest version of a dialect.
func (m Migrations) latest(d Dialect) (version int64, err error) {
	for _, dir := range []string{".", d.String()} {
		names, err := fs.Glob(m.Files, path.Join(dir, "*.sql"))
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			v, err := goose.NumericComponent(name)
			if err != nil {
				return 0, err
			}
			version = max(version, v)
		}
	}
	if m.Go != nil {
		for _, step := range m.Go(d) {
			version = max(version, step.Version)
		}
	}
	return version, nil
}

func migrate(ctx context.Context, db *sql.DB, d Dialect, m Migrations, log *slog.Logger) error {
	p, err := migrationProvider(db, d, m)
	if err != nil {
		return fmt.Errorf("read migrations %s: %w", m.Name, err)
	}
	if d == Postgres {
		unlock, err := lockMigrations(ctx, db)
		if err != nil {
			return fmt.Errorf("wait for others who migrate: %w", err)
		}
		defer unlock()
	}
	return migrateUp(ctx, p, log)
}

const (
	lockMigrationsSQL   = `SELECT pg_advisory_lock(hashtext('dragoman migrations ' || current_schema()))`
	unlockMigrationsSQL = `SELECT pg_advisory_unlock(hashtext('dragoman migrations ' || current_schema()))`
)

// lockMigrations keeps other processes from migrating the same PostgreSQL database meanwhile.
func lockMigrations(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	for range maxWaits {
		if _, err = conn.ExecContext(ctx, lockMigrationsSQL); !sqlerror.Locked(err) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() {
		// Where this fails, the lock goes with the connection.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), unlockMigrationsSQL)
		_ = conn.Close()
	}, nil
}

func migrationProvider(db *sql.DB, d Dialect, m Migrations) (*goose.Provider, error) {
	files, err := schema.Files(m.Files, d.String(), d == Postgres)
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	if d == Postgres {
		dialect = goose.DialectPostgres
	}
	var steps []*goose.Migration
	if m.Go != nil {
		steps = m.Go(d)
	}
	return goose.NewProvider(dialect, db, files, goose.WithTableName(m.table()), goose.WithGoMigrations(steps...),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// maxWaits is how often the lock of somebody else who migrates is waited for, a whole busy
// timeout each time.
const maxWaits = 4

// migrationName is what a log calls a step: its file, or that it is code.
func migrationName(s *goose.Source) string {
	if s.Type == goose.TypeGo {
		return "code"
	}
	return strings.TrimSuffix(path.Base(s.Path), ".sql")
}

// migrateUp goes up to the version of this release. Another process may do the same at the same
// time, such as the command line beside the server: then a step fails because it is done, and
// the next one is tried; where the others hold the lock for long it is waited for anew.
func migrateUp(ctx context.Context, p *goose.Provider, log *slog.Logger) error {
	for waited := 1; ; {
		have, want, err := p.GetVersions(ctx)
		switch {
		case sqlerror.Locked(err) && waited < maxWaits:
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
			log.Info("schema migrated", "version", m.Source.Version, "step", migrationName(m.Source), "took", m.Duration)
		}
		if err == nil {
			return nil
		}
		if sqlerror.Locked(err) && waited < maxWaits {
			waited++
			continue
		}
		if now, _, again := p.GetVersions(ctx); again != nil || now <= have {
			return fmt.Errorf("migrate schema: %w", err)
		}
	}
}
