package router

import "github.com/dragoman-im/dragoman/core/stanza"

// Submit takes a stanza that a bound session of this host has sent. Its From has been
// set by the session's reader, whose batch b is: the full address, or the bare one for
// a presence that is about a subscription.
func (h *Host) Submit(b *Batch, st *stanza.Stanza) {
	if b.session == nil || b.session.gone.Load() {
		return
	}
	p := h.newPass(b, st)
	defer p.free()
	p.Session, p.Account = b.session, b.session.jid.Bare()
	switch st.Kind {
	case stanza.Message:
		if st.To.IsZero() { // RFC 6121 §8.1
			p.Stanza = st.WithTo(p.Account)
		}
		if h.run(p, outbound) {
			h.router.RouteIn(b, p.Stanza)
		}
	case stanza.Presence:
		if h.run(p, outbound) {
			h.presenceFrom(p)
		}
	case stanza.IQ:
		if h.run(p, outbound) {
			h.ask(p)
		}
	}
}

// ask is for an IQ of a session: without To it is for its own account (RFC 6120 §10.3.3).
func (h *Host) ask(p *Pass) {
	st := p.Stanza
	switch {
	case !wellFormed(st):
		h.router.Bounce(p.batch, st, stanza.BadRequest(""))
	case !st.To.IsZero():
		h.router.RouteIn(p.batch, st)
	case st.IsRequest():
		h.inquireHere(p.batch, st, p.Account)
	default:
		answer := st.WithTo(p.Account)
		if !h.settle(answer) {
			h.router.Counters.Dropped.Add(1)
		}
	}
}
