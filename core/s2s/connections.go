package s2s

import (
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/stream"
)

// Connection describes the connection of a pair of domains in one direction, or the attempt to make one.
type Connection struct {
	Ours, Theirs string
	Incoming     bool
	Bidi         bool      // it is used in both directions (XEP-0288)
	Connected    bool      // false: one is being made, or the last attempt has failed
	Since        time.Time // zero if it is not connected
	Waiting      int       // stanzas, of an outgoing one that is not connected
	Failure      error     // of the last attempt, if that has failed
}

// Connections describes the connections in both directions, in no order, at most max of them.
func (s *Server) Connections(max int) []Connection {
	var list []Connection
	for _, l := range s.links.list() {
		if c, accepted := l.connection(); len(list) < max && !accepted {
			list = append(list, c)
		}
	}
	s.incoming.each(func(c *inConn, p pair, since time.Time) {
		if len(list) < max {
			list = append(list, Connection{Ours: p.ours, Theirs: p.theirs, Incoming: true, Bidi: s.incoming.bidi[p] == c, Connected: true, Since: since})
		}
	})
	return list
}

// connection describes the connection of a link. accepted says that it is one that the other server has opened.
func (l *link) connection() (c Connection, accepted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c = Connection{Ours: l.pair.ours, Theirs: l.pair.theirs, Connected: l.conn != nil, Waiting: len(l.waiting)}
	if c.Connected {
		c.Since, c.Bidi, accepted = l.since, l.conn.bidi, l.conn.accepted
	} else {
		c.Failure = l.failure.err
	}
	return c, accepted
}

// Disconnect closes the connections with a domain, in both directions, and forgets that the last attempt has failed. It returns how many
// connections it closes, and does not wait for them.
func (s *Server) Disconnect(domain string) int {
	closing := map[*stream.Conn]bool{}
	for _, l := range s.links.list() {
		if l.pair.theirs != domain {
			continue
		}
		l.mu.Lock()
		l.failure = failure{}
		if l.conn != nil {
			closing[l.conn.Conn] = true
		}
		l.mu.Unlock()
	}
	s.incoming.each(func(c *inConn, p pair, _ time.Time) {
		if p.theirs == domain {
			closing[c.Conn] = true
		}
	})
	for c := range closing {
		c.Stop(stream.ErrLeave)
	}
	return len(closing)
}

// incoming are the pairs for which connections of other servers may send.
type incoming struct {
	mu   sync.Mutex
	all  map[*inConn]map[pair]time.Time
	bidi map[pair]*inConn // on which the pair can send, too
}

// reverse lets find return the connection for a pair.
func (i *incoming) reverse(c *inConn, p pair) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.bidi == nil {
		i.bidi = map[pair]*inConn{}
	}
	i.bidi[p] = c
}

// find returns the connection on which a pair can send, nil if there is none.
func (i *incoming) find(p pair) *inConn {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.bidi[p]
}

func (i *incoming) add(c *inConn, p pair) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.all == nil {
		i.all = map[*inConn]map[pair]time.Time{}
	}
	if i.all[c] == nil {
		i.all[c] = map[pair]time.Time{}
	}
	i.all[c][p] = time.Now()
}

func (i *incoming) remove(c *inConn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for p := range i.all[c] {
		if i.bidi[p] == c {
			delete(i.bidi, p)
		}
	}
	delete(i.all, c)
}

// each calls f, with the lock held.
func (i *incoming) each(f func(c *inConn, p pair, since time.Time)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for c, pairs := range i.all {
		for p, since := range pairs {
			f(c, p, since)
		}
	}
}
