package store

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// Messages that were archived while the clock was ahead do not keep older and younger ones from being deleted when
// their time has come; what was archived while it was behind is not deleted before that.
func TestPruneWithWrongClock(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	now := time.Now().Truncate(time.Second)
	const year = 365 * 24 * time.Hour
	done := make(chan error, 100)
	put := func(text string, at time.Time) {
		t.Helper()
		st := stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", text))
		s.Archive(alice, archive.Entry{ID: storetest.IDAt(at).String(), At: at, Stanza: st}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	prune := func(keep time.Duration) string {
		t.Helper()
		for after := int64(0); ; {
			var err error
			if _, after, err = s.PruneArchive(t.Context(), archives.Pruning{Before: now.Add(-keep), Now: now, After: after, Limit: 2}); err != nil {
				t.Fatal(err)
			}
			if after == 0 {
				break
			}
		}
		r, err := s.Query(t.Context(), alice, archive.Filter{}, archive.Page{Max: 100})
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, e := range r.Entries {
			list = append(list, e.Stanza.Body())
		}
		return strings.Join(list, " ")
	}
	for _, text := range []string{"f1", "f2", "f3", "f4", "f5"} { // the clock was a year ahead
		put(text, now.Add(year-20*24*time.Hour))
	}
	put("old1", now.Add(-9*24*time.Hour))
	put("old2", now.Add(-8*24*time.Hour))
	put("new1", now.Add(-time.Hour))
	put("new2", now)
	if got := prune(7 * 24 * time.Hour); got != "new1 new2" {
		t.Errorf("left %q", got)
	}

	s = open(t, Options{})
	account(t, s, alice)
	put("before", now.Add(-time.Hour))
	put("clock of 1970", time.Unix(0, 0))
	put("right again", now)
	if got := prune(7 * 24 * time.Hour); got != "before clock of 1970 right again" {
		t.Errorf("left %q", got)
	}
}
