package presence

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// available handles initial presence (RFC 6121 §4.2.2) and its updates (§4.4.2).
func (h *Presence) available(ctx context.Context, p *router.Pass) error {
	from, to, err := h.subs.Contacts(ctx, p.Account)
	if err != nil {
		return fmt.Errorf("broadcast presence: %w", err)
	}
	now := p.Session.Presence()
	if now == nil { // the session was replaced while its contacts were read: Ended has broadcast its end
		return router.ErrStop
	}
	for _, contact := range from {
		p.Route(p.Stanza.WithTo(contact))
	}
	h.toOwn(p)
	if h.endedSince(ctx, p) {
		return router.ErrStop
	}
	if p.Previous == nil {
		if err := h.sendInitial(ctx, p, to); err != nil {
			return err
		}
	}
	if now.Priority >= 0 && (p.Previous == nil || p.Previous.Priority < 0) {
		for _, arrived := range h.arrivals {
			if err := arrived(ctx, p); err != nil {
				h.log.Error("session arrived", "jid", p.Session.JID(), "err", err)
			}
		}
	}
	for _, f := range h.watchers {
		f(ctx, p)
	}
	return router.ErrStop
}

// endedSince reports whether the session has ended while its presence was broadcast. Its unavailable presence may
// then have come to contacts before the available one; it is sent to them again, unless another session with the
// same JID is available, which would seem to have ended.
func (h *Presence) endedSince(ctx context.Context, p *router.Pass) bool {
	if p.Session.Presence() != nil {
		return false
	}
	if next := p.Account.Session(p.Session.JID()); next != nil && next.Presence() != nil {
		return true
	}
	last := stanza.NewPresence(jid.JID{}, p.Session.JID(), stanza.TypeUnavailable)
	for _, s := range p.Account.Sessions() {
		if s.Presence() != nil {
			p.Deliver(s, last.WithTo(p.Account.JID()))
		}
	}
	leave := endedSession{account: p.Account, session: p.Session, last: last, wasAvailable: true, route: p.Route}
	if err := h.sendUnavailable(ctx, leave); err != nil {
		h.log.Error("unavailable presence not broadcast", "jid", p.Session.JID(), "err", err)
	}
	return true
}

// toOwn delivers a presence to the account's available sessions, including the sender (RFC 6121 §4.2.2,
// §4.5.2).
func (h *Presence) toOwn(p *router.Pass) {
	own := p.Stanza.WithTo(p.Account.JID())
	for _, s := range p.Account.Sessions() {
		if s == p.Session || s.Presence() != nil {
			p.Deliver(s, own)
		}
	}
}

// sendInitial sends a session that has become available the presence of the account's other sessions and
// the unanswered subscription requests, and probes its contacts.
func (h *Presence) sendInitial(ctx context.Context, p *router.Pass, to []jid.JID) error {
	for _, s := range p.Account.Sessions() {
		if now := s.Presence(); now != nil && s != p.Session {
			p.Deliver(p.Session, now.Stanza.WithTo(p.Account.JID()))
		}
	}
	for _, contact := range to {
		sender := p.Account.JID() // RFC 6121 §4.3
		if h.host.Router().Internal(contact) {
			sender = p.Session.JID() // the contact is on this server: only this session needs the answer
		}
		probe := stanza.NewPresence(contact, sender, stanza.TypeProbe)
		probe.ID = stanza.NewID()
		p.Route(probe)
	}
	requests, err := h.subs.Requests(ctx, p.Account)
	if err != nil {
		return fmt.Errorf("deliver subscription requests: %w", err)
	}
	for _, r := range requests { // RFC 6121 §3.1.3 rule 4
		p.Deliver(p.Session, r)
	}
	return nil
}

// unavailable handles unavailable presence that a session broadcasts (RFC 6121 §4.5.2).
func (h *Presence) unavailable(ctx context.Context, p *router.Pass) error {
	leave := endedSession{
		account: p.Account, session: p.Session, last: p.Stanza, wasAvailable: p.Previous != nil,
		directed: p.Session.TakeDirected(), route: p.Route,
	}
	if leave.wasAvailable {
		h.toOwn(p)
	}
	if err := h.sendUnavailable(ctx, leave); err != nil {
		return err
	}
	return router.ErrStop
}

// Ended sends unavailable presence for a session that has ended without sending it.
func (h *Presence) Ended(ctx context.Context, s *router.Bound) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goneTimeout)
	defer cancel()
	account := s.Account()
	leave := endedSession{
		account: account, session: s, wasAvailable: s.SetPresence(nil) != nil,
		last:     stanza.NewPresence(jid.JID{}, s.JID(), stanza.TypeUnavailable),
		directed: s.TakeDirected(), route: h.host.Router().Route,
	}
	if leave.wasAvailable {
		own := leave.last.WithTo(account.JID())
		for _, other := range account.Sessions() {
			if other != s && other.Presence() != nil {
				other.Send(own)
			}
		}
	}
	if err := h.sendUnavailable(ctx, leave); err != nil {
		h.log.Error("unavailable presence not broadcast", "jid", s.JID(), "err", err)
	}
}

// endedSession describes a session that is no longer available.
type endedSession struct {
	account      *router.Account
	session      *router.Bound
	last         *stanza.Stanza // the unavailable presence
	wasAvailable bool           // the session had been available
	directed     []jid.JID      // the addresses that got directed presence
	route        func(*stanza.Stanza)
}

// sendUnavailable sends unavailable presence to everybody who has seen the session, once to each.
func (h *Presence) sendUnavailable(ctx context.Context, d endedSession) error {
	notified := map[jid.JID]bool{}
	var failed error
	if d.wasAvailable {
		from, _, err := h.subs.Contacts(ctx, d.account)
		if err != nil {
			failed = fmt.Errorf("broadcast unavailable presence: %w", err)
		}
		for _, contact := range from {
			notified[contact] = true
			d.route(d.last.WithTo(contact))
		}
		h.setLastSeen(d)
		for _, f := range h.left {
			f(d.last, d.route)
		}
	}
	for _, to := range d.directed { // RFC 6121 §4.6.3
		if !notified[to.Bare()] {
			d.route(d.last.WithTo(to))
		}
	}
	return failed
}

// setLastSeen stores the time when an account's last session became unavailable (RFC 6121 §4.3.2 rule 3,
// XEP-0012 §5).
func (h *Presence) setLastSeen(d endedSession) {
	for _, s := range d.account.Sessions() {
		if s != d.session && s.Presence() != nil {
			return
		}
	}
	status := ""
	if e := d.last.Child("", "status"); e != nil {
		status = e.Text()
	}
	h.store.SetLastSeen(d.account.JID(), time.Now(), status)
}
