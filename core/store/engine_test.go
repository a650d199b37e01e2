package store

import (
	"database/sql"
	"errors"
	"testing"
	"testing/fstest"
)

// Tables of another package: with their own migrations and versions, written in bulk.
func TestTablesOfOthers(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	ctx := t.Context()
	m := Migrations{Name: "things", Files: fstest.MapFS{
		"0001_things.sql":        {Data: []byte("-- A BLOB is in it.\n-- +goose Up\nCREATE TABLE things (n INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, data BLOB, yes BOOLEAN NOT NULL) WITHOUT ROWID;\n")},
		"sqlite/0002_more.sql":   {Data: []byte("-- +goose Up\nCREATE INDEX things_name ON things (name);\n")},
		"postgres/0002_more.sql": {Data: []byte("-- +goose Up\nCREATE INDEX things_name ON things (name) INCLUDE (data);\n")},
	}}
	for range 2 {
		if err := s.Migrate(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	type name string
	insert := NewInsert("things", []Column{{"n", BigInt}, {"name", Text}, {"data", Bytes}, {"yes", Bool}},
		"new.n >= 0", "(n) DO UPDATE SET name = excluded.name")
	var n int64
	err := s.Partition("a thing").Write(ctx, func(tx *sql.Tx) (err error) {
		n, err = s.InsertRows(tx, insert, [][]any{{1, name("one"), []byte(nil), true}, {int64(2), "two", []byte{2}, false}, {-1, "", []byte{}, true}})
		return err
	})
	if err != nil || n != 2 {
		t.Fatalf("%d rows, want 2: %v", n, err)
	}
	err = s.Write(ctx, func(tx *sql.Tx) (err error) {
		n, err = s.InsertRows(tx, insert, [][]any{{1, "uno", []byte(nil), false}})
		return err
	})
	if err != nil || n != 1 {
		t.Fatalf("%d rows, want 1: %v", n, err)
	}
	var text string
	var data []byte
	var yes bool
	err = s.Reader().QueryRow(`SELECT name, data, yes FROM things WHERE n = ?`, 1).Scan(&text, &data, &yes)
	if err != nil || text != "uno" || data != nil || !yes {
		t.Errorf("%q %v %v %v", text, data, yes, err)
	}
	m.Files = fstest.MapFS{"0001_things.sql": m.Files.(fstest.MapFS)["0001_things.sql"]}
	if err := s.Migrate(ctx, m); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("older migrations: %v", err)
	}
}
