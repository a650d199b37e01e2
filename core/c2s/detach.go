package c2s

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

const (
	finishTime  = 30 * time.Second // for the end of a session without a connection
	settleTime  = 2 * time.Second  // for the writes of a session's stanzas
	suspendTime = 10 * time.Second // for storing a session when the server stops
)

// errReplaced ends a connection whose session is resumed on another one (XEP-0198 §5).
var errReplaced = stream.NewError(stream.Conflict, "the session is resumed on another connection")

// interrupted reports whether a stream has ended in a way after which its client may resume the session: the connection was lost, or
// this server ends it for reasons that are not the client's (XEP-0198 §7).
func interrupted(err error) bool {
	if err == errReplaced || err == errNotStored || err == stream.ErrSilent || stream.PeerGone(err) {
		return true
	}
	return errors.Is(err, errShutdown)
}

var errShutdown = stream.NewError(stream.SystemShutdown, "")

// detach leaves the session without a connection if its client may resume it, and reports whether it does. Contacts see no
// difference.
func (s *session) detach(err error) bool {
	m := s.management.Load()
	if m == nil || !m.resumable() || !interrupted(err) {
		return false
	}
	s.mu.Lock()
	if s.closing != nil || s.ended {
		s.mu.Unlock()
		return false
	}
	if c := s.conn.Load(); c != nil {
		c.Queue().Release() // a Deliver that has loaded c holds its stanza
	}
	s.conn.Store(nil)
	used := m.used
	if !s.inactive.Load() {
		used.end = m.out.Last()
	}
	s.becomeActive(nil)
	s.holdWaiting(m)
	s.mu.Unlock()
	if m.out.Over() && !m.full.Swap(true) {
		s.server.Counters.Unacked.Add(1)
	}
	m.timer.Stop()
	m.left(time.Now())
	s.server.Counters.Detached.Add(1)
	if tooMany := s.server.sessions.leave(m, s.server.limits().Detached); tooMany != nil {
		s.server.Counters.DetachedTooMany.Add(1)
		tooMany.session.finish()
	}
	s.reportDetached(m.out.Between(used.begin, used.end))
	return true
}

// reportDetached runs the stages for what a client in use may not have received.
func (s *session) reportDetached(unacked []*stanza.Stanza) {
	if len(unacked) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), finishTime)
	defer cancel()
	s.host.Router.Detached(ctx, s.port, unacked)
}

// left tells a connection that resumes the session that it may continue.
func (m *management) left(at time.Time) {
	m.resumed.mu.Lock()
	defer m.resumed.mu.Unlock()
	m.resumed.detached = at
	select {
	case <-m.resumed.gone:
	default:
		close(m.resumed.gone)
	}
}

// holdWaiting moves what waits for an inactive client to what it has not acknowledged. The caller holds the session's lock, and nothing
// is sent any more.
func (s *session) holdWaiting(m *management) {
	for _, st := range s.waiting {
		m.hold(st)
	}
	s.waiting, s.held = nil, 0
}

// hold keeps a stanza while there is no connection. The caller holds the session's lock.
func (m *management) hold(st *stanza.Stanza) {
	if m.resumed.drops(st) {
		return
	}
	var replaces func(*stanza.Stanza) bool
	if message.UrgencyOf(st) == message.Replaces {
		replaces = func(old *stanza.Stanza) bool { return message.Same(st, old) }
	}
	if !m.out.Hold(st, replaces) && !m.full.Swap(true) {
		m.session.server.Counters.Unacked.Add(1)
	}
}

// drops reports whether a restored session has a message already, which is delivered again from offline storage.
func (r *resumedState) drops(st *stanza.Stanza) bool {
	if st.Entry == "" {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.replayed[st.Entry]
	return known
}

// finish ends a session that has no connection: its contacts see that it is not available any more, and what its client did not get goes
// back to the router (XEP-0198 §4). Any goroutine may call it.
func (s *session) finish() {
	s.mu.Lock()
	over := s.finishing || s.conn.Load() != nil
	s.finishing = s.finishing || !over
	s.mu.Unlock()
	if over {
		return
	}
	s.server.Counters.Detached.Add(-1)
	ctx, cancel := context.WithTimeout(context.Background(), finishTime)
	defer cancel()
	s.end(ctx)
	s.returnWaiting()
}

// returnUnacked returns to the router what the client has not acknowledged.
func (m *management) returnUnacked() {
	s := m.session
	for _, u := range m.out.Take() {
		s.giveBack(u.Stanza, u.At)
	}
}

// giveBack returns one stanza to the router, with the time at which it was delivered (XEP-0198 §4).
func (s *session) giveBack(st *stanza.Stanza, at time.Time) {
	s.host.Router.ReturnDelayed(delayed(st, s, at), at)
}

// delayed adds the time of delivery to a message (XEP-0203).
func delayed(st *stanza.Stanza, s *session, at time.Time) *stanza.Stanza {
	domain := s.host.Router.Domain()
	if st.Kind != stanza.Message || st.Type == stanza.TypeError || message.DelayedBy(st, domain) {
		return st
	}
	return st.With(message.Delay(domain, at))
}

// endManagement forgets a session that has ended. What is stored of it is deleted.
func (m *management) endManagement() {
	s := m.session
	m.closed.Store(true)
	m.timer.Stop()
	m.left(time.Time{})
	if !m.resumable() {
		return
	}
	n := uint32(0)
	if h := m.handled.Load(); h != nil {
		n, _ = h.Count()
	}
	s.server.sessions.remove(m, n)
	if m.stored() {
		s.server.cfg.Sessions.EndSession(s.jid.Bare(), m.id.Name)
	}
}

// Expire ends the sessions that were not resumed in time. The owner of the server calls it about once a second.
func (s *Server) Expire(ctx context.Context, now time.Time) {
	for _, m := range s.sessions.due(now) {
		s.Counters.Expired.Add(1)
		m.session.finish()
	}
	s.expireStored(ctx, now)
}

// suspends reports whether a session is to be stored because the server stops.
func (c *conn) suspends(err error) bool {
	s := c.session
	m := s.management.Load()
	if m == nil || !m.resumable() || s.server.cfg.Archive == nil || !errors.Is(err, errShutdown) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing == nil
}

// suspend ends a session when the server stops, and stores it, so that it can be resumed after the next start. closeStream ends
// its connection.
func (s *session) suspend(closeStream func()) {
	m := s.management.Load()
	s.mu.Lock()
	over := s.finishing
	s.finishing = true // Expire and Close leave it alone
	s.mu.Unlock()
	if over {
		closeStream()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), suspendTime)
	defer cancel()
	if settled := m.handled.Load().Settled(); settled != nil {
		select {
		case <-settled:
		case <-time.After(settleTime):
		}
	}
	saved := m.saved() // before presence is taken back
	m.closed.Store(true)
	s.end(ctx)
	closeStream()
	s.mu.Lock()
	s.holdWaiting(m)
	s.mu.Unlock()
	m.timer.Stop()
	m.left(time.Now())
	saved.Handled, _ = m.handled.Load().Count()
	list := m.out.Take()
	saved.After = time.Now()
	rows := make([]resumption.Stanza, len(list))
	for i, u := range list {
		rows[i] = resumption.Stanza{ID: stanza.NewID(), Number: u.Number, At: u.At, Stanza: u.Stanza}
	}
	if err := s.server.cfg.Archive.Suspend(ctx, saved, rows); err != nil {
		if !errors.Is(err, resumption.ErrNoSession) { // it was revoked
			s.server.log.Error("session not stored: it cannot be resumed", "jid", s.jid, "err", err)
		}
		for _, u := range list {
			s.giveBack(u.Stanza, u.At)
		}
	}
}

// suspendDetached stores the sessions without a connection when the server stops, or ends them where they are not stored.
func (s *Server) suspendDetached(ctx context.Context) {
	for _, m := range s.sessions.all() {
		switch {
		case ctx.Err() != nil: // what is stored of it already must suffice, as after a crash
		case s.cfg.Archive != nil:
			m.session.suspend(func() {})
		default:
			m.session.finish()
		}
	}
}

// evict ends the session of an account that has been without a connection for the longest time, to make room for a new one. It returns false
// if there is none.
func (s *Server) evict(account jid.JID) bool {
	m := s.sessions.oldest(account)
	if m == nil {
		return false
	}
	s.Counters.DetachedTooMany.Add(1)
	m.session.finish()
	return true
}
