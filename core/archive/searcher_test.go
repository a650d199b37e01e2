package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// listStore is an archive in memory. It looks at effort entries for one page at most; 0 is all.
type listStore struct {
	list   []Entry
	effort int
	err    error
}

func (s *listStore) Query(_ context.Context, _ jid.JID, f Filter, p Page) (Result, error) {
	if s.err != nil {
		return Result{}, s.err
	}
	r := Result{Complete: true}
	to := len(s.list)
	if p.Before != "" {
		if to = slices.IndexFunc(s.list, func(e Entry) bool { return e.ID == p.Before }); to < 0 {
			return Result{}, ErrNoEntry
		}
	}
	for i, looked := to-1, 0; i >= 0; i-- {
		e := s.list[i]
		matches := f.Words.Match(message.Text(e.Stanza)) && !e.At.Before(f.Start) && (f.End.IsZero() || !e.At.After(f.End)) &&
			(f.With.IsZero() || e.Stanza.From.Bare() == f.With || e.Stanza.To.Bare() == f.With)
		if matches && len(r.Entries) == p.Max {
			r.Complete = false
			break
		}
		if matches {
			r.Entries = append(r.Entries, e)
		}
		if looked++; s.effort > 0 && looked == s.effort && i > 0 {
			r.Complete, r.Reached = false, e.ID
			break
		}
	}
	slices.Reverse(r.Entries)
	return r, nil
}

func (s *listStore) Ends(context.Context, jid.JID) (first, last Mark, err error) {
	return first, last, nil
}

// listRooms are the rooms that an account sees.
type listRooms []Readable

func (l *listRooms) Readable(_ context.Context, _, room jid.JID, limit int) (list []Readable, err error) {
	for _, r := range *l {
		if (room.IsZero() || r.JID == room) && len(list) < limit {
			list = append(list, r)
		}
	}
	return list, nil
}

var (
	annBare = jid.MustParse("ann@example.org")
	begin   = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	inRooms = jid.MustParse("rooms.example.org")
)

func roomAt(i int) jid.JID { return jid.MustParse(fmt.Sprintf("room%d@rooms.example.org", i)) }

// sent is an entry with a text, some minutes after the beginning.
func sent(minutes int, from, to string, text string) Entry {
	st := stanza.NewMessage(jid.MustParse(to), jid.MustParse(from), stanza.TypeChat, stanza.TextElement("", "body", text))
	return Entry{ID: fmt.Sprintf("%s-%d", strings.ReplaceAll(from, "/", "-"), minutes), At: begin.Add(time.Duration(minutes) * time.Minute), Stanza: st}
}

func words(t *testing.T, text string) search.Query {
	t.Helper()
	q, err := search.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// all reads all pages.
func all(t *testing.T, s *Searcher, q Question) (list []Found) {
	t.Helper()
	for range 1000 {
		page, err := s.Find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, page.List...)
		if page.Next == nil {
			return list
		}
		q.After = page.Next
	}
	t.Fatal("the pages do not end")
	return nil
}

func minutesOf(list []Found) (minutes []int) {
	for _, f := range list {
		minutes = append(minutes, int(f.At.Sub(begin)/time.Minute))
	}
	return minutes
}

// The pages have each message that matches once, the newest first, whatever archive it is in and however much one query looks at.
func TestSearcherMerges(t *testing.T) {
	t.Parallel()
	for _, effort := range []int{0, 7} {
		own, rooms := &listStore{effort: effort}, make([]*listStore, 4)
		var list listRooms
		for i := range rooms {
			rooms[i] = &listStore{effort: effort}
			list = append(list, Readable{JID: roomAt(i), Name: "Room", Store: rooms[i]})
		}
		var want []int
		for i := range 300 {
			text := "nothing"
			if i%3 == 0 {
				text = "some words here"
				want = append(want, i)
			}
			switch n := i * i % 7; {
			case n < len(rooms):
				rooms[n].list = append(rooms[n].list, sent(i, roomAt(n).String()+"/Bob", annBare.String(), text))
			default:
				own.list = append(own.list, sent(i, "bob@example.org/x", annBare.String(), text))
			}
		}
		slices.Reverse(want)
		s := NewSearcher(own)
		s.Add(inRooms, &list)
		for _, size := range []int{1, 7, 20, 50} {
			got := minutesOf(all(t, s, Question{Account: annBare, Words: words(t, "words"), Size: size}))
			if effort > 0 { // the order is that within each archive only
				slices.Sort(got)
				slices.Reverse(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("effort %d, %d a page: %v, want %v", effort, size, got, want)
			}
		}
	}
}

func TestSearcherShows(t *testing.T) {
	t.Parallel()
	own := &listStore{list: []Entry{
		sent(1, "ann@example.org/pc", "bob@example.org", "words to bob"),
		sent(2, "bob@example.org/x", "ann@example.org", "words\nfrom "+strings.Repeat("bob ", 100)),
		sent(5, "carol@example.org/x", "ann@example.org", "words from carol"),
	}}
	rooms := listRooms{{JID: roomAt(1), Name: "One", Store: &listStore{list: []Entry{sent(3, roomAt(1).String()+"/Bob", "ann@example.org", "words in the room")}}}}
	s := NewSearcher(own)
	s.Add(inRooms, &rooms)
	got := all(t, s, Question{Account: annBare, Words: words(t, "words")})
	want := []Found{
		{Conversation: jid.MustParse("carol@example.org"), Author: "carol@example.org", Excerpt: "words from carol"},
		{Conversation: roomAt(1), Author: "Bob", Name: "One", Excerpt: "words in the room"},
		{Conversation: jid.MustParse("bob@example.org"), Author: "bob@example.org"},
		{Conversation: jid.MustParse("bob@example.org"), Author: "ann@example.org", Excerpt: "words to bob"},
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, w := range want {
		g := got[i]
		if g.Conversation != w.Conversation || g.Author != w.Author || g.Name != w.Name || w.Excerpt != "" && g.Excerpt != w.Excerpt {
			t.Errorf("%+v, want %+v", g, w)
		}
		if n := len([]rune(g.Excerpt)); n > excerptSize+2 || strings.Contains(g.Excerpt, "\n") {
			t.Errorf("an excerpt of %d characters: %q", n, g.Excerpt)
		}
	}
	for _, c := range []struct {
		q    Question
		want []int
	}{
		{Question{With: jid.MustParse("bob@example.org")}, []int{2, 1}},
		{Question{With: roomAt(1)}, []int{3}},
		{Question{With: roomAt(2)}, nil},
		{Question{Start: begin.Add(2 * time.Minute), End: begin.Add(3 * time.Minute)}, []int{3, 2}},
	} {
		c.q.Account, c.q.Words = annBare, words(t, "words")
		if got := minutesOf(all(t, s, c.q)); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, got, c.want)
		}
	}
	if page, err := s.Find(t.Context(), Question{Account: annBare}); err != nil || len(page.List) > 0 || page.Next != nil {
		t.Errorf("without words: %+v, %v", page, err)
	}
}

// What an account may read is asked for each page, and confirmed before anything is shown.
func TestSearcherRights(t *testing.T) {
	t.Parallel()
	room := &listStore{}
	for i := range 10 {
		room.list = append(room.list, sent(i, roomAt(1).String()+"/Bob", "ann@example.org", "words"))
	}
	own := &listStore{list: []Entry{sent(4, "bob@example.org/x", "ann@example.org", "words")}}
	confirmed := true
	rooms := listRooms{{JID: roomAt(1), Store: room, Confirm: func(context.Context) error {
		if !confirmed {
			return errors.New("not in the room")
		}
		return nil
	}}}
	s := NewSearcher(own)
	s.Add(inRooms, &rooms)
	q := Question{Account: annBare, Words: words(t, "words"), Size: 3}
	first, err := s.Find(t.Context(), q)
	if err != nil || !slices.Equal(minutesOf(first.List), []int{9, 8, 7}) {
		t.Fatalf("%+v, %v", first, err)
	}
	q.After, confirmed = first.Next, false
	if page, err := s.Find(t.Context(), q); err != nil || !slices.Equal(minutesOf(page.List), []int{4}) || page.List[0].Archive != annBare || page.Unconfirmed != 1 {
		t.Errorf("not confirmed: %+v, %v", page, err)
	}
	kept := rooms
	rooms = nil
	if got := minutesOf(all(t, s, q)); !slices.Equal(got, []int{4}) {
		t.Errorf("after leaving the room: %v", got)
	}
	rooms, confirmed = kept, true
	if got := minutesOf(all(t, s, q)); !slices.Equal(got, []int{6, 5, 4, 4, 3, 2, 1, 0}) {
		t.Errorf("in the room again: %v", got)
	}
	s.Remove(inRooms)
	if got := minutesOf(all(t, s, Question{Account: annBare, Words: words(t, "words")})); !slices.Equal(got, []int{4}) {
		t.Errorf("without the service: %v", got)
	}
	own.err = errors.New("disk")
	if _, err := s.Find(t.Context(), q); !errors.Is(err, own.err) {
		t.Error(err)
	}
}

func TestSearcherIsBounded(t *testing.T) {
	t.Parallel()
	var rooms listRooms
	for i := range maxSearched + 50 {
		rooms = append(rooms, Readable{JID: roomAt(i), Store: &listStore{list: []Entry{sent(i, roomAt(i).String()+"/Bob", "ann@example.org", "words")}}})
	}
	s := NewSearcher(&listStore{})
	s.Add(inRooms, &rooms)
	page, err := s.Find(t.Context(), Question{Account: annBare, Words: words(t, "words"), Size: 1000})
	if err != nil || !page.Partial || len(page.List) != maxFoundPage {
		t.Errorf("%d messages, partial %v, %v", len(page.List), page.Partial, err)
	}
}
