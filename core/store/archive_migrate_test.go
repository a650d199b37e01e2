package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// beforeMove is the version of the core's tables that the last release had.
const beforeMove = 6

// What was archived before is in the archive with the ids, times and messages that it had.
func TestArchiveMove(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "old.db")
	p, db := provider(t, path)
	if _, err := p.UpTo(t.Context(), beforeMove); err != nil {
		t.Fatal(err)
	}
	want := map[jid.JID][]archive.Entry{}
	for _, who := range []jid.JID{alice, bob} {
		if _, err := db.Exec(`INSERT INTO accounts (jid, created, roster_version) VALUES (?, 1, 1)`, who.String()); err != nil {
			t.Fatal(err)
		}
	}
	at := day
	for i := range 1500 {
		who, other := alice, bob
		if i%3 == 0 {
			who, other = bob, carol
		}
		at = at.Add(time.Duration(i%7) * time.Second)
		if i == 700 {
			at = at.Add(-time.Hour) // the clock was set back
		}
		st := stanza.NewMessage(who, other, stanza.TypeChat, stanza.TextElement("", "body", strconv.Itoa(i)))
		id := storetest.IDAt(at).String()
		if i%100 == 0 {
			id = fmt.Sprint("text ", i)
		}
		_, err := db.Exec(`INSERT INTO archive (account, id, at, peer, resource, stanza) VALUES (?, ?, ?, ?, ?, ?)`,
			who.String(), id, at.UnixMicro(), other.String(), "", encodeStanza(st))
		if err != nil {
			t.Fatal(err)
		}
		want[who] = append(want[who], archive.Entry{ID: id, At: at, Stanza: st})
	}
	check := func() {
		s, err := Open(t.Context(), Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for who, entries := range want {
			got, err := s.Query(t.Context(), who, archive.Filter{}, archive.Page{Max: 5000})
			if err != nil || len(got.Entries) != len(entries) {
				t.Fatalf("%s: %d entries, want %d; %v", who, len(got.Entries), len(entries), err)
			}
			for i, e := range got.Entries {
				w := entries[i]
				if shift := e.At.Sub(w.At); e.ID != w.ID || shift < 0 || shift > time.Second || e.Stanza.String() != w.Stanza.String() {
					t.Fatalf("%s: %v, want %v", who, e, w)
				}
				if i%50 > 0 {
					continue
				}
				one, err := s.Query(t.Context(), who, archive.Filter{IDs: []string{w.ID}, With: peerOf(who, w.Stanza)}, archive.Page{Max: 2})
				if err != nil || len(one.Entries) != 1 || one.Entries[0].ID != w.ID {
					t.Fatalf("%s is not found: %v %v", w.ID, one, err)
				}
			}
		}
	}
	check()
	if _, err := p.DownTo(t.Context(), beforeMove); err != nil {
		t.Fatal(err)
	}
	check()
}

// TestArchiveMoveMany moves as many messages as DRAGOMAN_ARCHIVE_MOVE says, or a few, and shows how long that takes.
func TestArchiveMoveMany(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("DRAGOMAN_ARCHIVE_MOVE"))
	if n == 0 {
		n = 2000
	}
	path := filepath.Join(t.TempDir(), "old.db")
	p, db := provider(t, path)
	if _, err := p.UpTo(t.Context(), beforeMove); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err := tx.Exec(`INSERT INTO accounts (jid, created, roster_version) VALUES (?, 1, 1)`, fmt.Sprintf("u%d@example.org", i)); err != nil {
			t.Fatal(err)
		}
	}
	st := encodeStanza(stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", "How do you do, and what is new?")))
	for i := range n {
		at := day.Add(time.Duration(i) * time.Second)
		_, err := tx.Exec(`INSERT INTO archive (account, id, at, peer, resource, stanza) VALUES (?, ?, ?, ?, ?, ?)`,
			fmt.Sprintf("u%d@example.org", i%100), storetest.IDAt(at).String(), at.UnixMicro(), fmt.Sprintf("u%d@example.org", i%37), "x", st)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d messages were moved in %v", n, time.Since(begun))
	var moved int
	if err := db.QueryRow(`SELECT count(*) FROM archive_entries`).Scan(&moved); err != nil || moved != n {
		t.Errorf("%d of %d messages are there: %v", moved, n, err)
	}
}
