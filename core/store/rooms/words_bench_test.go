package rooms

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
)

// BenchmarkSearch searches an archive of a room of 200,000 messages for a word in 100 of them, for one in 20,000 (the newest page), and
// for one in none.
func BenchmarkSearch(b *testing.B) {
	const all = 200_000
	tables := openWithRoom(b)
	for from := 0; from < all; from += 10_000 {
		if err := tables.store.Write(b.Context(), func(tx *sql.Tx) error {
			for i := from; i < from+10_000; i++ {
				text := fmt.Sprintf("message number %d has some words of an ordinary length", i)
				if i%(all/100) == 0 {
					text += " seldom"
				}
				if i%10 == 0 {
					text += " often"
				}
				m := written(i, fmt.Sprint("nick", i%200), text)
				if err := insert(tx, &m); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	tables.index(b)
	b.Logf("%d messages indexed in %s", all, time.Since(began))
	for _, word := range []string{"seldom", "often", "never"} {
		f := archive.Filter{Words: parse(b, word)}
		b.Run(word, func(b *testing.B) {
			for b.Loop() {
				if _, err := tables.Messages(b.Context(), 1, f, archive.Page{Max: 50, Backwards: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
