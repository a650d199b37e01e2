package storetest

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/mattn/go-sqlite3"    // the driver "sqlite3"
)

// DB opens the database of a directory (InDir) beside the server that uses it, as another program would.
func DB(t testing.TB, dir string) *sql.DB {
	t.Helper()
	url, err := Find(dir)
	if err != nil { // the server made it by itself
		url = "sqlite:" + filepath.Join(dir, "dragoman.db")
	}
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source = "sqlite3", "file:"+path+"?_txlock=exclusive&_busy_timeout=5000"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Tables lists the tables of a directory's database with their columns, but for those of migrations.
func Tables(t testing.TB, db *sql.DB) map[string][]string {
	t.Helper()
	query := `SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'`
	if OnPostgres() {
		query = `SELECT table_name::text, column_name::text FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name NOT LIKE 'goose%'`
	}
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	tables := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		tables[table] = append(tables[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return tables
}

const lockTimeout = 30 * time.Second

// Lock keeps the servers that use a database from writing to it, until the lock is released. They
// can read.
func Lock(t testing.TB, db *sql.DB) (release func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	for {
		tx, err := db.BeginTx(context.Background(), nil) // an exclusive lock, on SQLite
		if err == nil && OnPostgres() {
			err = lockTables(ctx, t, db, tx)
		}
		if err == nil {
			return func() { _ = tx.Rollback() }
		}
		if tx != nil {
			_ = tx.Rollback()
		}
		// The servers lock the tables in another order: PostgreSQL ends one of the two transactions.
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != deadlockDetected || ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

// deadlockDetected is the SQLSTATE of a transaction that was ended because of a deadlock.
const deadlockDetected = "40P01"

// lockTables locks all tables of a PostgreSQL database against writes.
func lockTables(ctx context.Context, t testing.TB, db *sql.DB, tx *sql.Tx) error {
	t.Helper()
	names := slices.Sorted(maps.Keys(Tables(t, db)))
	_, err := tx.ExecContext(ctx, "LOCK TABLE "+strings.Join(names, ", ")+" IN EXCLUSIVE MODE")
	return err
}

// Intact checks the file of a SQLite database that nobody uses.
func Intact(t testing.TB, db *sql.DB) {
	t.Helper()
	if OnPostgres() {
		return
	}
	var verdict string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the database is not intact: %s, %v", verdict, err)
	}
}
