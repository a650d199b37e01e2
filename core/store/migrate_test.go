package store

import (
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// schema is every table and index of a database, with its SQL.
func readSchema(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	rows, err := db.Query(`SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	m := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		m[name] = text
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func provider(t *testing.T, path string) (*goose.Provider, *sql.DB) {
	t.Helper()
	db, err := sql.Open("sqlite3", source(Options{Path: path}, "rwc"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	m, err := coreMigrations()
	if err != nil {
		t.Fatal(err)
	}
	p, err := migrationProvider(db, SQLite, m)
	if err != nil {
		t.Fatal(err)
	}
	return p, db
}

// A database of the first release, with rows in it, ends up as a fresh one is, and
// every step can be undone.
func TestMigratedEqualsFresh(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	path := filepath.Join(t.TempDir(), "old.db")
	p, db := provider(t, path)
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO accounts (jid, created, roster_version) VALUES ('old@example.org', 1, 1)`); err != nil {
		t.Fatal(err)
	}
	migrated := open(t, Options{Path: path})
	fresh := open(t, Options{})
	want := readSchema(t, fresh.Reader())
	if diff := cmp.Diff(want, readSchema(t, migrated.Reader())); diff != "" {
		t.Errorf("fresh and migrated differ:\n%s", diff)
	}
	var n int
	if err := migrated.Reader().QueryRow(`SELECT count(*) FROM accounts`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d accounts, %v", n, err)
	}
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, readSchema(t, db)); diff != "" {
		t.Errorf("fresh and down-and-up differ:\n%s", diff)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	path := filepath.Join(t.TempDir(), "new.db")
	s, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.writes.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Path: path}); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("opened a newer schema: %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	if _, err := Open(t.Context(), Options{}); err == nil {
		t.Error("opened nothing")
	}
	if _, err := Open(t.Context(), Options{Path: t.TempDir()}); err == nil {
		t.Error("opened a directory")
	}
}

// Several processes find no schema at the same time: each has one in the end.
func TestMigratedAtOnce(t *testing.T) {
	t.Parallel()
	for range 5 {
		url := storetest.URL(t)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				s, err := Open(t.Context(), Options{URL: url, Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// The version that a start compares with is the one that the migrations lead to: an opened database needs no more of them.
func TestSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	m, err := coreMigrations()
	if err != nil {
		t.Fatal(err)
	}
	p, err := migrationProvider(s.writes, s.dialect, m)
	if err != nil {
		t.Fatal(err)
	}
	_, want, err := p.GetVersions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.latest(s.dialect); got != want || err != nil {
		t.Errorf("the latest version is %d, goose knows %d: %v", got, want, err)
	}
	if current, err := m.isCurrent(t.Context(), s.writes, s.dialect); !current || err != nil {
		t.Errorf("a new database is not current: %v", err)
	}
	other := Migrations{Name: "other", Files: m.Files}
	if current, err := other.isCurrent(t.Context(), s.writes, s.dialect); current || err != nil {
		t.Errorf("a database without these tables is current: %v", err)
	}
}
