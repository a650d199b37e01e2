package s2s

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/outbox"
)

// links are all links.
type links struct {
	mu  sync.RWMutex
	all map[pair]*link
	max int // maxLinks

	waiting    atomic.Int64 // bytes that wait in all links
	maxWaiting int64        // of them
	held       held         // by connections
	outbox     *outbox.Outbox
	restored   []*link // that connect when Run begins
}

func (ls *links) find(p pair) *link {
	ls.mu.RLock()
	l := ls.all[p]
	ls.mu.RUnlock()
	return l
}

// add returns the link of a pair, a new one if there is none; nil if there are too many.
func (ls *links) add(s *Server, p pair) *link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l := ls.all[p]; l != nil {
		return l
	}
	if len(ls.all) >= ls.max && !ls.evict() {
		return nil
	}
	l := &link{server: s, pair: p}
	ls.all[p] = l
	return l
}

// evict removes a link on which nothing waits, whether or not its failure is long ago: an account that tries many domains must not keep
// others from a new link. It looks at a few, in random order. The lock is held. That of a link is only tried, so that no other
// stanza waits for it.
func (ls *links) evict() bool {
	looked := 0
	for p, l := range ls.all {
		if looked++; looked > maxLooked {
			return false
		}
		if !l.mu.TryLock() {
			continue
		}
		l.removed = l.unused()
		removed := l.removed
		l.mu.Unlock()
		if removed {
			delete(ls.all, p)
			return true
		}
	}
	return false
}

// unused reports whether nothing is lost but the last failure if the link is forgotten. The lock is held.
func (l *link) unused() bool { return l.state == idle && len(l.waiting) == 0 && l.management == nil }

// list returns all links.
func (ls *links) list() []*link {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	list := make([]*link, 0, len(ls.all))
	for _, l := range ls.all {
		list = append(list, l)
	}
	return list
}

// sweep removes the links that are not used and whose failures are long ago.
func (ls *links) sweep(now time.Time) {
	for _, l := range ls.list() {
		l.mu.Lock()
		l.removed = l.unused() && now.After(l.failure.until.Add(retryMax))
		removed := l.removed
		l.mu.Unlock()
		if removed {
			ls.mu.Lock()
			delete(ls.all, l.pair)
			ls.mu.Unlock()
		}
	}
}
