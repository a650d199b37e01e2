package peerlimit

import "sync"

// Shares counts attempts that are going on, by the account or the domain that has caused them.
type Shares[K comparable] struct {
	mu sync.Mutex
	n  map[K]int
}

// Enter counts one more; false if there are max already.
func (s *Shares[K]) Enter(key K, max int) bool {
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

// Leave counts one less.
func (s *Shares[K]) Leave(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n[key]--; s.n[key] <= 0 {
		delete(s.n, key)
	}
}
