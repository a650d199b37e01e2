package component

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// endpoint is one component's domain in the router, with the component's connections. Stanzas keep the order of Deliver: while a
// connection that has unwritten stanzas closes, further ones wait, and go to the other connections after those.
type endpoint struct {
	External
	server  *Server
	limiter *rate.Limiter // of what all its connections send

	mu      sync.Mutex
	conns   []connection          // in the order in which they have attached
	leaving map[*stream.Conn]bool // connections that are closing with unwritten stanzas
	left    []outbound.Retained   // of connections that have closed, while others are leaving
	waiting waiting
}

// connection is a connection of the component, with the random number by which choose ranks it and the component's address.
type connection struct {
	*stream.Conn
	number uint64
	from   string
}

// waiting are the stanzas that wait until all connections that leave are closed.
type waiting struct {
	list  []*stanza.Stanza
	bytes int
}

func newEndpoint(s *Server, a External) *endpoint {
	a.Connections = max(a.Connections, 1)
	return &endpoint{External: a, server: s, limiter: rate.NewLimiter(rate.Inf, 0), leaving: map[*stream.Conn]bool{}}
}

// setRate replaces the limit of the bytes a second that the component sends; negative: no limit.
func (e *endpoint) setRate(common int) {
	n := cmp.Or(e.Rate, common)
	if n < 0 {
		e.limiter.SetLimit(rate.Inf)
		return
	}
	e.limiter.SetBurst(max(2*n, minBurst))
	e.limiter.SetLimit(rate.Limit(n))
}

// state returns what an operator is told.
func (e *endpoint) state() admin.Component {
	e.mu.Lock()
	defer e.mu.Unlock()
	st := admin.Component{Domain: e.Domain}
	for _, c := range e.conns {
		st.Connections = append(st.Connections, c.from)
	}
	return st
}

// claim adds c to the component's connections, with answer as the first bytes that are sent to it. If there are too many, the
// oldest is ended, or false is returned.
func (e *endpoint) claim(c *stream.Conn, from string, answer []byte) bool {
	e.mu.Lock()
	var old *stream.Conn
	if len(e.conns) >= e.Connections {
		if e.RejectMore {
			e.mu.Unlock()
			return false
		}
		old = e.conns[0].Conn
		e.withdraw(old)
	}
	c.Queue().AppendBytes(answer)
	e.conns = append(e.conns, connection{c, maphash.Bytes(maphash.MakeSeed(), nil), from})
	e.mu.Unlock()
	c.Queue().Flush()
	if old != nil {
		old.Stop(errConflict)
	}
	return true
}

// withdraw removes a connection from those that get stanzas. The caller holds the lock; release is called when the connection is closed.
func (e *endpoint) withdraw(c *stream.Conn) {
	i := slices.IndexFunc(e.conns, func(o connection) bool { return o.Conn == c })
	if i < 0 {
		return
	}
	e.conns = slices.Delete(slices.Clone(e.conns), i, i+1)
	if c.Queue().Pending() > 0 || c.Stopping() { // or its queue has failed, and has dropped what was pending
		e.leaving[c] = true
	}
}

// leave is called when a connection is going to be closed.
func (e *endpoint) leave(c *stream.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.withdraw(c)
}

// release is called when a connection is closed. Its unwritten stanzas, and then those that have waited for this, go to the other connections
// or back to their senders.
func (e *endpoint) release(c *stream.Conn) {
	e.mu.Lock()
	if !e.leaving[c] {
		e.mu.Unlock()
		return
	}
	delete(e.leaving, c)
	e.left = append(e.left, c.Queue().Unwritten()...)
	if len(e.leaving) > 0 {
		e.mu.Unlock()
		return
	}
	left, later := e.left, e.waiting.list
	e.left, e.waiting = nil, waiting{}
	var back []*stanza.Stanza
	for _, r := range left {
		// What the socket had begun to take may have arrived: a second time it would be handled twice.
		if r.Begun || !e.pass(r.Stanza) {
			back = append(back, r.Stanza)
		}
	}
	for _, st := range later {
		if !e.pass(st) {
			back = append(back, st)
		}
	}
	conns := e.conns
	e.mu.Unlock()
	for _, c := range conns {
		c.Queue().Flush()
	}
	for _, st := range back {
		e.refuse(st)
	}
}

// pass appends a stanza of a connection that has ended to another one; false if there is none that has room. The caller holds the lock.
func (e *endpoint) pass(st *stanza.Stanza) bool {
	c := e.choose(st.From)
	return c != nil && c.Queue().Pending() < e.server.current.Load().limits.Queue/2 && c.Queue().Retain(outbound.Retained{Stanza: st}) == nil
}

// choose returns the connection for a sender, nil if there is none. All stanzas of one sender go to the same one, as long as the same
// connections are attached; if one more attaches or one ends, few senders move (by the highest of the hashes of sender and
// connection). The caller holds the lock.
func (e *endpoint) choose(from jid.JID) *stream.Conn {
	if len(e.conns) == 0 {
		return nil
	}
	if len(e.conns) == 1 || !e.Spread {
		return e.conns[0].Conn
	}
	best, highest := 0, uint64(0)
	sender := maphash.String(e.server.seed, from.Bare().String())
	for i := range e.conns {
		if h := mix(sender ^ e.conns[i].number); h >= highest {
			best, highest = i, h
		}
	}
	return e.conns[best].Conn
}

// mix spreads the bits of a number over all bits (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Deliver sends a stanza to the component. While it is not connected, requests, messages and
// subscription requests are answered with an error; other presence is dropped.
func (e *endpoint) Deliver(st *stanza.Stanza) {
	e.mu.Lock()
	taken := false
	if len(e.leaving) == 0 {
		if c := e.choose(st.From); c != nil {
			if taken = c.Queue().Retain(outbound.Retained{Stanza: st}) == nil; !taken {
				e.withdraw(c) // it has failed, because it is too slow for example
			}
		}
	}
	if !taken && len(e.leaving) > 0 {
		taken = e.wait(st)
	}
	e.mu.Unlock()
	if !taken {
		e.refuse(st)
	}
}

// wait keeps a stanza until the connections that leave are closed; false if there is no room. The caller holds the lock.
func (e *endpoint) wait(st *stanza.Stanza) bool {
	size := outbound.RetainedSize(st)
	if e.waiting.bytes+size > e.server.current.Load().limits.Queue {
		return false
	}
	st.DropTree()
	e.waiting.list = append(e.waiting.list, st)
	e.waiting.bytes += size
	return true
}

// refuse answers a stanza that the component does not get.
func (e *endpoint) refuse(st *stanza.Stanza) {
	e.server.Counters.Unavailable.Add(1)
	if st.Kind == stanza.Presence && st.Type != stanza.TypeSubscribe {
		return
	}
	unavailable := stanza.ServiceUnavailable("the component is not connected")
	unavailable.Type = "wait" // it may connect again soon
	e.server.cfg.Router.Bounce(nil, st, unavailable)
}

// Flush sends what Deliver appended.
func (e *endpoint) Flush() {
	e.mu.Lock()
	conns := e.conns // a change replaces it
	e.mu.Unlock()
	for _, c := range conns {
		c.Queue().Flush()
	}
}
