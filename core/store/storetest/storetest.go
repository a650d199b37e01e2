package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The variables of the environment.
const (
	engineEnv   = "DRAGOMAN_TEST_STORE"
	serverEnv   = "DRAGOMAN_TEST_POSTGRES"
	requiredEnv = "DRAGOMAN_REQUIRE_PEERS"
)

const dropTimeout = 30 * time.Second

// OnPostgres reports whether the tests run on PostgreSQL.
func OnPostgres() bool { return os.Getenv(engineEnv) == "postgres" }

// URL returns the URL of a new database, as store.Options.URL takes it.
func URL(t testing.TB) string {
	t.Helper()
	switch engine := os.Getenv(engineEnv); engine {
	case "", "sqlite":
		return SQLite(t)
	case "postgres":
		return Postgres(t)
	default:
		t.Fatalf("%s is %q; it is sqlite or postgres", engineEnv, engine)
		return ""
	}
}

// SQLite returns the URL of a new SQLite database.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "dragoman.db")
}

// Postgres returns the URL of a new PostgreSQL database. Without a server the test is skipped, or fails
// where DRAGOMAN_REQUIRE_PEERS is set.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(serverEnv)
	if server == "" {
		if os.Getenv(requiredEnv) != "" {
			t.Fatalf("%s is not set: there is no PostgreSQL to test with", serverEnv)
		}
		t.Skipf("%s is not set", serverEnv)
	}
	schema := "test_" + strings.ToLower(rand.Text())
	execute(t, server, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { execute(t, server, "DROP SCHEMA "+schema+" CASCADE") })
	separator := "?"
	if strings.Contains(server, "?") {
		separator = "&"
	}
	return server + separator + "search_path=" + schema
}

func execute(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err == nil {
		_, err = conn.Exec(ctx, "SET client_min_messages = error; "+statement)
		for isDeadlock(err) { // with the last transaction of a process that was killed
			_, err = conn.Exec(ctx, statement)
		}
		_ = conn.Close(ctx)
	}
	if err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

// isDeadlock reports whether PostgreSQL has ended a statement since others wait for it.
func isDeadlock(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "40P01"
}

// urlFile holds the URL of a directory's database.
const urlFile = "store-url"

// InDir returns the URL of the database that belongs to a directory, and makes it at the first
// call: tests that restart a server find again what it had. SQLite's file is dragoman.db in dir.
func InDir(t testing.TB, dir string) string {
	t.Helper()
	if url, err := Find(dir); err == nil {
		return url
	}
	url := "sqlite:" + filepath.Join(dir, "dragoman.db")
	if OnPostgres() {
		url = Postgres(t)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, urlFile), []byte(url), 0o600); err != nil {
		t.Fatal(err)
	}
	return url
}

// Find returns the URL of a directory's database, also in a process that the test has started.
func Find(dir string) (string, error) {
	url, err := os.ReadFile(filepath.Join(dir, urlFile))
	return string(url), err
}
