package store

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/indexing"
	"github.com/dragoman-im/dragoman/core/store/wordindex"
)

// textEntry is a message of alice with a text.
func textEntry(i int, contact, text string) archive.Entry {
	st := stanza.NewMessage(alice, jid.MustParse(contact), stanza.TypeChat, stanza.TextElement("", "body", text))
	return archive.Entry{ID: fmt.Sprint("w", i), At: day.Add(time.Duration(i) * time.Second), Stanza: st}
}

func fillText(t testing.TB, s *Store, list []archive.Entry) {
	t.Helper()
	var wg sync.WaitGroup
	for _, e := range list {
		wg.Add(1)
		s.Archive(alice, e, func(err error) {
			if err != nil {
				t.Error(err)
			}
			wg.Done()
		})
	}
	wg.Wait()
}

func words(t testing.TB, text string) *search.Query {
	t.Helper()
	q, err := search.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &q
}

// searched pages through all results of a search.
func searched(t testing.TB, s *Store, f archive.Filter, max int, backwards bool) (ids []string) {
	t.Helper()
	p := archive.Page{Max: max, Backwards: backwards}
	for {
		r, err := s.Query(t.Context(), alice, f, p)
		if err != nil {
			t.Fatal(err)
		}
		var page []string
		for _, e := range r.Entries {
			page = append(page, e.ID)
		}
		if backwards {
			ids = append(page, ids...)
		} else {
			ids = append(ids, page...)
		}
		if r.Complete {
			return ids
		}
		switch {
		case backwards && r.Reached != "":
			p.Before = r.Reached
		case backwards:
			p.Before = page[0]
		case r.Reached != "":
			p.After = r.Reached
		default:
			p.After = page[len(page)-1]
		}
	}
}

// A search finds what has the words, whatever part of the archive is indexed: nothing, the older messages, some segments or those
// that they were merged into.
func TestSearchOfArchive(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	random := rand.New(rand.NewPCG(1, 2))
	contacts := []string{"bob@example.org/x", "bob@example.org/y", "carol@example.net/z"}
	vocabulary := []string{"Ähre", "zebra", "moon", "Straße", "東京", "x1", "lorem", "ipsum", "dolor", "sit"}
	var all []archive.Entry
	for round := range 10 {
		var more []archive.Entry
		for range 1100 {
			text := vocabulary[random.IntN(len(vocabulary))]
			for random.IntN(4) > 0 {
				text += " " + vocabulary[min(random.IntN(len(vocabulary)), random.IntN(len(vocabulary)))]
			}
			if random.IntN(500) == 0 {
				text += " needle"
			}
			more = append(more, textEntry(len(all)+len(more), contacts[random.IntN(len(contacts))], text))
		}
		fillText(t, s, more)
		all = append(all, more...)
		if round > 0 && round < 9 {
			if err := indexing.New(s, indexing.Accounts(s), s.log).Run(t.Context()); err != nil { // a new one: it is never busy
				t.Fatal(err)
			}
		}
		if round != 0 && round != 3 && round != 9 {
			continue
		}
		for _, c := range []struct{ query, with string }{
			{"needle", ""}, {"ahre zebra", ""}, {`"lorem ipsum"`, ""}, {"strasse", "bob@example.org"}, {"needle", "bob@example.org/y"},
			{"東京 needle", ""}, {"nothing", ""}, {"needle nothing", ""}, {"!", ""},
		} {
			f := archive.Filter{Words: words(t, c.query)}
			var want []string
			if c.with != "" {
				f.With = jid.MustParse(c.with)
			}
			for _, e := range all {
				if (f.With.IsZero() || e.Stanza.From == f.With || e.Stanza.From.Bare() == f.With) && f.Words.Match(e.Stanza.Body()) {
					want = append(want, e.ID)
				}
			}
			for _, backwards := range []bool{false, true} {
				if got := searched(t, s, f, 100, backwards); !slices.Equal(got, want) {
					t.Errorf("round %d, %q with %q, backwards %v: %d found, want %d", round, c.query, c.with, backwards, len(got), len(want))
				}
			}
		}
	}
	number, err := archives.Number(t.Context(), s.reads, alice)
	if err != nil {
		t.Fatal(err)
	}
	if state, err := archives.Words.State(t.Context(), s.reads, number); err != nil || state.Indexed == 0 {
		t.Errorf("nothing is indexed: %v", err)
	}
	var segments, chunks int
	if err := s.reads.QueryRow(`SELECT (SELECT count(*) FROM archive_words_segments), (SELECT count(*) FROM archive_words_chunks)`).Scan(&segments, &chunks); err != nil || segments != 1 {
		t.Errorf("%d segments with %d chunks, want one: %v", segments, chunks, err)
	}
	// Bounds of time and id apply, too.
	f := archive.Filter{Words: words(t, "needle"), Start: all[2000].At, End: all[9000].At}
	for _, id := range searched(t, s, f, 7, true) {
		var n int
		if _, err := fmt.Sscanf(id, "w%d", &n); err != nil || n < 2000 || n > 9000 {
			t.Errorf("%s is out of bounds: %v", id, err)
		}
	}
}

// What is encrypted is found by nothing, and neither is an empty message.
func TestSearchOfEncrypted(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	encrypted := textEntry(0, "bob@example.org/x", "secret")
	encrypted.Stanza.Payload += "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/>"
	fillText(t, s, []archive.Entry{encrypted, textEntry(1, "bob@example.org/x", "secret, "+strings.Repeat("x", 10)), textEntry(2, "bob@example.org/x", "")})
	if got := searched(t, s, archive.Filter{Words: words(t, "secret")}, 10, false); !slices.Equal(got, []string{"w1"}) {
		t.Error(got)
	}
}

// A retracted message is taken out of the index itself, also of what is being merged meanwhile.
func TestRetractedIsNotIndexed(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	var list []archive.Entry
	for i := range 2000 {
		list = append(list, textEntry(i, "bob@example.org/x", []string{"needle", "hay"}[min(i%1900, 1)]+" and more"))
		list[i].Stanza.ID = fmt.Sprint("id", i)
	}
	fillText(t, s, list)
	indexer := indexing.New(s, indexing.Accounts(s), s.log)
	if err := indexer.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	number, err := archives.Number(t.Context(), s.reads, alice)
	if err != nil {
		t.Fatal(err)
	}
	indexed := func() (n int) {
		t.Helper()
		in := wordindex.Search{Terms: words(t, "needle").Terms(), From: 0, To: 1 << 62}
		err := archives.Words.Find(t.Context(), s.reads, number, in, func(p []int64) (bool, error) {
			n += len(p)
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := indexed(); n != 2 {
		t.Fatalf("%d positions", n)
	}
	state, err := archives.Words.State(t.Context(), s.reads, number)
	if err != nil {
		t.Fatal(err)
	}
	bob := jid.MustParse("bob@example.org/x")
	r, ok := archive.RetractionOf(stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.NewElement("urn:xmpp:message-retract:1", "retract").With("id", "id1900")), bob, time.Now())
	if err := s.Retract(t.Context(), alice, r); err != nil || !ok {
		t.Fatal(err)
	}
	if n := indexed(); n != 1 {
		t.Errorf("%d positions after the retraction", n)
	}
	// What was read before the retraction is not written after it.
	added := true
	if err := s.Write(t.Context(), func(tx *sql.Tx) (err error) {
		added, err = archives.Words.Add(tx, number, state, []wordindex.Doc{{Position: 1 << 60, Terms: words(t, "needle").Terms()}}, 1<<60)
		return err
	}); err != nil || added {
		t.Errorf("added %v: %v", added, err)
	}
	// With the account all of it goes.
	if err := s.deleteArchive(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	var chunks int
	if err := s.reads.QueryRow(`SELECT count(*) FROM archive_words_chunks`).Scan(&chunks); err != nil || chunks != 0 {
		t.Errorf("%d chunks are left: %v", chunks, err)
	}
}

// The oldest messages of an archive that has more than its quota are deleted, in the archive of one account alone; a query finds no gap.
func TestArchiveQuota(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice, bob)
	var list []archive.Entry
	for i := range 50 {
		list = append(list, textEntry(i, "bob@example.org/x", fmt.Sprintf("%040d", i)))
	}
	fillText(t, s, list)
	for _, e := range list[:10] {
		done := make(chan error, 1)
		s.Archive(bob, e, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	left := func() (n int) {
		t.Helper()
		return len(searched(t, s, archive.Filter{}, 100, false))
	}
	for _, c := range []struct {
		name          string
		quota         archives.Quota
		deleted, left int
	}{
		{"none", archives.Quota{}, 0, 50},
		{"not reached", archives.Quota{Messages: 50, Bytes: 1 << 20}, 0, 50},
		{"messages", archives.Quota{Messages: 30}, 20, 30},
		{"again", archives.Quota{Messages: 30}, 0, 30},
	} {
		if err := s.CompleteArchives(t.Context()); err != nil {
			t.Fatal(err)
		}
		deleted, err := archives.Enforce(t.Context(), s.Reader(), s, c.quota)
		if n := left(); err != nil || deleted != c.deleted || n != c.left {
			t.Errorf("%s: %d deleted, %d left: %v", c.name, deleted, n, err)
		}
	}
	if _, err := archives.Enforce(t.Context(), s.Reader(), s, archives.Quota{Bytes: 1000}); err != nil {
		t.Fatal(err)
	}
	ids := searched(t, s, archive.Filter{}, 100, false)
	if len(ids) == 0 || len(ids) > 15 || ids[len(ids)-1] != "w49" || ids[0] != fmt.Sprint("w", 50-len(ids)) {
		t.Errorf("%v are left", ids)
	}
	if r, err := s.Query(t.Context(), bob, archive.Filter{}, archive.Page{Max: 50}); err != nil || len(r.Entries) == 0 {
		t.Errorf("bob has %d: %v", len(r.Entries), err)
	}
}
