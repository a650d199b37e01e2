package c2s

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// leaveRooms tells the client that it is in rooms of this process no more (XEP-0045 §7.14, status 332), and returns the other
// addresses that it has sent presence to.
func (c *conn) leaveRooms(m *management, directed []jid.JID) (rest []jid.JID) {
	for _, to := range directed {
		if !to.IsFull() || !c.host.Router.Router().Internal(to) || c.host.Router.Router().Host(to) != nil {
			rest = append(rest, to)
			continue
		}
		x := stanza.NewElement(message.NSMUCUser, "x").Add(
			stanza.NewElement(message.NSMUCUser, "item").With("affiliation", "none").With("role", "none"),
			stanza.NewElement(message.NSMUCUser, "status").With("code", "110"),
			stanza.NewElement(message.NSMUCUser, "status").With("code", "332"),
		)
		m.out.Hold(stanza.NewPresence(m.session.jid, to, stanza.TypeUnavailable, x), nil)
	}
	return rest
}

// expiredStored reports whether a stored session of an earlier run can be resumed no more. Its time began again with this run.
func (s *Server) expiredStored(saved resumption.Saved, now time.Time) bool {
	return now.Sub(s.started) >= saved.Max
}

// expireStored ends stored sessions of earlier runs that were not resumed.
func (s *Server) expireStored(ctx context.Context, now time.Time) {
	r := s.sessions
	r.mu.Lock()
	due := s.cfg.Archive != nil && r.stale && now.Sub(r.checked) >= staleEvery
	if due {
		r.checked = now
	}
	r.mu.Unlock()
	if !due {
		return
	}
	list, err := s.cfg.Archive.SuspendedBefore(ctx, s.started, stalePage)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("sessions of an earlier run not listed", "err", err)
		}
		return
	}
	if len(list) == 0 {
		r.mu.Lock()
		r.stale = false
		r.mu.Unlock()
	}
	for _, saved := range list {
		if !s.expiredStored(saved, now) {
			continue
		}
		if err := s.endStored(ctx, saved); err != nil && ctx.Err() == nil {
			s.log.Error("session of an earlier run not ended", "jid", saved.JID, "err", err)
		}
	}
}

// endStored gives what a stored session did not get back to the router.
func (s *Server) endStored(ctx context.Context, saved resumption.Saved) error {
	release := s.sessions.beginRestore(ctx, saved.ID.Name)
	if release == nil {
		return ctx.Err()
	}
	defer release()
	if s.sessions.knows(saved.ID.Name) {
		return nil
	}
	account := saved.JID.Bare()
	saved, rows, err := s.cfg.Archive.Suspended(ctx, account, saved.ID.Name)
	if errors.Is(err, resumption.ErrNoSession) {
		return nil
	}
	if err != nil {
		return err
	}
	h := s.hosts[account.Domain()]
	if h == nil { // its domain is no longer served
		s.cfg.Sessions.EndSession(account, saved.ID.Name)
		return nil
	}
	to := resumption.Receiver{JID: saved.JID, Available: true}
	entries, _, err := s.cfg.Archive.ArchivedSince(ctx, account, saved.After, s.limits().Unacked)
	if err != nil {
		return err
	}
	var archived []resumption.Stanza
	for _, e := range entries {
		if st := to.Replay(e); st != nil && e.At.Before(s.started) { // what came later was delivered by the rules
			archived = append(archived, resumption.Stanza{At: e.At, Stanza: st})
		}
	}
	was := &session{server: s, host: h, jid: saved.JID}
	for _, r := range resumption.Merge(rows, archived) {
		was.giveBack(r.Stanza, r.At)
	}
	s.cfg.Sessions.EndSession(account, saved.ID.Name)
	s.Counters.Expired.Add(1)
	return nil
}
