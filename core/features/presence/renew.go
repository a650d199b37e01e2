package presence

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Renew broadcasts the presence of an account's sessions again after the server has changed it. For each one renew returns the
// presence that is kept as the session's and the one that is sent, or nil if nothing has changed.
func (h *Presence) Renew(ctx context.Context, account jid.JID, route func(*stanza.Stanza), renew func(before *stanza.Stanza) (kept, sent *stanza.Stanza)) {
	a := h.host.Local(account)
	if a == nil {
		return
	}
	var from []jid.JID
	for _, s := range a.Sessions() {
		before := s.Presence()
		if before == nil {
			continue
		}
		kept, sent := renew(before.Stanza)
		if sent == nil {
			continue
		}
		now := before.With(kept.Copy())
		if !s.ReplacePresence(before, now) {
			continue // the session has sent a new one, which has been changed already
		}
		if from == nil {
			var err error
			if from, _, err = h.subs.Contacts(ctx, a); err != nil {
				h.log.Error("presence not broadcast again", "account", account, "err", err)
				return
			}
		}
		h.broadcastAgain(a, from, sent, route)
		if next := s.Presence(); next != now { // it was sent meanwhile, and perhaps before the one above
			h.broadcastAgain(a, from, latest(s, next), route)
		}
	}
}

// latest returns what is known of a session.
func latest(s *router.Bound, now *router.Presence) *stanza.Stanza {
	if now == nil {
		return stanza.NewPresence(jid.JID{}, s.JID(), stanza.TypeUnavailable)
	}
	return now.Stanza
}

// broadcastAgain sends a presence to contacts and to the account's own sessions.
func (h *Presence) broadcastAgain(a *router.Account, to []jid.JID, st *stanza.Stanza, route func(*stanza.Stanza)) {
	for _, contact := range to {
		route(st.WithTo(contact))
	}
	own := st.WithTo(a.JID())
	for _, s := range a.Sessions() {
		if s.Presence() != nil {
			s.Send(own)
		}
	}
}
