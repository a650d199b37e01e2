package c2s

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Sessions of an earlier run of the server. A stored session is restored when its client resumes it; one that is not
// resumed in time ends, and what its client did not get goes to the router.

const (
	staleEvery = 5 * time.Second
	stalePage  = 100
)

// restore makes a stored session of an earlier run available again, without a connection. h is the number of stanzas that its client has
// got. It returns nil if there is none.
func (c *conn) restore(id resumption.ID, h uint32) (*management, error) {
	store := c.server.cfg.Archive
	if store == nil {
		return nil, nil
	}
	release := c.server.sessions.beginRestore(c.Context(), id.Name)
	if release == nil {
		return nil, nil
	}
	defer release()
	if m, _ := c.server.sessions.find(id, c.who); m != nil || c.server.sessions.knows(id.Name) {
		return m, nil
	}
	saved, rows, err := store.Suspended(c.Context(), c.who, id.Name)
	switch {
	case errors.Is(err, resumption.ErrNoSession):
		return nil, nil
	case err != nil:
		return nil, err
	case !saved.ID.Equal(id) || saved.JID.Bare() != c.who || c.server.expiredStored(saved, time.Now()):
		return nil, nil
	}
	return c.rebind(saved, rows, h)
}

// beginRestore waits until no other connection restores the session. It returns nil if ctx ends before.
func (r *resumables) beginRestore(ctx context.Context, name string) (release func()) {
	for {
		r.mu.Lock()
		other := r.restoring[name]
		if other == nil {
			done := make(chan struct{})
			r.restoring[name] = done
			r.mu.Unlock()
			return func() {
				r.mu.Lock()
				delete(r.restoring, name)
				r.mu.Unlock()
				close(done)
			}
		}
		r.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil
		}
	}
}

// rebind binds a stored session. Its presence is sent again, as after a login, by which it gets the presence of its contacts.
func (c *conn) rebind(saved resumption.Saved, rows []resumption.Stanza, h uint32) (*management, error) {
	facts, err := router.ParseFacts(saved.Facts)
	if err != nil {
		return nil, err
	}
	presence := facts.Presence
	facts.Presence = nil
	from := resumption.Receiver{
		JID: saved.JID, Carbons: slices.Contains(facts.Flags, message.FlagCarbons), Available: presence != nil && presence.Priority >= 0,
	}
	list, tooMuch, err := c.server.replay(c.Context(), from, saved, rows, h)
	if err != nil || tooMuch {
		return nil, err
	}
	if c.host.Router.Local(c.who).Session(saved.JID) != nil { // its client has bound a new one
		return nil, nil
	}
	s, err := c.enter(saved.JID, saved.Client)
	if errors.Is(err, router.ErrConflict) || errors.Is(err, router.ErrTooMany) || errors.Is(err, router.ErrNoAccount) || errors.Is(err, router.ErrRevoked) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m := newManagement(s, h)
	m.id, m.max = saved.ID, saved.Max
	m.handled.Store(resumption.NewHandled(saved.Handled, saved.Handled, resumption.HandledHooks{}))
	m.saving.Store(true) // it is stored below
	facts.Directed = c.leaveRooms(m, facts.Directed)
	s.port.Restore(facts)
	m.refill(list)
	m.floor = time.Now().Add(-replayMargin)
	saved.Acked, saved.After = h, m.floor
	if err := c.server.cfg.Archive.Suspend(c.Context(), saved, m.rows()); err != nil {
		s.port.Unbind(c.Context())
		s.mu.Lock()
		s.ended = true
		s.mu.Unlock()
		s.returnWaiting()
		if errors.Is(err, resumption.ErrNoSession) { // it was revoked meanwhile
			for _, u := range m.out.Take() {
				s.giveBack(u.Stanza, u.At)
			}
			return nil, nil
		}
		return nil, fmt.Errorf("store restored session: %w", err)
	}
	m.left(time.Now())
	s.manageDetached(m)
	c.server.Counters.Sessions.Add(1)
	c.server.Counters.Detached.Add(1)
	c.server.sessions.add(s, m)
	c.server.sessions.leave(m, 0)
	m.saving.Store(false)
	if presence != nil {
		s.port.Submit(c.batch, presence.Stanza.WithTo(presence.Stanza.To))
		c.batch.Flush()
	}
	return m, nil
}

// manageDetached adds what was delivered since the session was bound to what its client is to get.
func (s *session) manageDetached(m *management) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.management.Store(m)
	s.holdWaiting(m)
}

// replay returns what the client of a stored session has not got.
func (s *Server) replay(ctx context.Context, to resumption.Receiver, saved resumption.Saved, rows []resumption.Stanza, h uint32) (list []resumption.Stanza, tooMuch bool, err error) {
	limit := s.limits().Unacked
	entries, more, err := s.cfg.Archive.ArchivedSince(ctx, saved.JID.Bare(), saved.After, limit)
	if err != nil || more {
		return nil, more, err
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r resumption.Stanza) bool { return int32(r.Number-h) <= 0 })
	archived := make([]resumption.Stanza, 0, len(entries))
	for _, e := range entries {
		if st := to.Replay(e); st != nil {
			archived = append(archived, resumption.Stanza{At: e.At, Stanza: st})
		}
	}
	return resumption.Merge(rows, archived), false, nil
}

// refill adds the stanzas to the list of those that the client has not acknowledged.
func (m *management) refill(list []resumption.Stanza) {
	m.resumed.replayed = map[string]struct{}{}
	for _, r := range list {
		m.out.Refill(r.Stanza, r.At)
		if e := r.Stanza.Entry; e != "" {
			m.resumed.replayed[e] = struct{}{}
		}
	}
}

// rows returns the unacknowledged stanzas as they are stored, and remembers their ids.
func (m *management) rows() []resumption.Stanza {
	list := m.out.Stanzas()
	rows := make([]resumption.Stanza, len(list))
	kept := make([]keptStanza, len(list))
	for i, u := range list {
		rows[i] = resumption.Stanza{ID: stanza.NewID(), Number: u.Number, At: u.At, Stanza: u.Stanza}
		kept[i] = keptStanza{u.Number, rows[i].ID}
	}
	m.resumed.mu.Lock()
	m.resumed.kept = kept
	m.resumed.mu.Unlock()
	return rows
}
