package presence

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// probed answers a presence probe (RFC 6121 §4.3.2). A sender without a subscription gets the same answer
// whether the account exists or not, from the bare JID.
func (h *Presence) probed(ctx context.Context, p *router.Pass) error {
	asker := p.Stanza.From
	allowed := asker.Bare() == p.Account.JID()
	if !allowed {
		var err error
		if allowed, _, err = h.subs.Subscription(ctx, p.Account, asker.Bare()); err != nil {
			return fmt.Errorf("answer probe: %w", err)
		}
	}
	switch {
	case !allowed:
		h.refuse(p)
	case p.Stanza.To.IsFull():
		h.answerOne(p)
	default:
		return h.answerAll(ctx, p)
	}
	return router.ErrStop
}

// refuse answers a sender without a subscription. One that was sent directed presence gets only the
// information that the session is available (RFC 6121 §4.6.6).
func (h *Presence) refuse(p *router.Pass) {
	known := false
	for _, s := range p.Account.Sessions() {
		if (p.Stanza.To.IsBare() || p.Stanza.To == s.JID()) && sentDirectedTo(s, p.Stanza.From) {
			known = true
			p.Route(stanza.NewPresence(p.Stanza.From, s.JID(), ""))
		}
	}
	if !known {
		p.Route(reply(p, p.Account.JID(), stanza.TypeUnsubscribed)) // rule 1
	}
}

// answerOne answers a probe of a full JID with whether that resource is available.
func (h *Presence) answerOne(p *router.Pass) {
	typ := stanza.TypeUnavailable
	if s := p.Account.Session(p.Stanza.To); s != nil && s.Presence() != nil {
		typ = ""
	}
	p.Route(reply(p, p.Stanza.To, typ))
}

// answerAll answers with the last presence of each available session (rule 4), or with the time of the
// last one (rule 3).
func (h *Presence) answerAll(ctx context.Context, p *router.Pass) error {
	some := false
	for _, s := range p.Account.Sessions() {
		if now := s.Presence(); now != nil {
			some = true
			p.Route(now.Stanza.WithTo(p.Stanza.From))
		}
	}
	if some {
		return router.ErrStop
	}
	st := reply(p, p.Account.JID(), stanza.TypeUnavailable)
	at, _, err := h.store.LastSeen(ctx, p.Account.JID())
	if err != nil {
		return fmt.Errorf("answer probe: %w", err)
	}
	if !at.IsZero() {
		st = st.With(message.Delay(h.host.Domain(), at))
	}
	p.Route(st)
	return router.ErrStop
}

// reply returns an answer with the probe's id (RFC 6121 §4.3.2.1).
func reply(p *router.Pass, from jid.JID, typ string) *stanza.Stanza {
	st := stanza.NewPresence(p.Stanza.From, from, typ)
	st.ID = p.Stanza.ID
	return st
}
