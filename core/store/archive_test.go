package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/archives"
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// archived fills an archive with m1 to m6, one an hour, in turn with bob/x, carol/y and bob/z.
func archived(t *testing.T, s *Store) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 6 {
		st := stanza.NewMessage(alice, jid.MustParse([]string{"bob@example.org/x", "carol@example.net/y", "bob@example.org/z"}[i%3]), stanza.TypeChat,
			stanza.TextElement("", "body", fmt.Sprint(i+1)))
		if i >= 3 { // sent
			st.From, st.To = jid.MustParse("alice@example.org/pc"), st.From
		}
		wg.Add(1)
		s.Archive(alice, archive.Entry{ID: fmt.Sprint("m", i+1), At: day.Add(time.Duration(i+1) * time.Hour), Stanza: st}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			wg.Done()
		})
	}
	wg.Wait()
}

func TestArchiveQuery(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice, bob)
	archived(t, s)
	hostile := `' OR 1=1; DROP TABLE archive; --`
	for _, c := range []struct {
		name string
		f    archive.Filter
		p    archive.Page
		want string
	}{
		{"all", archive.Filter{}, archive.Page{Max: 10}, "m1 m2 m3 m4 m5 m6 complete"},
		{"exactly all", archive.Filter{}, archive.Page{Max: 6}, "m1 m2 m3 m4 m5 m6 complete"},
		{"first page", archive.Filter{}, archive.Page{Max: 2}, "m1 m2"},
		{"next page", archive.Filter{}, archive.Page{Max: 2, After: "m2"}, "m3 m4"},
		{"last page", archive.Filter{}, archive.Page{Max: 2, Backwards: true}, "m5 m6"},
		{"page before", archive.Filter{}, archive.Page{Max: 2, Before: "m5", Backwards: true}, "m3 m4"},
		{"first page, backwards", archive.Filter{}, archive.Page{Max: 2, Before: "m3", Backwards: true}, "m1 m2 complete"},
		{"between", archive.Filter{AfterID: "m1", BeforeID: "m5"}, archive.Page{Max: 9, After: "m2"}, "m3 m4 complete"},
		{"with, bare", archive.Filter{With: bob}, archive.Page{Max: 9}, "m1 m3 m4 m6 complete"},
		{"with, full", archive.Filter{With: jid.MustParse("bob@example.org/z")}, archive.Page{Max: 9}, "m3 m6 complete"},
		{"with nobody", archive.Filter{With: jid.MustParse("x@y")}, archive.Page{Max: 9}, "complete"},
		{"span", archive.Filter{Start: day.Add(2 * time.Hour), End: day.Add(4 * time.Hour)}, archive.Page{Max: 9}, "m2 m3 m4 complete"},
		{"ids", archive.Filter{IDs: []string{"m5", "m2"}}, archive.Page{Max: 9}, "m2 m5 complete"},
		{"ids and with", archive.Filter{IDs: []string{"m5", "m3"}, With: bob}, archive.Page{Max: 9}, "m3 complete"},
		{"count", archive.Filter{With: bob}, archive.Page{}, "count 4"},
		{"unknown after", archive.Filter{}, archive.Page{Max: 9, After: "m7"}, "no entry"},
		{"unknown before", archive.Filter{}, archive.Page{Max: 9, Before: hostile}, "no entry"},
		{"unknown id", archive.Filter{IDs: []string{"m1", hostile}}, archive.Page{Max: 9}, "no entry"},
		{"unknown after-id", archive.Filter{AfterID: hostile}, archive.Page{Max: 9}, "no entry"},
	} {
		r, err := s.Query(t.Context(), alice, c.f, c.p)
		var got []string
		for _, e := range r.Entries {
			got = append(got, e.ID)
			if e.Stanza.Body() != e.ID[1:] || e.At.Minute() != 0 || e.At.Nanosecond() != 123456000 {
				t.Errorf("%s: %+v", c.name, e)
			}
		}
		switch {
		case errors.Is(err, archive.ErrNoEntry):
			got = append(got, "no entry")
		case err != nil:
			t.Fatal(err)
		case c.p.Max == 0:
			got = append(got, fmt.Sprint("count ", r.Count))
		case r.Complete:
			got = append(got, "complete")
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, not %s", c.name, got, c.want)
		}
	}
	// Another's entries are not to be found by their ids.
	if _, err := s.Query(t.Context(), bob, archive.Filter{}, archive.Page{Max: 1, After: "m1"}); !errors.Is(err, archive.ErrNoEntry) {
		t.Error(err)
	}
	first, last, err := s.Ends(t.Context(), alice)
	if err != nil || first.ID != "m1" || last.ID != "m6" || !last.At.Equal(day.Add(6*time.Hour)) {
		t.Error(first, last, err)
	}
	if first, last, err = s.Ends(t.Context(), bob); err != nil || first.ID+last.ID != "" {
		t.Error(first, last, err)
	}
}

// A query sees what was archived before it, though nobody has waited for that.
func TestArchiveSeesWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	for i := range 300 {
		id := fmt.Sprint(i)
		s.Archive(alice, archive.Entry{ID: id, At: day, Stanza: stanza.NewMessage(alice, bob, "")}, nil)
		r, err := s.Query(t.Context(), alice, archive.Filter{IDs: []string{id}}, archive.Page{Max: 1})
		if err != nil || len(r.Entries) != 1 {
			t.Fatalf("%d: %v %v", i, r, err)
		}
	}
	s.Archive(alice, archive.Entry{ID: "last", At: day, Stanza: stanza.NewMessage(alice, bob, "")}, nil)
	if _, last, err := s.Ends(t.Context(), alice); err != nil || last.ID != "last" {
		t.Error(last, err)
	}
}

func TestArchivePrune(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	archived(t, s)
	after := int64(0)
	for i, want := range []int64{2, 1, 0} {
		p := archives.Pruning{Before: day.Add(4 * time.Hour), Now: day.Add(8 * time.Hour), After: after, Limit: 2}
		n, next, err := s.PruneArchive(t.Context(), p)
		if n != want || err != nil || (next == 0) != (i > 0) {
			t.Errorf("%d pruned, not %d; next %d; %v", n, want, next, err)
		}
		after = next
	}
	if first, _, err := s.Ends(t.Context(), alice); err != nil || first.ID != "m4" {
		t.Error(first, err)
	}
}

func TestArchivePrefs(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	ctx := t.Context()
	account(t, s, alice)
	if p, err := s.Prefs(ctx, alice); err != nil || p.Default != archive.Always {
		t.Error(p, err)
	}
	want := archive.Prefs{Default: archive.Roster, Always: []jid.JID{bob}, Never: []jid.JID{bob, carol}}
	for range 2 {
		if err := s.SetPrefs(ctx, alice, want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Prefs(ctx, alice)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b jid.JID) bool { return a == b })); err != nil || diff != "" {
			t.Error(diff, err)
		}
		want.Always = nil
	}
	if err := s.SetPrefs(ctx, carol, want); err == nil {
		t.Error("preferences of nobody")
	}
}

// A message that cannot be archived fails alone: what is written with it is there.
func TestArchiveRefused(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	done := make(chan error, 3)
	for _, id := range []string{"1", "1", "2"} {
		s.Archive(alice, archive.Entry{ID: id, At: day, Stanza: stanza.NewMessage(alice, bob, "")}, func(err error) { done <- err })
	}
	for i, refused := range []bool{false, true, false} {
		if err := <-done; (err != nil) != refused {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if got, err := s.Query(t.Context(), alice, archive.Filter{}, archive.Page{Max: 10}); err != nil || len(got.Entries) != 2 {
		t.Errorf("%d messages are archived, want 2: %v", len(got.Entries), err)
	}
}

// What is still on its way to the archive of a deleted account is nobody's, and no fault.
func TestArchiveOfDeleted(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	done := make(chan error, 3)
	for i, who := range []jid.JID{alice, bob, alice} {
		s.Archive(who, archive.Entry{ID: fmt.Sprint(i), At: day, Stanza: stanza.NewMessage(alice, bob, "")}, func(err error) { done <- err })
	}
	for i := range 3 {
		if err := <-done; err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
	for who, want := range map[jid.JID]int{alice: 2, bob: 0} {
		if got, err := s.Query(t.Context(), who, archive.Filter{}, archive.Page{Max: 10}); err != nil || len(got.Entries) != want {
			t.Errorf("%d messages of %s are archived, want %d: %v", len(got.Entries), who, want, err)
		}
	}
}

// BenchmarkArchive is archived messages per second, as a stream of one sender has them.
func BenchmarkArchive(b *testing.B) {
	s := open(b, Options{})
	account(b, s, alice)
	st := stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", strings.Repeat("x", 64)))
	free := make(chan struct{}, 500)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		free <- struct{}{}
		s.Archive(alice, archive.Entry{ID: stanza.NewID(), At: time.Now(), Stanza: st}, func(err error) {
			if err != nil {
				b.Error(err)
			}
			<-free
		})
	}
	for range cap(free) {
		free <- struct{}{}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkRoster is one reading of a roster of 100 contacts, as a login needs it.
func BenchmarkRoster(b *testing.B) {
	s := hundred(b)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, _, err := s.Roster(context.Background(), alice, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkContacts is what a broadcast of presence reads.
func BenchmarkContacts(b *testing.B) {
	s := hundred(b)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := s.RosterContacts(context.Background(), alice); err != nil {
			b.Fatal(err)
		}
	}
}

func hundred(b *testing.B) *Store {
	s := open(b, Options{})
	account(b, s, alice)
	for i := range 100 {
		change(b, s, jid.MustParse(fmt.Sprintf("u%d@example.net", i)))
	}
	return s
}

// both archives messages for their sender and their receiver, as the server does.
func both(t testing.TB, s *Store, list ...*stanza.Stanza) (ids []string) {
	t.Helper()
	done := make(chan error, 2*len(list))
	for _, st := range list {
		ids = append(ids, stanza.NewID())
		for _, who := range []jid.JID{st.From.Bare(), st.To.Bare()} {
			s.Archive(who, archive.Entry{ID: ids[len(ids)-1], At: time.Now(), Stanza: st}, func(err error) { done <- err })
		}
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// A page ends with the entry that reaches the limit of bytes.
func TestArchivePageBytes(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	account(t, s, bob)
	var list []*stanza.Stanza
	for range 5 {
		list = append(list, stanza.NewMessage(bob, alice, stanza.TypeChat, stanza.TextElement("", "body", strings.Repeat("x", 987))))
	}
	ids := both(t, s, list...)
	for name, c := range map[string]struct {
		page     archive.Page
		want     []string
		complete bool
	}{
		"two":       {archive.Page{Max: 10, Bytes: 1500}, ids[:2], false},
		"exact":     {archive.Page{Max: 10, Bytes: 2000}, ids[:2], false},
		"one":       {archive.Page{Max: 10, Bytes: 1}, ids[:1], false},
		"backwards": {archive.Page{Max: 10, Bytes: 1500, Backwards: true}, ids[3:], false},
		"all":       {archive.Page{Max: 10, Bytes: 10_000}, ids, true},
		"no limit":  {archive.Page{Max: 10}, ids, true},
	} {
		r, err := s.Query(t.Context(), alice, archive.Filter{With: bob}, c.page)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range r.Entries {
			got = append(got, e.ID)
		}
		if !slices.Equal(got, c.want) || r.Complete != c.complete {
			t.Errorf("%s: %v, complete %v; want %v", name, got, r.Complete, c.want)
		}
	}
}

func count(t testing.TB, s *Store, table string) (n int) {
	t.Helper()
	if err := s.Reader().QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A message of two accounts is kept once, until the second of them is deleted.
func TestArchiveShared(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice, bob)
	var list []*stanza.Stanza
	for range deletePiece*2 + 500 {
		list = append(list, stanza.NewMessage(bob, alice, stanza.TypeChat, stanza.TextElement("", "body", "x")))
	}
	ids := both(t, s, list...)
	query := func(who jid.JID) []archive.Entry {
		t.Helper()
		got, err := s.Query(t.Context(), who, archive.Filter{}, archive.Page{Max: 5000})
		if err != nil {
			t.Fatal(err)
		}
		return got.Entries
	}
	for _, who := range []jid.JID{alice, bob} {
		if got := query(who); len(got) != len(ids) || got[0].ID != ids[0] {
			t.Errorf("%s has %d entries", who, len(got))
		}
	}
	if n := count(t, s, "archive_messages"); n > len(ids)*11/10 && len(s.partitions) == 1 { // a commit may come between the two
		t.Errorf("%d messages are kept, want about %d", n, len(ids))
	}
	if err := s.DeleteAccount(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if got := query(bob); len(got) != len(ids) {
		t.Errorf("the other account has %d entries left", len(got))
	}
	if err := s.DeleteAccount(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"archive_messages", "archive_entries", "archive_contacts", "archive_accounts"} {
		if n := count(t, s, table); n != 0 {
			t.Errorf("%s has %d rows of deleted accounts", table, n)
		}
	}
}

// An id of a text that is as long as the 16 bytes of the server's own ids is found and read as what it is.
func TestArchiveTextOf16Bytes(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	const id = "abcdefpqrstuvwxy"
	done := make(chan error, 1)
	st := stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", "hi"))
	for range 2 {
		s.Archive(alice, archive.Entry{ID: id, At: day, Stanza: st}, func(err error) { done <- err })
	}
	if first, second := <-done, <-done; first != nil || second == nil {
		t.Errorf("archived: %v, again: %v", first, second)
	}
	r, err := s.Query(t.Context(), alice, archive.Filter{IDs: []string{id}}, archive.Page{Max: 5})
	if err != nil || len(r.Entries) != 1 || r.Entries[0].ID != id {
		t.Errorf("%v %v", r, err)
	}
}

// Somebody who begins to copy the database of a server that runs, by mistake, writes its missing entries: the server
// goes on with its archives.
func TestEntriesWrittenByOthers(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	s := open(t, Options{})
	account(t, s, alice)
	other := open(t, Options{Path: s.location})
	archiveOne := func() {
		t.Helper()
		done := make(chan error, 1)
		st := stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", "hi"))
		s.Archive(alice, archive.Entry{ID: st.ID, At: time.Now(), Stanza: st}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		archiveOne()
		if err := other.CompleteTables(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			archiveOne()
		}
		r, err := s.Query(t.Context(), alice, archive.Filter{With: bob}, archive.Page{Max: 9})
		if want := []int{1, 3, 4}[i]; err != nil || len(r.Entries) != want {
			t.Errorf("%d entries, want %d; %v", len(r.Entries), want, err)
		}
	}
}

// A query by the full address of somebody who has sent nothing reads a part of the archive, and says how far it has come: the
// client goes on from there. Counting ends too.
func TestArchiveQueryIsBounded(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	const many = 10_500
	var wg sync.WaitGroup
	for i := range many {
		st := stanza.NewMessage(alice, jid.MustParse("bob@example.org/x"), stanza.TypeChat, stanza.TextElement("", "body", "x"))
		wg.Add(1)
		s.Archive(alice, archive.Entry{ID: fmt.Sprint(i), At: day.Add(time.Duration(i) * time.Second), Stanza: st}, func(error) { wg.Done() })
	}
	wg.Wait()
	f := archive.Filter{With: jid.MustParse("bob@example.org/y")}
	for _, backwards := range []bool{false, true} {
		p := archive.Page{Max: 50, Backwards: backwards}
		r, err := s.Query(t.Context(), alice, f, p)
		if err != nil || len(r.Entries) != 0 || r.Complete || r.Reached == "" {
			t.Fatalf("backwards %v: %v, %d entries, complete %v, reached %q", backwards, err, len(r.Entries), r.Complete, r.Reached)
		}
		if p.Before = r.Reached; !backwards {
			p.Before, p.After = "", r.Reached
		}
		if r, err = s.Query(t.Context(), alice, f, p); err != nil || len(r.Entries) != 0 || !r.Complete || r.Reached != "" {
			t.Errorf("backwards %v: %v, %d entries, complete %v, reached %q", backwards, err, len(r.Entries), r.Complete, r.Reached)
		}
	}
	if r, err := s.Query(t.Context(), alice, f, archive.Page{}); err != nil || r.Count != paging.Unknown || r.Complete {
		t.Errorf("count: %d %v", r.Count, err)
	}
}
