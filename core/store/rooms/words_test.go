package rooms

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/indexing"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/core/store/wordindex"
)

var testRoom = jid.MustParse("room@conference.home.test")

// openWithRoom opens tables with one room, whose archive is number 1.
func openWithRoom(t testing.TB) *Tables {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	tables := New(s)
	if err := s.Write(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.Exec(createSQL, testRoom.String(), testRoom.Domain(), "", 1); err != nil {
			return err
		}
		_, err := tx.Exec(beginArchiveSQL, 1, testRoom.String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return tables
}

// written is a message of the room.
func written(n int, nick, text string) conference.Message {
	at := time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC)
	return conference.Message{Archive: 1, Position: at.UnixMicro(), ID: storetest.IDAt(at).String(), Message: fmt.Sprint("m", n), Nick: nick, Occupant: "of " + nick, Payload: "<body>" + text + "</body>"}
}

// say writes messages as a room does.
func (t *Tables) say(tb testing.TB, list []conference.Message) {
	tb.Helper()
	done := make(chan error, len(list))
	for i := range list {
		t.Append(testRoom, &list[i], nil, func(err error) { done <- err })
	}
	for range list {
		if err := <-done; err != nil {
			tb.Fatal(err)
		}
	}
}

func (t *Tables) index(tb testing.TB) {
	tb.Helper()
	if err := indexing.New(t.store, t.Words(), slog.New(slog.DiscardHandler)).Run(tb.Context()); err != nil { // a new one: it is never busy
		tb.Fatal(err)
	}
}

func parse(tb testing.TB, text string) *search.Query {
	tb.Helper()
	q, err := search.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return &q
}

// found returns the ids of all pages of a search, in the order of the archive.
func (t *Tables) found(tb testing.TB, f archive.Filter, size int, backwards bool) (ids []string) {
	tb.Helper()
	p := archive.Page{Max: size, Backwards: backwards}
	for range 10_000 {
		page, err := t.Messages(tb.Context(), 1, f, p)
		if err != nil {
			tb.Fatal(err)
		}
		some := make([]string, len(page.Messages))
		for i, m := range page.Messages {
			some[i] = m.ID
		}
		end := page.Reached
		if n := len(some); n > 0 && end == "" {
			end = some[n-1]
			if backwards {
				end = some[0]
			}
		}
		if backwards {
			ids, p.Before = append(some, ids...), end
		} else {
			ids, p.After = append(ids, some...), end
		}
		if page.Complete {
			return ids
		}
		if end == "" || page.Count != paging.Unknown {
			tb.Fatalf("a page that is not complete: %+v", page)
		}
	}
	tb.Fatal("the search does not end")
	return nil
}

// TestSearchIndexedRoom compares searches with what the archive has, before, while and after it is indexed.
func TestSearchIndexedRoom(t *testing.T) {
	t.Parallel()
	tables := openWithRoom(t)
	random := rand.New(rand.NewPCG(1, 2))
	nicks, vocabulary := []string{"ann", "bob", "Zoë"}, []string{"Ähre", "zebra", "moon", "Straße", "東京", "x1", "lorem", "ipsum", "dolor", "sit"}
	var all []conference.Message
	for round := range 5 {
		var more []conference.Message
		for range 1100 {
			text := vocabulary[random.IntN(len(vocabulary))]
			for random.IntN(4) > 0 {
				text += " " + vocabulary[min(random.IntN(len(vocabulary)), random.IntN(len(vocabulary)))]
			}
			if random.IntN(300) == 0 {
				text += " needle"
			}
			more = append(more, written(len(all)+len(more), nicks[random.IntN(len(nicks))], text))
		}
		tables.say(t, more)
		all = append(all, more...)
		if round > 0 && round < 4 {
			tables.index(t)
		}
		if round == 1 || round == 2 {
			continue
		}
		for _, c := range []struct {
			query, nick string
			from, to    int
		}{
			{query: "needle"}, {query: "ahre zebra"}, {query: `"lorem ipsum"`}, {query: "strasse", nick: "bob"}, {query: "needle", nick: "Zoë"},
			{query: "東京 needle"}, {query: "nothing"}, {query: "!"}, {query: "needle", from: 500, to: 900}, {query: "lorem", from: 1000, to: 1099, nick: "ann"},
		} {
			f := archive.Filter{Words: parse(t, c.query)}
			if c.nick != "" {
				f.With, _ = testRoom.WithResource(c.nick)
			}
			to := len(all)
			if c.to > 0 {
				f.AfterID, f.End, to = all[c.from].ID, time.UnixMicro(all[c.to].Position), c.to+1
				c.from++
			}
			var want []string
			for i := c.from; i < to; i++ {
				if m := &all[i]; (c.nick == "" || m.Nick == c.nick) && f.Words.Match(text(m)) {
					want = append(want, m.ID)
				}
			}
			for _, backwards := range []bool{false, true} {
				if got := tables.found(t, f, 30, backwards); !slices.Equal(got, want) {
					t.Errorf("round %d, %+v, backwards %t: %d found, want %d", round, c, backwards, len(got), len(want))
				}
			}
		}
	}
	if state, err := words.State(t.Context(), tables.store.Reader(), 1); err != nil || state.Indexed < all[4000].Position {
		t.Errorf("indexed up to %d: %v", state.Indexed, err)
	}
}

// positions returns how often a word is in the index of the room.
func (t *Tables) positions(tb testing.TB, word string) (n int) {
	tb.Helper()
	in := wordindex.Search{Terms: parse(tb, word).Terms(), To: 1 << 62}
	if err := words.Find(tb.Context(), t.store.Reader(), 1, in, func(p []int64) (bool, error) {
		n += len(p)
		return true, nil
	}); err != nil {
		tb.Fatal(err)
	}
	return n
}

func (t *Tables) chunks(tb testing.TB) (n int) {
	tb.Helper()
	if err := t.store.Reader().QueryRow(`SELECT count(*) FROM room_words_chunks`).Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

// TestWordsGoWithMessages deletes the words of messages that are retracted, that are too old, and of a room that was destroyed.
func TestWordsGoWithMessages(t *testing.T) {
	t.Parallel()
	tables := openWithRoom(t)
	var list []conference.Message
	for i := range 3000 {
		word := "hay"
		if i%500 == 0 {
			word = "needle"
		}
		list = append(list, written(i, "ann", word))
	}
	correction := written(3000, "ann", "needle again")
	correction.Payload += "<replace xmlns='urn:xmpp:message-correct:0' id='m2500'/>"
	tables.say(t, append(list, correction))
	tables.index(t)
	if n := tables.positions(t, "needle"); n != 7 {
		t.Fatalf("%d positions", n)
	}
	state, err := words.State(t.Context(), tables.store.Reader(), 1)
	if err != nil {
		t.Fatal(err)
	}
	notice := written(3001, "", "retracted")
	found, err := tables.Moderate(t.Context(), testRoom, &notice, &conference.Retraction{ID: list[2500].ID, Payload: "<retracted xmlns='urn:xmpp:message-retract:1'/>"})
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if n := tables.positions(t, "needle"); n != 5 { // without the correction, too
		t.Errorf("%d positions after the retraction", n)
	}
	added := true // what was read before the retraction is not written after it
	if err := tables.store.Write(t.Context(), func(tx *sql.Tx) (err error) {
		added, err = words.Add(tx, 1, state, []wordindex.Doc{{Position: 1 << 60, Terms: parse(t, "needle").Terms()}}, 1<<60)
		return err
	}); err != nil || added {
		t.Errorf("added %v: %v", added, err)
	}
	if err := tables.PruneArchives(t.Context(), time.UnixMicro(list[1600].Position), 0); err != nil {
		t.Fatal(err)
	}
	if err := tables.TrimWords(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := tables.positions(t, "needle"); n != 1 {
		t.Errorf("%d positions after the old ones were deleted", n)
	}
	if err := tables.store.Write(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.Exec(leaveArchiveSQL, testRoom.String()); err != nil {
			return err
		}
		_, err := tx.Exec(destroySQL, testRoom.String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := tables.PruneArchives(t.Context(), time.Time{}, 0); err != nil {
		t.Fatal(err)
	}
	if n := tables.chunks(t); n != 0 {
		t.Errorf("%d chunks are left of the destroyed room", n)
	}
}

// TestWordsAfterRestart trims what a process has deleted from the archive that ended before it trimmed the index, and indexes what is there.
func TestWordsAfterRestart(t *testing.T) {
	t.Parallel()
	tables := openWithRoom(t)
	var list []conference.Message
	for i := range 2500 {
		list = append(list, written(i, "ann", []string{"needle", "hay"}[min(i%500, 1)]))
	}
	tables.say(t, list)
	tables.index(t)
	before := tables.positions(t, "needle")
	if err := tables.PruneArchives(t.Context(), time.UnixMicro(list[1200].Position), 0); err != nil {
		t.Fatal(err)
	}
	again := &Tables{store: tables.store} // it knows of nothing
	if err := again.TrimWords(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := again.positions(t, "needle"); n != before || n == 0 {
		t.Fatalf("%d positions, %d before", n, before)
	}
	if err := again.BeginWords(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := again.TrimWords(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := again.positions(t, "needle"); n != 2 {
		t.Errorf("%d positions after the restart", n)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	again.fresh.deleted(1, list[2000].Position)
	if err := again.TrimWords(cancelled); err == nil || len(again.fresh.takeDeleted()) != 1 {
		t.Error("what could not be trimmed is forgotten:", err)
	}
}
