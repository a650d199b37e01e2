package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// An id that this server may have made is a position, whether or not its entry is there: clients know ids of messages
// that were deleted, or lost when the process was killed. Other ids are not found.
func TestArchiveIDIsPosition(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice, bob)
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	at := func(minute float64) time.Time { return begin.Add(time.Duration(minute * float64(time.Minute))) }
	idAt := func(minute float64) string { return storetest.IDAt(at(minute)).String() }
	done := make(chan error, 3)
	for i, minute := range []float64{1, 2, 3} {
		st := stanza.NewMessage(alice, carol, stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint(i+1)))
		s.Archive(alice, archive.Entry{ID: idAt(minute), At: at(minute), Stanza: st}, func(err error) { done <- err })
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	counted := storetest.IDAt(at(2.5)) // of version 7, but not of ours: a counter in place of the fraction
	counted[6], counted[7] = 0x7f, 0xff
	for _, c := range []struct {
		name, id      string
		after, before string
	}{
		{"older than all", idAt(-1e6), "1 2 3", ""},
		{"between", idAt(1.5), "2 3", "1"},
		{"between the last", idAt(2.5), "3", "1 2"},
		{"newer than all", idAt(60), "", "1 2 3"},
		{"of tomorrow", idAt(1500), "no entry", "no entry"},
		{"of another maker", counted.String(), "no entry", "no entry"},
		{"of version 4", "6f1d4a52-2c7d-4b8e-9b0a-0d2f3a4b5c6d", "no entry", "no entry"},
		{"a text", "1234567", "no entry", "no entry"},
	} {
		ask := func(who jid.JID, f archive.Filter, p archive.Page) string {
			p.Max = 10
			r, err := s.Query(t.Context(), who, f, p)
			if errors.Is(err, archive.ErrNoEntry) {
				return "no entry"
			} else if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range r.Entries {
				got = append(got, e.Stanza.Body())
			}
			return strings.Join(got, " ")
		}
		if got := ask(alice, archive.Filter{}, archive.Page{After: c.id}); got != c.after {
			t.Errorf("%s: after it %q, want %q", c.name, got, c.after)
		}
		if got := ask(alice, archive.Filter{}, archive.Page{Before: c.id, Backwards: true}); got != c.before {
			t.Errorf("%s: before it %q, want %q", c.name, got, c.before)
		}
		if got := ask(alice, archive.Filter{AfterID: c.id}, archive.Page{}); got != c.after {
			t.Errorf("%s: after-id %q, want %q", c.name, got, c.after)
		}
		if got := ask(alice, archive.Filter{BeforeID: c.id}, archive.Page{}); got != c.before {
			t.Errorf("%s: before-id %q, want %q", c.name, got, c.before)
		}
		if got := ask(alice, archive.Filter{IDs: []string{c.id}}, archive.Page{}); got != "no entry" {
			t.Errorf("%s: asked for itself: %q", c.name, got)
		}
		want := "" // an empty archive knows no ids at all
		if c.after == "no entry" {
			want = c.after
		}
		if got := ask(bob, archive.Filter{}, archive.Page{After: c.id}); got != want {
			t.Errorf("%s: in an empty archive %q, want %q", c.name, got, want)
		}
	}
}
