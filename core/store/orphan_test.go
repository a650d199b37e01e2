package store

import (
	"errors"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/private"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// What is written for an account that was deleted meanwhile is no fault of the server: the
// sender gets an error, or nothing is reported.
func TestWritesAfterTheAccount(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	if err := s.DeleteAccount(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	var refused *stanza.Error
	err := s.SetPrivate(t.Context(), alice, []private.Item{{Space: "urn:x", Name: "x", XML: "<x xmlns='urn:x'/>"}})
	if !errors.As(err, &refused) || refused.Condition != "item-not-found" {
		t.Errorf("private: %v, want item-not-found", err)
	}
	done := make(chan error, 1)
	st := stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", "late"))
	s.Archive(alice, archive.Entry{ID: "1", At: time.Now(), Stanza: st}, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Errorf("archive: %v", err)
	}
}
