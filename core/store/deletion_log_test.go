package store

import (
	"context"
	"database/sql"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/deletions"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// A client has its messages, and the process is killed before their deletion is written:
// they are not given out again.
func TestDeletionLogSurvivesKill(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	url := storetest.URL(t)
	s := open(t, Options{URL: url})
	juliet := jid.MustParse("juliet@example.org")
	account(t, s, juliet)
	for _, body := range []string{"one", "two"} {
		done := make(chan error, 1)
		st := stanza.NewMessage(juliet, juliet, stanza.TypeChat, stanza.TextElement("", "body", body))
		s.AddOffline(juliet, offline.Message{ID: body, Stanza: st, Received: time.Now()}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.OfflineMessages(t.Context(), juliet, 0, 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d messages are kept, want 2: %v", len(list), err)
	}
	// What DeleteOffline does before it is killed.
	if err := s.offline.log.Begin([]deletions.Key{{Account: juliet.String(), ID: list[0].ID}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, Options{URL: url})
	list, err = s.OfflineMessages(t.Context(), juliet, 0, 10)
	if err != nil || len(list) != 1 || list[0].Stanza.Body() != "two" {
		t.Fatalf("after the kill %v are kept, want the second: %v", list, err)
	}
	// Nothing is left in the file, also after a deletion that went well.
	deleted := make(chan error, 1)
	s.DeleteOffline(juliet, []string{list[0].ID}, func(err error) { deleted <- err })
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(strings.TrimPrefix(url, "sqlite:") + ".deletions"); err != nil || info.Size() != 0 {
		t.Errorf("the file has %d bytes, want 0: %v", info.Size(), err)
	}
}

// A message that came before the crash is kept; what is only in the archive comes anew, once.
func TestPrepareRedelivery(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	juliet, romeo := jid.MustParse("juliet@example.org"), jid.MustParse("romeo@slack.example.org")
	account(t, s, juliet)
	message := func(id string) *stanza.Stanza {
		st := stanza.NewMessage(juliet, romeo, stanza.TypeChat, stanza.TextElement("", "body", "text"))
		st.ID = id
		return st
	}
	done := make(chan error, 2)
	note := func(err error) { done <- err }
	s.AddOffline(juliet, offline.Message{ID: "1", Stanza: message("kept"), Received: time.Now()}, note)
	s.Archive(juliet, archive.Entry{ID: "a", At: time.Now(), Stanza: message("shown")}, note)
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]bool{"kept": true, "shown": false, "other": false} {
		if got, err := s.PrepareRedelivery(context.Background(), message(id)); err != nil || got != want {
			t.Errorf("%s: kept %v, want %v: %v", id, got, want, err)
		}
	}
	var archived int
	err := s.Write(t.Context(), func(tx *sql.Tx) error { return tx.QueryRow("SELECT count(*) FROM archive_messages").Scan(&archived) })
	if err != nil || archived != 0 {
		t.Errorf("%d messages are archived, want none: %v", archived, err)
	}
}
