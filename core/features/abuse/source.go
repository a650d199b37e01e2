package abuse

import (
	"crypto/sha256"
	"maps"
	"slices"
	"sync"
)

// Source is a list that changes while the server runs. Its entries are as in Lists.
type Source struct {
	mu      sync.RWMutex
	entries map[[sha256.Size]byte]struct{}
}

// Has reports whether the list has an entry.
func (s *Source) Has(entry [sha256.Size]byte) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.entries[entry]
	return ok
}

// Len returns the number of entries.
func (s *Source) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.entries)
}

// Add adds entries.
func (s *Source) Add(entries ...[sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		s.entries[e] = struct{}{}
	}
}

// Remove removes entries.
func (s *Source) Remove(entries ...[sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		delete(s.entries, e)
	}
}

// All returns the entries.
func (s *Source) All() [][sha256.Size]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Keys(s.entries))
}

// Compare returns what the list lacks of the wanted entries, and what it has besides.
func (s *Source) Compare(wanted map[[sha256.Size]byte]struct{}) (add, remove [][sha256.Size]byte) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for e := range wanted {
		if _, ok := s.entries[e]; !ok {
			add = append(add, e)
		}
	}
	for e := range s.entries {
		if _, ok := wanted[e]; !ok {
			remove = append(remove, e)
		}
	}
	return add, remove
}
