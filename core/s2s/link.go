package s2s

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// linkState says what a link does.
type linkState uint8

const (
	idle       linkState = iota
	connecting           // stanzas wait for the connection
	up                   // conn is set, or has just ended
)

// link sends the stanzas of one pair, in order.
type link struct {
	server *Server
	pair   pair

	mu      sync.Mutex
	state   linkState
	conn    *carrier
	since   time.Time // when conn was set
	waiting []outbound.Retained
	size    int // of waiting
	// management is of the last stream if that was cut and can be resumed.
	management *management
	failure    failure
	policy     *Policy // that the link was last checked against
	starter    jid.JID // the account that has caused the attempt to connect; zero: no account, or no attempt
	removed    bool
}

// failure is why a link returns stanzas at once.
type failure struct {
	count int
	until time.Time
	err   error
}

// deliver sends a stanza, or makes it wait for a connection. It returns the connection whose queue is to be flushed, if any, and false if the
// link is not used any more.
func (l *link) deliver(st *stanza.Stanza) (*carrier, bool) {
	s := l.server
	l.mu.Lock()
	if l.removed {
		l.mu.Unlock()
		return nil, false
	}
	refused, weak := l.checkPolicy()
	if weak != nil {
		defer weak.Stop(stream.ErrLeave)
	}
	if refused {
		l.mu.Unlock()
		s.giveBack(st, stanzaError(errBlocked))
		return nil, true
	}
	slow := false
	if c := l.conn; c != nil {
		err := c.add(outbound.Retained{Stanza: st})
		if err == nil {
			l.mu.Unlock()
			s.Counters.Sent.Add(1)
			return c, true
		}
		slow = errors.Is(err, outbound.ErrFull)
	}
	err := l.failure.err
	if l.state != idle || !time.Now().Before(l.failure.until) {
		err = nil
	}
	if l.state == idle && err == nil && !l.takeShare(st) {
		err = errCrowded
	}
	full := !slow && err == nil && !l.keep(st)
	start := l.state == idle && err == nil && !full
	if start {
		l.state = connecting
	} else if l.state == idle {
		l.giveShare()
	}
	l.mu.Unlock()
	switch {
	case start:
		s.connect(l)
	case err != nil:
		s.giveBack(st, stanzaError(err))
	case slow:
		s.Counters.Slow.Add(1)
		s.giveBack(st, stanza.ResourceConstraint("the server of that domain reads too slowly"))
	case full:
		s.Counters.LimitCounters.Full.Add(1)
		s.giveBack(st, stanza.ResourceConstraint("too much waits for the server of that domain"))
	}
	return nil, true
}

// takeShare counts an attempt to connect for the account that a stanza is from: one account must not take all attempts with domains that do
// not answer. It returns false if the account has its share already. The lock is held; giveShare ends the counting.
func (l *link) takeShare(st *stanza.Stanza) bool {
	s, all := l.server, l.server.limits().Attempts
	if all <= 0 || st.From.Local() == "" || s.cfg.Router.Host(st.From) == nil { // rooms and gateways answer to others
		return true
	}
	who := st.From.Bare()
	if !s.opening.accounts.enter(who, max(1, all/shareOfAttempts)) {
		s.Counters.LimitCounters.Crowded.Add(1)
		return false
	}
	l.starter = who
	return true
}

// giveShare is called when the link is connected, or the attempt has failed. The lock is held.
func (l *link) giveShare() {
	if !l.starter.IsZero() {
		l.server.opening.accounts.leave(l.starter)
		l.starter = jid.JID{}
	}
}

// checkPolicy applies a policy that has changed. weak is a connection that is not good enough any more: the link has left it, and the
// caller ends it. The lock is held.
func (l *link) checkPolicy() (refused bool, weak *carrier) {
	now := l.server.policy.Load()
	if now == l.policy {
		return false, nil
	}
	rule := now.Rule(l.pair.theirs)
	if rule.Refused {
		return true, nil
	}
	l.policy = now
	if c := l.conn; c != nil && (!rule.Plain && !c.secure || rule.Certificates && !c.valid) {
		l.conn, l.state, weak = nil, idle, c
	}
	return false, weak
}

// keep adds a stanza to waiting; false if a limit is reached. The lock is held.
func (l *link) keep(st *stanza.Stanza) bool {
	limits, size := l.server.limits(), outbound.RetainedSize(st)
	if limits.Stanzas > 0 && len(l.waiting) >= limits.Stanzas || limits.Bytes > 0 && l.size+size > limits.Bytes ||
		l.server.links.waiting.Load() > l.server.links.maxWaiting {
		return false
	}
	st.DropTree()
	l.waiting = append(l.waiting, outbound.Retained{Stanza: st})
	l.grow(size)
	return true
}

// grow counts bytes that wait. The lock is held.
func (l *link) grow(bytes int) {
	l.size += bytes
	l.server.links.waiting.Add(int64(bytes))
}

// attach makes c the link's connection, and sends what waits.
func (l *link) attach(c *carrier) {
	l.mu.Lock()
	l.conn, l.state, l.since = c, up, time.Now()
	l.giveShare()
	left := l.sendWaiting()
	l.mu.Unlock()
	l.giveBack(left, outbound.ErrFull)
}

// sendWaiting gives the connection what waits, and returns that for which it has no room. The lock is held.
func (l *link) sendWaiting() []outbound.Retained {
	n := 0
	for n < len(l.waiting) && l.conn.add(l.waiting[n]) == nil {
		n++
	}
	left := l.waiting[n:]
	l.waiting = nil
	l.grow(-l.size)
	l.server.Counters.Sent.Add(uint64(n))
	return left
}

// leave makes the link stop using a connection that is about to be closed.
func (l *link) leave(c *carrier) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == c {
		l.conn, l.state = nil, idle
	}
}

// ending is the end of a connection.
type ending struct {
	unsent     []outbound.Retained
	err        error
	progressed bool // the other server had handled something
}

// down is called when a connection of the link has ended. What that did not send goes before what waits.
func (l *link) down(c *carrier, e ending) {
	l.mu.Lock()
	mine := l.conn == c
	if mine {
		l.conn, l.state = nil, idle
	}
	l.prepend(e.unsent)
	if l.state == up { // another connection is in use already
		l.sendLate()
		return
	}
	if mine && time.Since(l.since) < steady && !e.progressed {
		l.failure.count++
	} else if mine {
		l.failure = failure{}
	}
	start := false
	switch {
	case l.state != idle || len(l.waiting) == 0 && l.management == nil:
	case l.failure.count >= maxFlaps || errors.Is(e.err, outbound.ErrSlow) || l.server.opening.ctx.Err() != nil:
		l.mu.Unlock()
		l.failed(e.err)
		return
	default:
		l.state, start = connecting, true
	}
	l.mu.Unlock()
	if start {
		l.server.connect(l)
	}
}

// sendLate gives the connection in use what an earlier connection, which has only now ended, did not send. The caller holds the lock; sendLate releases it.
func (l *link) sendLate() {
	if m := l.management; m != nil {
		l.management = nil
		l.prepend(m.take())
	}
	c, left := l.conn, l.sendWaiting()
	l.mu.Unlock()
	l.giveBack(left, outbound.ErrFull)
	c.Queue().Flush()
}

// failed is called when no connection could be made because of err: what waits is returned, once.
func (l *link) failed(err error) {
	l.mu.Lock()
	l.state = idle
	l.giveShare()
	l.failure.count++
	l.failure.err = err
	l.failure.until = time.Now().Add(backOff(l.failure.count))
	left := l.waiting
	if m := l.management; m != nil {
		left = append(m.take(), left...)
		l.management = nil
	}
	l.waiting = nil
	l.grow(-l.size)
	l.mu.Unlock()
	l.server.Counters.Failed.Add(1)
	l.giveBack(left, err)
}

// keepManagement keeps what was not acknowledged for the next connection.
func (l *link) keepManagement(m *management) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.list.Bytes() > 0 {
		l.management = m
	}
}

// prepend puts stanzas before those that wait. The lock is held.
func (l *link) prepend(list []outbound.Retained) {
	for _, r := range list {
		l.grow(outbound.RetainedSize(r.Stanza))
	}
	if len(list) > 0 {
		l.waiting = append(list, l.waiting...)
	}
}

func (l *link) giveBack(list []outbound.Retained, err error) {
	for _, r := range list {
		l.server.giveBack(r.Stanza, stanzaError(err))
	}
}

// backOff returns how long no connection is tried after that many failures in a row.
func backOff(failures int) time.Duration {
	d := retryMin << min(failures-1, 20)
	d = min(d, retryMax)
	return d/2 + rand.N(d/2+1)
}

// links are all links.
type links struct {
	mu  sync.RWMutex
	all map[pair]*link
	max int // maxLinks

	waiting    atomic.Int64 // bytes that wait in all links
	maxWaiting int64        // of them
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
