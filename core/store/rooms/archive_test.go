package rooms

import (
	"database/sql"
	"log/slog"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// TestModerationStays: what a moderator has retracted stays so, whatever its author does (XEP-0425 §5); the other way round the moderator
// decides too.
func TestModerationStays(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(beginSQL); return err }); err != nil {
		t.Fatal(err)
	}
	tables, at := New(s), jid.MustParse("lobby@conference.example.org")
	position := int64(0)
	add := func(id string, r *conference.Retraction) {
		t.Helper()
		position++
		done := make(chan error, 1)
		m := &conference.Message{Archive: 1, Position: position, ID: id, Message: "m" + id, Nick: "ann", Occupant: "ann", Payload: "<body>" + id + "</body>"}
		tables.Append(at, m, r, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	payload := func(id string) string {
		t.Helper()
		page, err := tables.Messages(t.Context(), 1, archive.Filter{IDs: []string{id}}, archive.Page{Max: 1})
		if err != nil || len(page.Messages) != 1 {
			t.Fatalf("%s: %d messages, %v", id, len(page.Messages), err)
		}
		return page.Messages[0].Payload
	}
	moderated := "<retracted xmlns='urn:xmpp:message-retract:1'><moderated xmlns='urn:xmpp:message-moderate:1'/></retracted>"
	own := func(id string) *conference.Retraction {
		return &conference.Retraction{ID: id, Occupant: "ann", Payload: "<retracted xmlns='urn:xmpp:message-retract:1'/>"}
	}
	moderate := func(id string) {
		t.Helper()
		position++
		m := &conference.Message{Archive: 1, Position: position, ID: "by moderator of " + id}
		if found, err := tables.Moderate(t.Context(), at, m, &conference.Retraction{ID: id, Payload: moderated}); err != nil || !found {
			t.Fatalf("%v, %v", found, err)
		}
	}
	add("bad", nil)
	moderate("bad")
	add("retraction of bad", own("bad"))
	if got := payload("bad"); !strings.Contains(got, "moderated") {
		t.Errorf("after its author has retracted it: %s", got)
	}
	add("sorry", nil)
	add("retraction of sorry", own("sorry"))
	moderate("sorry")
	if got := payload("sorry"); !strings.Contains(got, "moderated") {
		t.Errorf("after a moderator has retracted it: %s", got)
	}
}
