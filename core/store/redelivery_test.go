package store

import (
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// archivedIDs are the ids of an archive, in order.
func archivedIDs(t *testing.T, s *Store, account jid.JID) (ids []string) {
	t.Helper()
	result, err := s.Query(t.Context(), account, archive.Filter{}, archive.Page{Max: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range result.Entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// A message that was received before a crash is archived once, under the id and with the time that it has.
func TestArchiveReceived(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	made := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	st := stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", "text"), message.StanzaID(alice, "forged"))
	st.Entry = storetest.IDAt(made).String()
	for range 2 {
		if err := s.ArchiveReceived(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	result, err := s.Query(t.Context(), alice, archive.Filter{}, archive.Page{Max: 10})
	if err != nil || len(result.Entries) != 1 {
		t.Fatalf("%d entries: %v", len(result.Entries), err)
	}
	e := result.Entries[0]
	id := e.Stanza.Child(message.NSStanzaID, "stanza-id")
	if e.ID != st.Entry || !e.At.Equal(made) || id.Attr("id") != st.Entry || id.Attr("by") != alice.String() {
		t.Errorf("%+v %s", e, e.Stanza)
	}
	for _, to := range []jid.JID{bob, alice.Host()} { // nobody's archive
		other := st.WithTo(to)
		other.Entry = stanza.NewID()
		if err := s.ArchiveReceived(t.Context(), other); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	// It has its id when it comes again: its entry stays.
	if waits, err := s.PrepareRedelivery(t.Context(), st); err != nil || waits {
		t.Error(waits, err)
	}
	if got := archivedIDs(t, s, alice); !slices.Equal(got, []string{st.Entry}) {
		t.Error(got)
	}
}

// What is archived with a function is there if the function succeeds, and only then.
func TestWriteArchived(t *testing.T) {
	t.Parallel()
	s := open(t, Options{Partitions: 2})
	account(t, s, alice)
	scratch(t, s)
	var list []archive.Entry
	for range 3 {
		st := stanza.NewMessage(bob, alice, stanza.TypeChat, stanza.TextElement("", "body", "text"))
		list = append(list, archive.Entry{ID: stanza.NewID(), At: time.Now(), Stanza: st})
	}
	no := errors.New("no")
	err := s.WriteArchived(t.Context(), alice, list[:2], func(tx *sql.Tx) error {
		if err := put(1)(tx); err != nil {
			return err
		}
		return no
	})
	if !errors.Is(err, no) {
		t.Fatal(err)
	}
	if got := archivedIDs(t, s, alice); len(got) > 0 || len(numbers(t, s)) > 0 {
		t.Errorf("%v, %v after a failure", got, numbers(t, s))
	}
	if err := s.WriteArchived(t.Context(), alice, list[:1], put(2)); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteArchived(t.Context(), alice, list, put(3)); err != nil { // the first one is there
		t.Fatal(err)
	}
	if got := archivedIDs(t, s, alice); !slices.Equal(got, []string{list[0].ID, list[1].ID, list[2].ID}) {
		t.Error(got)
	}
	if got := numbers(t, s); len(got) != 2 || !got[2] || !got[3] {
		t.Error(got)
	}
	if err := s.WriteArchived(t.Context(), bob, list[:1], put(4)); err != nil { // no account, no archive
		t.Error(err)
	}
}
