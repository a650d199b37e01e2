package gateways_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/gateways"
)

// The database of an earlier release goes to another one, to PostgreSQL, and back, with the rows of
// its gateways.
func TestCopyStore(t *testing.T) {
	t.Parallel()
	for name, route := range map[string][]func(testing.TB) string{
		"sqlite":            {storetest.SQLite},
		"postgres and back": {storetest.Postgres, storetest.SQLite},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := storetest.OldData(t)
			url := "sqlite:" + filepath.Join(dir, "dragoman.db")
			log := filepath.Join(dir, "echo-echo.old.example.journal")
			if err := os.WriteFile(log, []byte{7: 77}, 0o600); err != nil { // the event with the number 77
				t.Fatal(err)
			}
			for _, next := range route {
				to := next(t)
				if err := gateways.CopyStore(t.Context(), url, to, nil); err != nil {
					t.Fatal(err)
				}
				checkOldGateway(t, to)
				url = to
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*.journal*")); len(left) > 0 {
				t.Errorf("%v is still there", left)
			}
		})
	}
}

// checkOldGateway looks for what testdata/README.md of storetest says of the gateway.
func checkOldGateway(t *testing.T, url string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	database, err := tables.Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	gateway, err := database.Gateway(t.Context(), jid.MustParse("echo.old.example"))
	if err != nil {
		t.Fatal(err)
	}
	logins, err := gateway.Logins(t.Context())
	if err != nil || len(logins) != 1 || logins[0].Owner != jid.MustParse("ann@old.example") || logins[0].User != "guest" {
		t.Fatalf("logins: %+v %v", logins, err)
	}
	contacts, err := gateway.Contacts(t.Context(), logins[0].ID)
	if err != nil || len(contacts) != 4 || contacts[3].Pushed != "Parrot\x00\x00set" {
		t.Errorf("contacts: %+v %v", contacts, err)
	}
	for table, want := range map[string]int{"bridge_rooms": 2, "bridge_archive": 3, "bridge_inbox": 7, "bridge_outbox": 5, "bridge_ids": 5, "bridge_people": 5, "bridge_reactions": 1,
		"bridge_delivered WHERE seq = 77 AND archived": 1} {
		var n int
		if err := s.Reader().QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil || n != want {
			t.Errorf("%s: %d rows, want %d: %v", table, n, want, err)
		}
	}
}
