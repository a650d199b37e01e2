package roster

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxRequest is the largest payload of a subscription request that is stored, in bytes; that of a larger
// one is dropped (RFC 6121 §3.1.3, security warning).
const maxRequest = 4096

// Sent handles a subscription stanza of one of the account's sessions (RFC 6121 §3.1.2, §3.1.5, §3.2.2,
// §3.3.2, §3.4.2). If it returns nil, p.Stanza is to be routed.
func (r *Roster) Sent(ctx context.Context, p *router.Pass) error {
	account, contact := p.Account.JID(), p.Stanza.To.Bare() // RFC 6121 §3.1.2: without the resource
	if contact == account {
		return router.ErrStop // RFC 6121 §4.2.2: an account always sees its own presence
	}
	if r.shared.Load().share(account, contact) {
		return sentToMember(p.Stanza.Type)
	}
	st := p.Stanza.Copy()
	st.To, st.From = contact, account
	var before, after Entry
	pass := false
	err := r.store.ChangeRoster(ctx, account, contact, func(e *Entry) error {
		before = *e
		pass = e.sent(st.Type)
		after = *e
		return nil
	}, r.pusher(account, nil))
	if err != nil {
		return condition(err)
	}
	if !pass {
		return router.ErrStop
	}
	p.Stanza = st
	switch {
	case after.Subscription.HasFrom() && !before.Subscription.HasFrom():
		p.Route(st) // before the presence that it allows: RFC 6121 §3.1.5
		r.granted(p.Account, contact, p.Route)
		return router.ErrStop
	case before.Subscription.HasFrom() && !after.Subscription.HasFrom():
		r.revoked(p.Account, contact, p.Route) // before the end of the subscription: RFC 6121 §3.2.2
	}
	return nil
}

// sent applies an outbound stanza to an entry and reports whether it is routed.
func (e *Entry) sent(typ string) (pass bool) {
	s := outboundSteps[typ][stateOf(e)]
	e.setState(s.next, nil)
	switch {
	case typ == stanza.TypeSubscribed && !s.pass && !e.Subscription.HasFrom():
		e.Approved, e.Listed = true, true // RFC 6121 §3.4.2
	case typ == stanza.TypeUnsubscribed:
		e.Approved = false // RFC 6121 §3.2.2
	}
	return s.pass
}

// effect is the reaction to an inbound stanza.
type effect struct {
	deliver bool
	reply   string // a presence type, or ""
}

// received applies an inbound stanza to an entry.
func (e *Entry) received(st *stanza.Stanza) effect {
	at := stateOf(e)
	if st.Type == stanza.TypeSubscribe && (e.Approved || e.Subscription.HasFrom()) {
		e.setState(preApproved[at], nil) // RFC 6121 §3.1.3 rule 2
		return effect{reply: stanza.TypeSubscribed}
	}
	s := inboundSteps[st.Type][at]
	e.setState(s.next, st)
	f := effect{deliver: s.pass}
	if st.Type == stanza.TypeUnsubscribe && s.pass {
		f.reply = stanza.TypeUnsubscribed // RFC 6121 Appendix A.3.2
	}
	return f
}

// Received handles a subscription stanza to an account (RFC 6121 §3.1.3, §3.1.6, §3.2.3, §3.3.3). It
// delivers the stanza itself and returns ErrStop.
func (r *Roster) Received(ctx context.Context, p *router.Pass) error {
	account, contact := p.Account.JID(), p.Stanza.From.Bare()
	if r.shared.Load().share(account, contact) {
		return router.ErrStop
	}
	if contact == account || contact.IsZero() {
		return router.ErrStop
	}
	st := p.Stanza.Copy()
	st.To, st.From = account, contact
	p.Stanza = st
	kept := st
	if len(st.Payload)+len(st.Extra) > maxRequest {
		kept = st.Copy()
		kept.Payload, kept.Extra = "", ""
	}
	var before, after Entry
	var f effect
	err := r.store.ChangeRoster(ctx, account, contact, func(e *Entry) error {
		before = *e
		f = e.received(kept)
		after = *e
		return nil
	}, r.pusher(account, func() *stanza.Stanza {
		if f.deliver && st.Type != stanza.TypeSubscribe {
			return st // to interested sessions, before the push: RFC 6121 §3.1.6
		}
		return nil
	}))
	switch {
	case errors.Is(err, ErrFull), errors.Is(err, ErrNoAccount):
		r.Log.Debug("subscription stanza dropped", "account", account, "contact", contact, "type", st.Type, "err", err)
		return router.ErrStop // as for an address without an account
	case err != nil:
		return fmt.Errorf("%s of %s for %s: %w", st.Type, contact, account, err)
	}
	if f.deliver && st.Type == stanza.TypeSubscribe {
		p.DeliverPresence() // to all available sessions: RFC 6121 §3.1.3
	}
	r.answer(p, f.reply, before, after)
	return router.ErrStop
}

// answer sends the reply and the presence that follow from an inbound stanza.
func (r *Roster) answer(p *router.Pass, reply string, before, after Entry) {
	if before.Subscription.HasFrom() && !after.Subscription.HasFrom() {
		r.revoked(p.Account, after.JID, p.Route) // RFC 6121 §3.3.3
	}
	if reply == "" {
		return
	}
	st := stanza.NewPresence(after.JID, p.Account.JID(), reply)
	st.ID = p.Stanza.ID
	p.Route(st)
	if reply == stanza.TypeSubscribed {
		r.granted(p.Account, after.JID, p.Route)
	}
}

func (r *Roster) granted(a *router.Account, contact jid.JID, route func(*stanza.Stanza)) {
	if r.watcher != nil {
		r.watcher.Granted(a, contact, route)
	}
}

func (r *Roster) revoked(a *router.Account, contact jid.JID, route func(*stanza.Stanza)) {
	if r.watcher != nil {
		r.watcher.Revoked(a, contact, route)
	}
}

func available(s *router.Bound) bool { return s.Presence() != nil }
