package s2s

import "sync"

// shares counts attempts that are going on, by the account or the domain that has caused them.
type shares[K comparable] struct {
	mu sync.Mutex
	n  map[K]int
}

// enter counts one more; false if there are max already.
func (s *shares[K]) enter(key K, max int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n[key] >= max {
		return false
	}
	if s.n == nil {
		s.n = map[K]int{}
	}
	s.n[key]++
	return true
}

// leave counts one less.
func (s *shares[K]) leave(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n[key]--; s.n[key] <= 0 {
		delete(s.n, key)
	}
}
