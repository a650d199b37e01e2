package stanza

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Ids are UUIDs of version 7 of this moment, and those of one goroutine rise.
func TestNewID(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := ""
			for range 2000 {
				id := NewID()
				u, err := uuid.Parse(id)
				sec, nsec := u.Time().UnixTime()
				if err != nil || u.String() != id || u.Version() != 7 || u.Variant() != uuid.RFC4122 || time.Since(time.Unix(sec, nsec)).Abs() > time.Minute || id <= last {
					t.Errorf("%s after %s: %v", id, last, err)
				}
				last = id
				mu.Lock()
				if seen[id] {
					t.Errorf("%s again", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func BenchmarkNewID(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		NewID()
	}
}
