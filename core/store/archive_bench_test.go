package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// manyEntries is the size of the archive that BenchmarkQuery reads.
const manyEntries = 1_000_000

// BenchmarkQuery reads a page of 50 entries of an archive of a million, with a hundred contacts who write as often as
// each other and one who writes once in ten thousand messages, a message each second.
func BenchmarkQuery(b *testing.B) {
	s := open(b, Options{})
	account(b, s, alice)
	rare := jid.MustParse("rare@example.org/x")
	begin := time.Now().Add(-manyEntries * time.Second)
	var wg sync.WaitGroup
	var middle string
	for i := range manyEntries {
		from := jid.MustParse(fmt.Sprintf("contact%d@example.org/x", i%100))
		if i%10_000 == 0 {
			from = rare
		}
		at := begin.Add(time.Duration(i) * time.Second)
		id := storetest.IDAt(at).String()
		if i == manyEntries/2 {
			middle = id
		}
		st := stanza.NewMessage(alice, from, stanza.TypeChat, stanza.TextElement("", "body", "How do you do, and what is new?"))
		wg.Add(1)
		s.Archive(alice, archive.Entry{ID: id, At: at, Stanza: st}, func(err error) {
			if err != nil {
				b.Error(err)
			}
			wg.Done()
		})
		s.Pace(nil)
	}
	wg.Wait()
	often := jid.MustParse("contact7@example.org")
	for _, c := range []struct {
		name string
		f    archive.Filter
		p    archive.Page
	}{
		{"first", archive.Filter{}, archive.Page{Max: 50}},
		{"last", archive.Filter{}, archive.Page{Max: 50, Backwards: true}},
		{"after", archive.Filter{}, archive.Page{Max: 50, After: middle}},
		{"before", archive.Filter{}, archive.Page{Max: 50, Before: middle, Backwards: true}},
		{"since", archive.Filter{Start: begin.Add(manyEntries / 2 * time.Second)}, archive.Page{Max: 50}},
		{"with", archive.Filter{With: often}, archive.Page{Max: 50, Backwards: true}},
		{"with rare", archive.Filter{With: rare.Bare()}, archive.Page{Max: 50, Backwards: true}},
		{"with before", archive.Filter{With: often}, archive.Page{Max: 50, Before: middle, Backwards: true}},
		{"with nobody", archive.Filter{With: bob}, archive.Page{Max: 50}},
		{"count", archive.Filter{}, archive.Page{}},
		{"count with", archive.Filter{With: often}, archive.Page{}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := s.Query(b.Context(), alice, c.f, c.p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("ends", func(b *testing.B) {
		for range b.N {
			if _, _, err := s.Ends(b.Context(), alice); err != nil {
				b.Fatal(err)
			}
		}
	})
}
