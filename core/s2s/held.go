package s2s

import (
	"sync"
	"sync/atomic"
	"time"
)

// held counts the bytes that connections to all other servers hold: what is unwritten, or not acknowledged.
type held struct {
	total   atomic.Int64
	counted atomic.Int64 // when all were counted last, in nanoseconds since 1970

	mu  sync.Mutex
	all map[*carrier]struct{}
}

// add begins to count a connection.
func (h *held) add(c *carrier) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[*carrier]struct{}{}
	}
	h.all[c] = struct{}{}
	c.holding.all = &h.total
}

// remove ends it.
func (h *held) remove(c *carrier) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, c)
	c.holding.end()
}

func (h *held) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// list returns the connections.
func (h *held) list() []*carrier {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*carrier, 0, len(h.all))
	for c := range h.all {
		all = append(all, c)
	}
	return all
}

// holding is the part of one connection, or of a stream that was cut.
type holding struct {
	all *atomic.Int64 // held.total

	mu    sync.Mutex
	n     int
	ended bool // of a connection: it holds nothing any more
}

func (h *holding) set(bytes int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil || h.ended {
		return
	}
	h.all.Add(int64(bytes - h.n))
	h.n = bytes
}

func (h *holding) end() {
	h.set(0)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
}

func (h *holding) bytes() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n
}

// count counts what the connection holds now. A connection counts again after each flush and each acknowledgement; in between it may
// have written more.
func (c *carrier) count() {
	n := c.Queue().Pending()
	if m := c.management.Load(); m != nil {
		n += m.list.Bytes()
	} else {
		n *= 2 // the stanzas are kept until they are written
	}
	c.holding.set(n)
}

// crowded reports whether a stanza for this connection is refused, because the connections hold too much together and this one more than an
// equal share of that. The lock of the link is held.
func (s *Server) crowded(c *carrier) bool {
	limit := s.limits().Queues
	if limit <= 0 || s.links.held.total.Load() <= limit {
		return false
	}
	s.recount()
	c.count()
	return s.links.held.total.Load() > limit && int64(c.holding.bytes()) > limit/int64(max(1, s.links.held.len()))
}

// recount counts all connections, unless that was done just now.
func (s *Server) recount() {
	now, last := time.Now().UnixNano(), s.links.held.counted.Load()
	if now-last < int64(countEvery) || !s.links.held.counted.CompareAndSwap(last, now) {
		return
	}
	for _, c := range s.links.held.list() {
		c.count()
	}
}
