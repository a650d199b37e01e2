package store

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// Pages of the messages with a contact are read from one part of the contact's minutes after the other: nothing is left out where the
// contact has written in more minutes than a page has messages, many times in one minute, or in minutes of which nothing is left.
func TestPagesAcrossMinutes(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	begin := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var all, phone []string // texts of bob's messages
	desk, mobile := jid.MustParse(bob.Bare().String()+"/desk"), jid.MustParse(bob.Bare().String()+"/phone")
	done, puts := make(chan error, 1000), 0
	put := func(i int, from jid.JID, at time.Time) {
		t.Helper()
		text := fmt.Sprint(i)
		st := stanza.NewMessage(alice, from, stanza.TypeChat, stanza.TextElement("", "body", text))
		s.Archive(alice, archive.Entry{ID: storetest.IDAt(at).String(), At: at, Stanza: st}, func(err error) { done <- err })
		puts++
		if i >= 100 && i < 110 { // these are deleted
			return
		}
		if from.Bare() == bob.Bare() {
			all = append(all, text)
		}
		if from == mobile {
			phone = append(phone, text)
		}
	}
	other := jid.MustParse("carol@example.org/x")
	for i := range 400 {
		at := begin.Add(time.Duration(i) * time.Minute)
		from := desk
		switch {
		case i%7 == 0:
			from = mobile
		case i%5 == 0:
			from = other
		}
		put(i, from, at)
		if i == 200 {
			for j := range 70 {
				put(1000+j, from, at.Add(time.Duration(j+1)*time.Millisecond))
			}
		}
	}
	for range puts {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	readPages(t, s, other, archive.Page{Max: 100}) // all entries are there then
	err := s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM archive_entries WHERE position >= ? AND position < ?`, begin.Add(100*time.Minute).UnixMicro(), begin.Add(110*time.Minute).UnixMicro())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, with := range []struct {
		jid  jid.JID
		want []string
	}{{bob.Bare(), all}, {mobile, phone}} {
		for _, backwards := range []bool{false, true} {
			for _, size := range []int{1, 3, 50, 100} {
				if got := readPages(t, s, with.jid, archive.Page{Max: size, Backwards: backwards}); !slices.Equal(got, with.want) {
					t.Errorf("with %s, %d a page, backwards %v: %d of %d messages: %v", with.jid, size, backwards, len(got), len(with.want), got)
				}
			}
		}
	}
}

// readPages reads an archive page by page, and returns the texts in the order of the archive.
func readPages(t *testing.T, s *Store, with jid.JID, p archive.Page) (texts []string) {
	t.Helper()
	for range 1000 {
		r, err := s.Query(t.Context(), alice, archive.Filter{With: with}, p)
		if err != nil {
			t.Fatal(err)
		}
		var page []string
		for _, e := range r.Entries {
			page = append(page, e.Stanza.Body())
		}
		if p.Backwards {
			texts = append(page, texts...)
		} else {
			texts = append(texts, page...)
		}
		if r.Complete {
			return texts
		}
		if len(r.Entries) == 0 {
			break
		}
		if p.Backwards {
			p.Before = r.Entries[0].ID
		} else {
			p.After = r.Entries[len(r.Entries)-1].ID
		}
	}
	t.Fatal("the pages do not end")
	return nil
}

// A message is retracted also where the contact has written in many minutes since.
func TestRetractionAcrossMinutes(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	begin := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const n = 450
	done := make(chan error, n)
	for i := range n {
		at := begin.Add(time.Duration(i) * time.Minute)
		st := stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint(i)))
		st.ID = fmt.Sprint("m", i)
		s.Archive(alice, archive.Entry{ID: storetest.IDAt(at).String(), At: at, Stanza: st}, func(err error) { done <- err })
	}
	for range n {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{n - 1, 10, 0} {
		r := archive.Retraction{By: bob, Contact: bob, Target: fmt.Sprint("m", i), ID: "r", At: begin}
		if err := s.Retract(t.Context(), alice, r); err != nil {
			t.Fatal(err)
		}
	}
	var left []string
	for p := (archive.Page{Max: 100}); ; {
		page, err := s.Query(t.Context(), alice, archive.Filter{}, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			if e.Stanza.Body() == "" {
				left = append(left, e.Stanza.ID)
			}
		}
		if page.Complete {
			break
		}
		p.After = page.Entries[len(page.Entries)-1].ID
	}
	if !slices.Equal(left, []string{"m0", "m10", fmt.Sprint("m", n-1)}) {
		t.Errorf("tombstones: %v", left)
	}
}
