package s2s

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// resumable is an incoming stream that can be resumed.
type resumable struct {
	id      string
	pair    pair                         // the only one for which it may be used
	conn    *atomic.Pointer[stream.Conn] // nil in it when the connection has ended
	handled *resumption.Handled
	gone    chan struct{} // closed when the connection has ended
	over    bool          // conn has ended and was not cut; set before gone is closed
	until   time.Time     // zero while there is a connection
}

// resumables are the incoming streams that can be resumed, by their ids.
type resumables struct {
	mu  sync.Mutex
	all map[string]*resumable
}

// add returns a new entry for a connection, nil if there are too many.
func (rs *resumables) add(c *inConn, p pair) *resumable {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.makeRoom(p)
	if len(rs.all) >= maxResumable {
		return nil
	}
	if rs.all == nil {
		rs.all = map[string]*resumable{}
	}
	r := &resumable{id: newID(), pair: p, conn: c.managed.self, handled: c.managed.handled, gone: make(chan struct{})}
	rs.all[r.id] = r
	return r
}

// makeRoom forgets the oldest stream of a pair that was cut, if there are many. The lock is held.
func (rs *resumables) makeRoom(p pair) {
	var oldest *resumable
	n := 0
	for _, r := range rs.all {
		if r.pair != p || r.until.IsZero() {
			continue
		}
		if n++; oldest == nil || r.until.Before(oldest.until) {
			oldest = r
		}
	}
	if n >= maxCut {
		delete(rs.all, oldest.id)
	}
}

// take removes and returns the stream of that id and pair, nil if there is none.
func (rs *resumables) take(id string, p pair) *resumable {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.all[id]
	if r == nil || r.pair != p {
		return nil
	}
	delete(rs.all, id)
	return r
}

// detach is called at the end of the connection. The stream is forgotten unless it was cut.
func (rs *resumables) detach(r *resumable, cut bool, wait time.Duration) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.until = time.Now().Add(wait)
	r.conn.Store(nil) // or it and its buffers would be kept as long
	if r.over = !cut; r.over {
		delete(rs.all, r.id)
	}
	close(r.gone)
}

// sweep removes streams that were not resumed in time.
func (rs *resumables) sweep(now time.Time) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for id, r := range rs.all {
		if !r.until.IsZero() && now.After(r.until) {
			delete(rs.all, id)
		}
	}
}

// onlyPair returns the pair of the stream; false if there are several, so that it cannot be resumed.
func (c *inConn) onlyPair() (pair, bool) {
	for p := range c.rights.all {
		return p, len(c.rights.all) == 1
	}
	return pair{}, false
}

// enable begins stream management (XEP-0198 §3).
func (c *inConn) enable(it *stream.Item) error {
	if c.managed.handled != nil {
		c.manageFailed("unexpected-request")
		return stream.NewError(stream.PolicyViolation, "stream management is enabled already") // XEP-0198 §3
	}
	c.count(c.Conn, 0)
	answer := managed("enabled")
	if c.stream.bidi {
		c.manageBack(answer)
		return nil
	}
	if p, ok := c.onlyPair(); ok && parseBoolean(it.Attr("resume")) && c.server.limits().Resume > 0 {
		if r := c.server.resumables.add(c, p); r != nil {
			c.managed.resumable = r
			answer.With("id", r.id).With("resume", "true").With("max", strconv.Itoa(int(c.server.limits().Resume/time.Second)))
		}
	}
	c.Append(func(dst []byte) []byte { return answer.Append(dst, "") })
	return nil
}

// resume continues a stream that was cut (XEP-0198 §5). Only the same pair, authenticated again, can.
func (c *inConn) resume(it *stream.Item) error {
	if c.managed.handled != nil {
		c.manageFailed("unexpected-request")
		return stream.NewError(stream.PolicyViolation, "stream management is enabled already")
	}
	p, ok := c.onlyPair()
	var old *resumable
	if ok && !c.stream.bidi {
		old = c.server.resumables.take(it.Attr("previd"), p)
	}
	if old == nil {
		c.manageFailed("item-not-found")
		return nil
	}
	if conn := old.conn.Load(); conn != nil {
		conn.Stop(errResumed)
	}
	if !await(old.gone) || !await(old.handled.Settled()) {
		c.manageFailed("resource-constraint")
		return nil
	}
	if old.over {
		c.manageFailed("item-not-found")
		return nil
	}
	n, _ := old.handled.Count()
	c.count(c.Conn, n)
	fresh := &resumable{id: old.id, pair: p, conn: c.managed.self, handled: c.managed.handled, gone: make(chan struct{})}
	rs := &c.server.resumables
	rs.mu.Lock()
	rs.all[fresh.id] = fresh
	rs.mu.Unlock()
	c.managed.resumable = fresh
	answer := managed("resumed").With("h", formatCount(n)).With("previd", old.id)
	c.Append(func(dst []byte) []byte { return answer.Append(dst, "") })
	return nil
}

// await waits until a channel is closed; false after takeOverTime. A nil channel counts as closed.
func await(done <-chan struct{}) bool {
	if done == nil {
		return true
	}
	timer := time.NewTimer(takeOverTime)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

func (c *inConn) manageFailed(condition string) {
	e := managed("failed").Add(stanza.NewElement(stanza.NSStanzas, condition))
	c.Append(func(dst []byte) []byte { return e.Append(dst, "") })
}

// requested handles a request for an acknowledgement. Requests that came together get one answer: see Flush.
func (c *inConn) requested(*stream.Item) error {
	if c.managed.handled == nil {
		c.manageFailed("unexpected-request")
		return nil
	}
	c.managed.asked = true
	return nil
}

// acknowledged handles an acknowledgement of what was sent in this direction: nothing, unless the stream is for both.
func (c *inConn) acknowledged(it *stream.Item) error {
	if r := c.reverse.carrier; r != nil {
		if m := r.management.Load(); m != nil {
			err := acknowledge(m, it.Attr("h"))
			r.count()
			return err
		}
	}
	h, ok := stream.ParseCount(it.Attr("h"))
	switch {
	case c.managed.handled == nil:
		c.manageFailed("unexpected-request")
	case !ok:
		return errCount
	case h > 0:
		return stream.HandledCountTooHigh(h, 0)
	}
	return nil
}

// detachStream is called when the connection has ended. cut says that the peer may resume the stream.
func (c *inConn) detachStream(cut bool) {
	if r := c.managed.resumable; r != nil {
		c.server.resumables.detach(r, cut, c.server.limits().Resume)
	}
}
