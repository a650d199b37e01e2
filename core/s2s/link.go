package s2s

import (
	"errors"
	"math/rand/v2"
	"sync"
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
	if c := l.conn; c != nil {
		switch err := s.send(c, st); err {
		case nil:
			l.mu.Unlock()
			return c, true
		case errSlow, errHeld:
			l.mu.Unlock()
			s.giveBack(st, stanzaError(err))
			return nil, true
		}
	}
	start, err := l.wait(st)
	l.mu.Unlock()
	if start {
		s.connect(l)
	} else if err != nil {
		s.giveBack(st, stanzaError(err))
	}
	return nil, true
}

// send gives a stanza to the queue of a connection. It returns errSlow or errHeld if a limit is reached, and another error if the connection
// has ended. The lock of the link is held.
func (s *Server) send(c *carrier, st *stanza.Stanza) error {
	if s.crowded(c) {
		s.Counters.LimitCounters.Held.Add(1)
		return errHeld
	}
	err := c.add(outbound.Retained{Stanza: st})
	switch {
	case err == nil:
		s.Counters.Sent.Add(1)
	case errors.Is(err, outbound.ErrFull):
		s.Counters.Slow.Add(1)
		return errSlow
	}
	return err
}

// wait makes a stanza wait for a connection. It reports whether the caller has to make one, or returns why the stanza cannot wait. The
// lock is held.
func (l *link) wait(st *stanza.Stanza) (start bool, err error) {
	if l.state == idle {
		if l.failure.err != nil && time.Now().Before(l.failure.until) {
			return false, l.failure.err
		}
		if !l.takeShare(st) {
			return false, errCrowded
		}
	}
	if !l.keep(st) {
		if l.state == idle {
			l.giveShare()
		}
		l.server.Counters.LimitCounters.Full.Add(1)
		return false, errFull
	}
	start = l.state == idle
	if start {
		l.state = connecting
	}
	return start, nil
}

// takeShare counts an attempt to connect for the account that a stanza is from: one account must not take all attempts with domains that do
// not answer. It returns false if the account has its share already. The lock is held; giveShare ends the counting.
func (l *link) takeShare(st *stanza.Stanza) bool {
	s, all := l.server, l.server.limits().Attempts
	if all <= 0 || st.From.Local() == "" || s.cfg.Router.Host(st.From) == nil { // rooms and gateways answer to others
		return true
	}
	who := st.From.Bare()
	if !s.opening.accounts.Enter(who, max(1, all/shareOfAttempts)) {
		s.Counters.LimitCounters.Crowded.Add(1)
		return false
	}
	l.starter = who
	return true
}

// giveShare is called when the link is connected, or the attempt has failed. The lock is held.
func (l *link) giveShare() {
	if !l.starter.IsZero() {
		l.server.opening.accounts.Leave(l.starter)
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
func (l *link) attach(c *carrier) { l.giveBack(l.use(c), outbound.ErrFull) }

// use is attach, but for the stanzas for which the connection has no room: it returns them.
func (l *link) use(c *carrier) []outbound.Retained {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.state, l.since = c, up, time.Now()
	l.giveShare()
	return l.sendWaiting()
}

// reachable is called when the other server has connected to this one: the link need not wait for another attempt.
func (l *link) reachable() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure = failure{}
}

// sendWaiting gives the connection what waits, and returns that for which it has no room. If the connection has ended, the rest waits for down.
// The lock is held.
func (l *link) sendWaiting() (left []outbound.Retained) {
	n := 0
	var err error
	for n < len(l.waiting) {
		if err = l.conn.add(l.waiting[n]); err != nil {
			break
		}
		n++
	}
	l.server.Counters.Sent.Add(uint64(n))
	rest := l.waiting[n:]
	l.waiting = nil
	l.grow(-l.size)
	if err == nil || errors.Is(err, outbound.ErrFull) {
		return rest
	}
	l.prepend(rest)
	return nil
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
