package peerlimit

import (
	"net/netip"
	"sync"
	"time"
)

const requestBits = 12

// Requests counts requests without an account by network. Networks that share an entry of the table share a limit; an attacker cannot
// choose them.
type Requests struct {
	start time.Time
	index func(of netip.Prefix, name string) uint64 // in the table

	mu    sync.Mutex
	limit limit
	table [1 << requestBits]bucket
}

// NewRequests returns a Requests that accepts n requests in a time from one network; zero and less mean no limit.
func NewRequests(n int, per time.Duration) *Requests {
	return &Requests{start: time.Now(), index: newIndex(requestBits), limit: limit{n, per}}
}

// SetLimit replaces the number of requests.
func (r *Requests) SetLimit(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limit.n = n
}

// Take counts a request from an address; false if the limit is reached, and then it is not counted.
func (r *Requests) Take(from netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit.off() {
		return true
	}
	now := time.Since(r.start)
	var taken []*bucket
	for level, network := range networks(from) {
		if level > 0 && !network.IsValid() {
			break
		}
		b := &r.table[r.index(network, "")]
		taken = append(taken, b)
		if b.add(now, limit{scaled(r.limit.n, level), r.limit.per}) > 0 {
			for _, b := range taken {
				b.undo()
			}
			return false
		}
	}
	return true
}
