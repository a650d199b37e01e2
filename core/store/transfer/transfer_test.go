package transfer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/core/store/transfer"
)

// others is a package with tables of its own, with all types and NULL in each of them.
var others = store.Migrations{Name: "others", Files: fstest.MapFS{"0001_others.sql": {Data: []byte(`-- +goose Up
CREATE TABLE others (id INTEGER NOT NULL PRIMARY KEY, a TEXT, b BLOB, c BIGINT, d BOOLEAN);
CREATE TABLE others_of (other BIGINT NOT NULL REFERENCES others (id), yes BOOLEAN NOT NULL, data BLOB NOT NULL, PRIMARY KEY (other, yes, data));
CREATE TABLE others_list (a TEXT NOT NULL);
`)}}}

func open(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Log: slog.New(slog.DiscardHandler), Unfinished: true})
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	check(t, s.Migrate(t.Context(), others))
	if s.Dialect() == store.SQLite { // there the core's migrations make them, for earlier releases
		for _, table := range []string{"archive", "reactions", "echoes", "ids", "outbox", "inbox", "contacts", "members", "people", "visible", "rooms", "accounts", "gateways"} {
			execute(t, s, `DROP TABLE IF EXISTS bridge_`+table)
		}
	}
	return s
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, s *store.Store, statements ...string) {
	t.Helper()
	check(t, s.Write(t.Context(), func(tx *sql.Tx) error {
		for _, text := range statements {
			if _, err := tx.Exec(text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return nil
	}))
}

func number(t *testing.T, s *store.Store, query string) (n int) {
	t.Helper()
	check(t, s.Reader().QueryRow(query).Scan(&n))
	return n
}

var ann = jid.MustParse("ann@example.org")

// fill writes something of everything, the last of it with n rows.
func fill(t *testing.T, s *store.Store, n int) {
	t.Helper()
	c, err := sasl.NewCredentials("secret", 4096)
	check(t, err)
	check(t, s.CreateAccount(t.Context(), ann, c))
	done := make(chan error, 100)
	for i := range 100 {
		st := stanza.NewMessage(ann, jid.MustParse("bob@example.net/x"), stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint(i)))
		s.Archive(ann, archive.Entry{ID: stanza.NewID(), At: time.Now(), Stanza: st}, func(err error) { done <- err })
	}
	for range 100 {
		check(t, <-done)
	}
	execute(t, s,
		`INSERT INTO others (id, a, b, c, d) VALUES (1, 'a', 'b', 3, TRUE), (7, NULL, NULL, NULL, NULL), (-5, '', '', 0, FALSE)`,
		`INSERT INTO others_of (other, yes, data) VALUES (1, TRUE, 'x'), (1, FALSE, 'y'), (7, FALSE, '')`,
		`INSERT INTO others_list (a) VALUES ('x'), ('x'), ('ü')`)
	check(t, s.Write(t.Context(), func(tx *sql.Tx) error {
		for i := range n {
			if _, err := tx.Exec(`INSERT INTO others_of (other, yes, data) VALUES (1, TRUE, ?)`, fmt.Appendf(nil, "%08d", i)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// directions runs a test for each pair of engines.
func directions(t *testing.T, test func(t *testing.T, from, to string)) {
	t.Helper()
	for name, urls := range map[string][2]func(testing.TB) string{
		"sqlite to sqlite":     {storetest.SQLite, storetest.SQLite},
		"sqlite to postgres":   {storetest.SQLite, storetest.Postgres},
		"postgres to sqlite":   {storetest.Postgres, storetest.SQLite},
		"postgres to postgres": {storetest.Postgres, storetest.Postgres},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, urls[0](t), urls[1](t))
		})
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	directions(t, func(t *testing.T, fromURL, toURL string) {
		from, to := open(t, fromURL), open(t, toURL)
		fill(t, from, 6000)
		tables := map[string]int64{}
		check(t, transfer.Copy(t.Context(), from, to, func(p transfer.Progress) {
			if p.Comparing {
				tables[p.Table] = p.Rows
			}
		}))
		if tables["others_of"] != 6003 || tables["archive_messages"] != 100 || tables["others_list"] != 3 {
			t.Errorf("compared %v", tables)
		}
		r, err := to.Query(t.Context(), ann, archive.Filter{}, archive.Page{Max: 200})
		if err != nil || len(r.Entries) != 100 || r.Entries[99].Stanza.Body() != "99" {
			t.Errorf("archive: %d entries, %v", len(r.Entries), err)
		}
		if c, err := to.Credentials(t.Context(), ann); err != nil || !c.Check("secret") {
			t.Errorf("credentials: %v", err)
		}
		// The copy goes on: with numbers for new rows, and an archive that grows.
		execute(t, to, `INSERT INTO others (a) VALUES ('next')`)
		if n := number(t, to, `SELECT id FROM others WHERE a = 'next'`); n != 8 {
			t.Errorf("the next row has the number %d, want 8", n)
		}
		done := make(chan error)
		st := stanza.NewMessage(ann, jid.MustParse("bob@example.net/x"), stanza.TypeChat, stanza.TextElement("", "body", "new"))
		to.Archive(ann, archive.Entry{ID: stanza.NewID(), At: time.Now(), Stanza: st}, func(err error) { done <- err })
		check(t, <-done)
		if r, err := to.Query(t.Context(), ann, archive.Filter{}, archive.Page{Max: 200}); err != nil || len(r.Entries) != 101 {
			t.Errorf("archive: %d entries, %v", len(r.Entries), err)
		}
		if err := transfer.Copy(t.Context(), from, to, nil); !errors.Is(err, transfer.ErrNotEmpty) {
			t.Errorf("copied again: %v", err)
		}
	})
}

// A copy that was interrupted goes on, and no server opens it before it is complete.
func TestResume(t *testing.T) {
	t.Parallel()
	directions(t, func(t *testing.T, fromURL, toURL string) {
		from, to := open(t, fromURL), open(t, toURL)
		fill(t, from, 12_000)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := transfer.Copy(ctx, from, to, func(p transfer.Progress) {
			if p.Table == "others_of" {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted: %v", err)
		}
		if _, err := store.Open(t.Context(), store.Options{URL: toURL}); !errors.Is(err, store.ErrUnfinished) {
			t.Errorf("opened: %v", err)
		}
		var copied []string
		check(t, transfer.Copy(t.Context(), from, to, func(p transfer.Progress) {
			if !p.Comparing {
				copied = append(copied, p.Table)
			}
		}))
		if fmt.Sprint(copied) == "[]" || copied[0] == "accounts" {
			t.Errorf("copied anew: %v", copied)
		}
		s, err := store.Open(t.Context(), store.Options{URL: toURL})
		check(t, err)
		check(t, s.Close())
	})
}

// A source that is written to meanwhile is noticed.
func TestDiffers(t *testing.T) {
	t.Parallel()
	from, to := open(t, storetest.SQLite(t)), open(t, storetest.SQLite(t))
	fill(t, from, 10)
	err := transfer.Copy(t.Context(), from, to, func(p transfer.Progress) {
		if p.Table == "others" && !p.Comparing {
			check(t, to.Write(context.Background(), func(tx *sql.Tx) error {
				_, err := tx.Exec(`UPDATE others SET a = 'changed' WHERE id = 1`)
				return err
			}))
		}
	})
	if !errors.Is(err, transfer.ErrDiffers) {
		t.Error(err)
	}
	execute(t, from, `CREATE TABLE more (a TEXT)`)
	if err := transfer.Copy(t.Context(), from, open(t, storetest.SQLite(t)), nil); err == nil {
		t.Error("copied a table that the target does not have")
	}
}
