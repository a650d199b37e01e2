package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// Releases before kept what was sent to services in the archive: it is gone after the upgrade, and nothing else is.
func TestSentToServicesIsDeleted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "old.db")
	p, db := provider(t, path)
	if _, err := p.UpTo(t.Context(), beforeMove); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO accounts (jid, created, roster_version) VALUES (?, 1, 1)`, alice.String()); err != nil {
		t.Fatal(err)
	}
	gateway := jid.MustParse("slack.example.org")
	var want []string
	for i, st := range []*stanza.Stanza{
		stanza.NewMessage(gateway, alice, stanza.TypeChat, stanza.TextElement("", "body", "link")),
		stanza.NewMessage(alice, gateway, stanza.TypeChat, stanza.TextElement("", "body", "What is your token?")),
		stanza.NewMessage(gateway, alice, stanza.TypeChat, stanza.TextElement("", "body", "xoxb-token")),
		stanza.NewMessage(bob, alice, stanza.TypeChat, stanza.TextElement("", "body", "done")),
	} {
		at := day.Add(time.Duration(i) * time.Second)
		peer := st.To
		if st.From != alice {
			peer = st.From
		}
		if st.To != gateway {
			want = append(want, st.Body())
		}
		_, err := db.Exec(`INSERT INTO archive (account, id, at, peer, resource, stanza) VALUES (?, ?, ?, ?, ?, ?)`,
			alice.String(), storetest.IDAt(at).String(), at.UnixMicro(), peer.String(), "", encodeStanza(st))
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	page, err := s.Query(t.Context(), alice, archive.Filter{}, archive.Page{Max: 10})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range page.Entries {
		got = append(got, e.Stanza.Body())
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the archive has %q, want %q", got, want)
	}
	if err := s.Erase(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files := filesWith(t, path, "xoxb-token"); len(files) > 0 {
		t.Errorf("still in %q", files)
	}
}

// A deleted account leaves no text in the files of the database while the server goes on.
func TestDeletedAccountLeavesNoText(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.writes.Exec(`INSERT INTO accounts (jid, created, roster_version) VALUES (?, 1, 1), (?, 1, 1)`, alice.String(), bob.String()); err != nil {
		t.Fatal(err)
	}
	const secret = "between-you-and-me"
	for range 100 {
		done := make(chan error, 1)
		st := stanza.NewMessage(carol, alice, stanza.TypeChat, stanza.TextElement("", "body", strings.Repeat(secret, 1000)))
		s.Archive(alice, archive.Entry{ID: stanza.NewID(), At: time.Now(), Stanza: st}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if files := filesWith(t, path, secret); len(files) == 0 {
		t.Fatal("the text is in no file")
	}
	if err := s.DeleteAccount(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if files := filesWith(t, path, secret); len(files) > 0 {
		t.Errorf("still in %q", files)
	}
}

// filesWith are the files of a database that contain a text.
func filesWith(t *testing.T, path, text string) (list []string) {
	t.Helper()
	all, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(text)) {
			list = append(list, filepath.Base(file))
		}
	}
	return list
}
