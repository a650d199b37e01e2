package tables_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

var domain = jid.MustParse("echo.example.org")

// openEngine opens a database on the disk as releases up to 2026-11 left it: with the tables of gateways, but
// without their own versions.
func openEngine(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url})
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	return s
}

// openGateway opens a database with a gateway.
func openGateway(t *testing.T) (*store.Store, *tables.Store) {
	t.Helper()
	s := openEngine(t, storetest.URL(t))
	database, err := tables.Open(t.Context(), s)
	check(t, err)
	g, err := database.Gateway(t.Context(), domain)
	check(t, err)
	return s, g
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, s *store.Store, statements ...string) {
	t.Helper()
	check(t, s.Write(context.Background(), func(tx *sql.Tx) error {
		for _, q := range statements {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	}))
}

func count(t *testing.T, s *store.Store, query string) (n int) {
	t.Helper()
	check(t, s.Reader().QueryRow(query).Scan(&n))
	return n
}

// A database of an earlier release keeps its rows.
func TestEarlierRelease(t *testing.T) {
	t.Parallel()
	s := openEngine(t, storetest.SQLite(t))
	exec(t, s,
		`INSERT INTO bridge_gateways (id, domain) VALUES (7, 'echo.example.org')`,
		`INSERT INTO bridge_accounts (id, gateway, owner, person, name, key_id, secret, status, cause, created)
VALUES ('a', 7, 'ann@example.org', 'ann', 'Ann', 'k', 'x', 'linked', '', 5)`)
	database, err := tables.Open(t.Context(), s)
	check(t, err)
	gateway, err := database.Gateway(t.Context(), domain)
	check(t, err)
	logins, err := gateway.Logins(t.Context())
	check(t, err)
	if len(logins) != 1 || logins[0].ID != "a" || logins[0].Owner != jid.MustParse("ann@example.org") {
		t.Errorf("%+v", logins)
	}
	if _, err := tables.Open(t.Context(), s); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

// The deletion of an account of the server removes its logins, also where the gateway does not run.
func TestAccountDeleted(t *testing.T) {
	t.Parallel()
	s := openEngine(t, storetest.URL(t))
	_, err := tables.Open(t.Context(), s)
	check(t, err)
	exec(t, s,
		`INSERT INTO accounts (jid, created, roster_version) VALUES ('ann@example.org', 1, 1)`,
		`INSERT INTO bridge_gateways (id, domain) VALUES (7, 'echo.example.org')`,
		`INSERT INTO bridge_accounts (id, gateway, owner, person, name, key_id, secret, status, cause, created)
VALUES ('a', 7, 'ann@example.org', 'ann', 'Ann', 'k', 'x', 'linked', '', 5)`)
	check(t, s.DeleteAccount(t.Context(), jid.MustParse("ann@example.org")))
	if n := count(t, s, `SELECT count(*) FROM bridge_accounts`); n != 0 {
		t.Errorf("%d logins are left", n)
	}
}
