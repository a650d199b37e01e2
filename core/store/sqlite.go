package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/store/deletions"
	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

const (
	cachedStatements = 128      // prepared statements that each connection keeps
	pageCacheKiB     = 16 << 10 // of the writer
	readCacheKiB     = 2 << 10  // of each reader
	walPages         = 4 << 10  // in the log before they are copied to the database, each once: 16 MiB
	fileMode         = 0o600
	dirMode          = 0o700
)

// walPagesSQL says how long the log becomes. Copying it stops the writer and syncs twice: with the 1000 pages
// of SQLite's own a busy archive did that several times a second.
var walPagesSQL = fmt.Sprintf(`PRAGMA wal_autocheckpoint = %d`, walPages)

func (s *Store) connectSQLite(ctx context.Context, o Options) error {
	var err error
	if s.writes, err = sql.Open("sqlite3", source(o, "rwc")); err != nil {
		return err
	}
	s.writes.SetMaxOpenConns(1)
	if err := s.migrateCore(ctx); err != nil {
		return err
	}
	if _, err := s.writes.ExecContext(ctx, walPagesSQL); err != nil {
		return err
	}
	if err := s.completeDeletions(ctx, o.Path); err != nil {
		return err
	}
	if s.reads, err = sql.Open("sqlite3", source(o, "ro")); err != nil {
		return err
	}
	s.reads.SetMaxOpenConns(o.Readers)
	s.reads.SetMaxIdleConns(o.Readers)
	return s.reads.PingContext(ctx)
}

// openForMigration opens a connection whose commits are not synced: the log that they are in is, before it is copied to the
// database. After a power failure migrations may be missing, the later ones first, and are repeated by the next start.
func (s *Store) openForMigration(ctx context.Context) (*sql.DB, error) {
	var busy int64 // milliseconds
	if err := s.writes.QueryRowContext(ctx, `PRAGMA busy_timeout`).Scan(&busy); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", source(Options{Path: s.location, BusyTimeout: time.Duration(busy) * time.Millisecond}, "rwc"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `PRAGMA synchronous = NORMAL`); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// completeDeletions deletes what clients had received when the last run ended.
func (s *Store) completeDeletions(ctx context.Context, path string) error {
	log, left, err := deletions.Open(path)
	if err != nil {
		return err
	}
	s.offline.log = log
	if len(left) == 0 { // perhaps a command beside a server that runs: the file is the server's
		return nil
	}
	tx, err := s.writes.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, m := range left {
		if _, err := tx.Exec(deleteOfflineSQL, m.Account, m.ID); err != nil {
			return errors.Join(fmt.Errorf("delete offline message of %s: %w", m.Account, err), tx.Rollback())
		}
	}
	if err = tx.Commit(); err != nil {
		return err
	}
	return log.Clear()
}

// source is the driver's data source name.
func source(o Options, mode string) string {
	v := url.Values{}
	v.Set("mode", mode)
	v.Set("_busy_timeout", strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10))
	v.Set("_foreign_keys", "true")
	v.Set("_mutex", "no") // database/sql gives a connection to one goroutine at a time
	v.Set("_stmt_cache_size", strconv.Itoa(cachedStatements))
	if mode == "ro" {
		v.Set("_query_only", "true")
		v.Set("_cache_size", strconv.Itoa(-readCacheKiB))
	} else {
		v.Set("_journal_mode", "WAL")
		v.Set("_synchronous", "FULL") // a commit is on the disk when it returns
		v.Set("_txlock", "immediate")
		v.Set("_secure_delete", "true") // what is deleted, such as an unlinked account, leaves no text in the file
		v.Set("_cache_size", strconv.Itoa(-pageCacheKiB))
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: o.Path}).EscapedPath(), RawQuery: v.Encode()}).String()
}

// prepareFile makes the file before SQLite does, because it holds secrets: SQLite gives
// the -wal and -shm files the mode of the database.
func prepareFile(path string) error {
	if path == "" {
		return errors.New("no path")
	}
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Mode()&fs.ModePerm != fileMode {
		err = f.Chmod(fileMode)
	}
	return errors.Join(err, f.Close())
}

const truncateLogSQL = `PRAGMA wal_checkpoint(TRUNCATE)`

// Erase removes what was deleted from SQLite's log. The database file itself has none of it any more, since deleted content is
// overwritten (secure_delete). A reader that goes on for long keeps the log until the next checkpoint. In a PostgreSQL
// database deleted rows stay in the files until VACUUM lets new ones take their place, and in its log and backups
// as long as those are kept: the server cannot change that.
func (s *Store) Erase(ctx context.Context) error {
	if s.dialect == Postgres {
		return nil
	}
	if _, err := s.writes.ExecContext(ctx, truncateLogSQL); err != nil {
		return fmt.Errorf("remove what was deleted from the log: %w", err)
	}
	return nil
}

const backupSQL = `VACUUM INTO ?`

// Backup writes a consistent copy to a file that must not exist yet, while the store is in use. PostgreSQL
// has its own programs for that.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.dialect == Postgres {
		return errors.New("back up: a PostgreSQL database is backed up by pg_dump or pg_basebackup")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode) // VACUUM INTO takes an empty file
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	db, err := sql.Open("sqlite3", source(Options{Path: s.location, BusyTimeout: defaultBusyTimeout}, "rw"))
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if _, err = db.ExecContext(ctx, backupSQL, path); err != nil {
		err = fmt.Errorf("back up to %s: %w", path, err)
	}
	return errors.Join(err, db.Close())
}
