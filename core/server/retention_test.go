package server

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/retention"
)

// What is deleted follows the configuration of the host, also after a reload, what administrators have set, and what accounts have chosen.
func TestRetention(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	p := newTestServer(t, extra{server: `archive = "0s"`, upload: "\n[[retention]]\nhost = \"home.test\"\narchive = \"240h\""})
	s, ctx := p.server, t.Context()
	names := []string{"romeo", "juliet", "nurse"}
	now := time.Now()
	done := make(chan error, 100)
	for _, name := range names {
		account := jid.MustParse(name + "@home.test")
		for _, age := range []int{30, 20, 8, 1} {
			st := stanza.NewMessage(account, jid.MustParse("x@away.test/x"), stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint(age)))
			at := now.Add(-time.Duration(age) * day)
			s.store.Archive(account, archive.Entry{ID: fmt.Sprintf("%s-%d", name, age), At: at, Stanza: st}, func(err error) { done <- err })
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
	tables := retention.New(s.store)
	for _, err := range []error{
		tables.SetOwnRetention(ctx, jid.MustParse("juliet@home.test"), 5*day), tables.SetGrantedRetention(ctx, jid.MustParse("nurse@home.test"), 25*day),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	clock := store.NewClock(s.store, "archive", time.Now, s.log)
	check := func(step string, want map[string][]string) {
		t.Helper()
		if err := s.pruneArchive(ctx, clock); err != nil {
			t.Fatal(err)
		}
		s.trimWords(ctx)
		for _, name := range names {
			var got []string
			r, err := s.store.Query(ctx, jid.MustParse(name+"@home.test"), archive.Filter{}, archive.Page{Max: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range r.Entries {
				got = append(got, e.Stanza.Body())
			}
			if !slices.Equal(got, want[name]) {
				t.Errorf("%s: %s has %v, want %v", step, name, got, want[name])
			}
		}
	}
	check("as configured", map[string][]string{"romeo": {"8", "1"}, "juliet": {"1"}, "nurse": {"20", "8", "1"}})

	c := s.config
	c.Server.Archive, c.Retention = config.Duration(3*day), nil
	if err := s.Reload(c); err != nil {
		t.Fatal(err)
	}
	check("after a reload", map[string][]string{"romeo": {"1"}, "juliet": {"1"}, "nurse": {"20", "8", "1"}})

	if err := tables.SetGrantedRetention(ctx, jid.MustParse("nurse@home.test"), 0); err != nil {
		t.Fatal(err)
	}
	check("nothing granted", map[string][]string{"romeo": {"1"}, "juliet": {"1"}, "nurse": {"1"}})
}
