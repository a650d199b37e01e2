package retention_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/indexing"
	"github.com/dragoman-im/dragoman/core/store/retention"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const day = 24 * time.Hour

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
	carol = jid.MustParse("carol@short.example")
)

// archiveOf is a store with the archives of some accounts.
type archiveOf struct {
	*testing.T
	*store.Store
	tables *retention.Tables
	now    time.Time
	done   chan error
	puts   int
}

func open(t *testing.T, accounts ...jid.JID) *archiveOf {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, a := range accounts {
		if err := s.CreateAccount(t.Context(), a, sasl.Credentials{}); err != nil {
			t.Fatal(err)
		}
	}
	return &archiveOf{T: t, Store: s, tables: retention.New(s), now: time.Now().Truncate(time.Second), done: make(chan error, 10_000)}
}

// put archives a message for an account.
func (a *archiveOf) put(account, from jid.JID, text string, at time.Time) {
	a.putAs(account, from, text, storetest.IDAt(at).String(), at)
}

func (a *archiveOf) putAs(account, from jid.JID, text, id string, at time.Time) {
	st := stanza.NewMessage(account, from, stanza.TypeChat, stanza.TextElement("", "body", text))
	if from == account {
		st = stanza.NewMessage(bob, from, stanza.TypeChat, stanza.TextElement("", "body", text))
	}
	a.puts++
	a.Archive(account, archive.Entry{ID: id, At: at, Stanza: st}, func(err error) { a.done <- err })
}

func (a *archiveOf) wait() {
	a.Helper()
	for ; a.puts > 0; a.puts-- {
		if err := <-a.done; err != nil {
			a.Fatal(err)
		}
	}
}

// texts are those of an account's archive.
func (a *archiveOf) texts(account jid.JID, f archive.Filter) (list []string) {
	a.Helper()
	r, err := a.Query(a.Context(), account, f, archive.Page{Max: 100, Backwards: true})
	if err != nil {
		a.Fatal(err)
	}
	for _, e := range r.Entries {
		list = append(list, e.Stanza.Body())
	}
	return list
}

// expire deletes what is too old, where the configuration says ten days, and three for the second host.
func (a *archiveOf) expire() (upTo map[int64]int64) {
	a.Helper()
	upTo = map[int64]int64{}
	if err := a.CompleteArchives(a.Context()); err != nil {
		a.Fatal(err)
	}
	most, err := a.tables.LongestGranted(a.Context())
	if err != nil {
		a.Fatal(err)
	}
	host := func(account jid.JID) time.Duration {
		if account.Domain() == "short.example" {
			return 3 * day
		}
		return 10 * day
	}
	if err := a.tables.Expire(a.Context(), retention.Expiry{Now: a.now, Host: host, Most: max(most, 10*day)}, func(n, to int64) { upTo[n] = to }); err != nil {
		a.Fatal(err)
	}
	return upTo
}

func (a *archiveOf) count(query string) (n int) {
	a.Helper()
	if err := a.Reader().QueryRow(query).Scan(&n); err != nil {
		a.Fatal(err)
	}
	return n
}

func TestKeep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		own, granted, host, want time.Duration
	}{
		{0, 0, 10 * day, 10 * day},
		{5 * day, 0, 10 * day, 5 * day},
		{20 * day, 0, 10 * day, 10 * day},
		{5 * day, 0, archive.Forever, 5 * day},
		{0, archive.Forever, 10 * day, archive.Forever},
		{0, 3 * day, archive.Forever, 3 * day},
		{5 * day, archive.Forever, 10 * day, 5 * day},
		{5 * day, 3 * day, 10 * day, 3 * day},
	} {
		if got := (archive.Retention{Own: c.own, Granted: c.granted}).Keep(c.host); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// Each archive is kept as its account, an administrator or its host says; a message that two have stays in the archive of the other, also
// as a tombstone, and what was shown of contacts and words goes with the messages.
func TestExpire(t *testing.T) {
	t.Parallel()
	a := open(t, alice, bob, carol)
	for _, account := range []jid.JID{alice, bob, carol} {
		for _, age := range []int{20, 8, 4, 1} {
			id, at := storetest.IDAt(a.now.Add(-time.Duration(age)*day)).String(), a.now.Add(-time.Duration(age)*day)
			a.putAs(account, jid.MustParse("x@away.example/x"), fmt.Sprint(age), id, at)
		}
		a.wait()
	}
	shared := storetest.IDAt(a.now.Add(-7 * time.Hour)).String()
	a.putAs(alice, alice, "both", shared, a.now.Add(-7*time.Hour))
	a.putAs(bob, alice, "both", shared, a.now.Add(-7*time.Hour))
	a.wait()
	for _, err := range []error{
		a.tables.SetOwnRetention(t.Context(), alice, 5*day), a.tables.SetGrantedRetention(t.Context(), bob, archive.Forever),
		a.tables.SetOwnRetention(t.Context(), jid.MustParse("nobody@example.org"), day),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if r, err := a.tables.Retention(t.Context(), bob); err != nil || r.Granted != archive.Forever || r.Own != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	a.expire()
	for account, want := range map[jid.JID][]string{alice: {"4", "1", "both"}, bob: {"20", "8", "4", "1", "both"}, carol: {"1"}} {
		if got := a.texts(account, archive.Filter{}); !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", account, got, want)
		}
	}
	if n := a.count(`SELECT count(*) FROM archive_contacts`); n != 3+5+1+2 { // and those of the last ones that are gone
		t.Errorf("%d minutes of contacts are left", n)
	}
	// The account's choice ends, and the time becomes shorter for bob: less than an hour ago is kept.
	if err := a.tables.SetGrantedRetention(t.Context(), bob, 6*time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := a.tables.SetOwnRetention(t.Context(), alice, 0); err != nil {
		t.Fatal(err)
	}
	a.expire()
	if got := a.texts(bob, archive.Filter{}); len(got) > 0 {
		t.Errorf("bob has %v", got)
	}
	if got := a.texts(alice, archive.Filter{}); !slices.Equal(got, []string{"4", "1", "both"}) {
		t.Errorf("alice has %v", got)
	}
	if err := a.tables.SetOwnRetention(t.Context(), alice, time.Hour); err != nil {
		t.Fatal(err)
	}
	a.expire()
	if n := a.count(`SELECT count(*) FROM archive_messages`); n != 1 {
		t.Errorf("%d messages are left", n)
	}
	if err := a.DeleteAccount(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if n := a.count(`SELECT count(*) FROM archive_retention`); n != 1 {
		t.Errorf("%d rows of settings", n)
	}
}

// The words of what is deleted leave the index: with whole segments, and from a segment of which a good part is too old.
func TestExpireWords(t *testing.T) {
	t.Parallel()
	a := open(t, alice)
	const n = 3000
	for i := range n {
		a.put(alice, bob, fmt.Sprintf("word%d all", i), a.now.Add(-time.Duration(n-i)*time.Hour))
	}
	a.wait()
	index := indexing.New(a.Store, indexing.Accounts(a.Store), slog.New(slog.DiscardHandler))
	if err := index.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	chunks := a.count(`SELECT CAST(sum(length(data)) AS BIGINT) FROM archive_words_chunks`)
	if err := a.tables.SetOwnRetention(t.Context(), alice, 3*day); err != nil {
		t.Fatal(err)
	}
	upTo := a.expire()
	if len(upTo) != 1 {
		t.Fatalf("%v", upTo)
	}
	for number, to := range upTo {
		if err := archives.Words.Trim(t.Context(), a.Reader(), a.Store, number, to+1); err != nil {
			t.Fatal(err)
		}
	}
	if left := a.count(`SELECT CAST(coalesce(sum(length(data)), 0) AS BIGINT) FROM archive_words_chunks`); left*10 > chunks {
		t.Errorf("%d of %d bytes of the index are left, of a fortieth of the messages", left, chunks)
	}
	for text, want := range map[string]int{"all": 72, fmt.Sprintf("word%d", n-1): 1, fmt.Sprintf("word%d", n-100): 0} {
		words, err := search.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.texts(alice, archive.Filter{Words: &words}); len(got) != want {
			t.Errorf("%s is found %d times, want %d", text, len(got), want)
		}
	}
	a.put(alice, bob, "something else", a.now)
	a.wait()
	if err := index.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// As TestPruneWithWrongClock of package store: the clock that was ahead or behind while messages were archived neither keeps nor deletes
// them.
func TestExpireWithWrongClock(t *testing.T) {
	t.Parallel()
	const year = 365 * day
	a := open(t, alice)
	if err := a.tables.SetOwnRetention(t.Context(), alice, 7*day); err != nil {
		t.Fatal(err)
	}
	put := func(text string, at time.Time) {
		a.put(alice, bob, text, at)
		a.wait()
	}
	for _, text := range []string{"f1", "f2", "f3"} { // the clock was a year ahead
		put(text, a.now.Add(year-20*day))
	}
	put("old1", a.now.Add(-9*day))
	put("old2", a.now.Add(-8*day))
	put("new1", a.now.Add(-time.Hour))
	put("new2", a.now)
	a.expire()
	if got := a.texts(alice, archive.Filter{}); !slices.Equal(got, []string{"new1", "new2"}) {
		t.Errorf("left %q", got)
	}

	a = open(t, alice)
	if err := a.tables.SetOwnRetention(t.Context(), alice, 7*day); err != nil {
		t.Fatal(err)
	}
	put("before", a.now.Add(-time.Hour))
	put("clock of 1970", time.Unix(0, 0))
	put("right again", a.now)
	a.expire()
	if got := a.texts(alice, archive.Filter{}); !slices.Equal(got, []string{"before", "clock of 1970", "right again"}) {
		t.Errorf("left %q", got)
	}
}

// What cannot be written changes nothing.
func TestExpireWithoutDisk(t *testing.T) {
	t.Parallel()
	a := open(t, alice)
	a.put(alice, bob, "old", a.now.Add(-9*day))
	a.wait()
	err := a.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO archive_retention (account, own, granted) VALUES (?, 1, 0)`, alice.String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.CompleteArchives(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.tables.Expire(t.Context(), retention.Expiry{Now: a.now, Host: func(jid.JID) time.Duration { return day }, Most: 10 * day}, func(int64, int64) { t.Error("expired") }); err == nil {
		t.Error("no error")
	}
}
