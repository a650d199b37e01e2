package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/indexing"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// manyEntries is the size of the archive that BenchmarkQuery reads; the variable DRAGOMAN_BENCH_ENTRIES sets another one.
var manyEntries = func() int {
	if n, err := strconv.Atoi(os.Getenv("DRAGOMAN_BENCH_ENTRIES")); err == nil {
		return n
	}
	return 1_000_000
}()

// benchText gives texts of about ten words, as often as words of a language are, with one word in each tenth message and one in each
// ten thousandth.
func benchText() func(i int) string {
	random := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(random, 1.1, 4, 50_000)
	return func(i int) string {
		var b strings.Builder
		for range 5 + random.IntN(10) {
			fmt.Fprintf(&b, "w%x ", zipf.Uint64())
		}
		if i%10 == 0 {
			b.WriteString("often ")
		}
		if i%10_000 == 0 {
			b.WriteString("seldom ")
		}
		if i%(manyEntries/100) == 0 {
			b.WriteString("inhundred ")
		}
		if i%(manyEntries/100_000) == 0 {
			b.WriteString("inhundredthousand ")
		}
		return b.String()
	}
}

// BenchmarkQuery reads a page of 50 entries of an archive of a million, with a hundred contacts who write as often as
// each other and one who writes once in ten thousand messages, a message each second.
func BenchmarkQuery(b *testing.B) {
	s := open(b, Options{})
	account(b, s, alice)
	rare := jid.MustParse("rare@example.org/x")
	begin := time.Now().Add(-time.Duration(manyEntries) * time.Second)
	fill := fillStore
	if storetest.OnPostgres() {
		fill = fillOnPostgres
	}
	middle := fill(b, s, begin, manyEntries)
	indexForBench(b, s)
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
		{"since", archive.Filter{Start: begin.Add(time.Duration(manyEntries) / 2 * time.Second)}, archive.Page{Max: 50}},
		{"with", archive.Filter{With: often}, archive.Page{Max: 50, Backwards: true}},
		{"words often", archive.Filter{Words: words(b, "often")}, archive.Page{Max: 50, Backwards: true}},
		{"words seldom", archive.Filter{Words: words(b, "seldom")}, archive.Page{Max: 50, Backwards: true}},
		{"words seldom, all", archive.Filter{Words: words(b, "seldom")}, archive.Page{Max: 100}},
		{"words two often", archive.Filter{Words: words(b, "w1 often")}, archive.Page{Max: 50, Backwards: true}},
		{"words phrase", archive.Filter{Words: words(b, `"w0 w1"`)}, archive.Page{Max: 50, Backwards: true}},
		{"words of 100", archive.Filter{Words: words(b, "inhundred")}, archive.Page{Max: 50, Backwards: true}},
		{"words of 100,000", archive.Filter{Words: words(b, "inhundredthousand")}, archive.Page{Max: 50, Backwards: true}},
		{"words none", archive.Filter{Words: words(b, "nowhere")}, archive.Page{Max: 50, Backwards: true}},
		{"words with", archive.Filter{Words: words(b, "w0"), With: often}, archive.Page{Max: 50, Backwards: true}},
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

// indexForBench indexes the archive.
func indexForBench(b *testing.B, s *Store) {
	b.Helper()
	begin, bytes := time.Now(), 0.0
	if err := indexing.New(s, indexing.Accounts(s), s.log).Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	if err := s.reads.QueryRow(`SELECT CAST(sum(length(data)) AS BIGINT) FROM archive_words_chunks`).Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	b.Logf("indexed in %v: %.1f µs and %.0f bytes a message", took, float64(took.Microseconds())/float64(manyEntries), bytes/float64(manyEntries))
}

// fillStore makes the archive of BenchmarkQuery, and returns the id of the message in the middle.
func fillStore(b *testing.B, s *Store, begin time.Time, n int) (middle string) {
	b.Helper()
	text := benchText()
	var wg sync.WaitGroup
	for i := range n {
		from := jid.MustParse(fmt.Sprintf("contact%d@example.org/x", i%100))
		if i%10_000 == 0 {
			from = jid.MustParse("rare@example.org/x")
		}
		at := begin.Add(time.Duration(i) * time.Second)
		id := storetest.IDAt(at).String()
		if i == n/2 {
			middle = id
		}
		st := stanza.NewMessage(alice, from, stanza.TypeChat, stanza.TextElement("", "body", text(i)))
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
	return middle
}
