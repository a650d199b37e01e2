package router

import "github.com/dragoman-im/dragoman/core/stanza"

// Submit implements Port.
func (b *Bound) Submit(batch *Batch, st *stanza.Stanza) {
	if b.ended.Load() {
		return
	}
	batch.session = b
	batch.follows(st)
	h := b.account.host
	p := h.newPass(batch, b.account, st)
	defer p.free()
	p.Session = b
	switch st.Kind {
	case stanza.Message:
		if st.To.IsZero() { // RFC 6121 §8.1
			p.Stanza = st.WithTo(b.account.jid)
		}
		if h.run(p, outbound) {
			h.router.RouteIn(batch, p.Stanza)
		}
	case stanza.Presence:
		if h.run(p, outbound) {
			h.sendPresence(p)
		}
	case stanza.IQ:
		if h.run(p, outbound) {
			h.sendIQ(p)
		}
	}
}

// sendIQ handles an IQ that a session sends; without To it is for the session's own account (RFC 6120
// §10.3.3).
func (h *Host) sendIQ(p *Pass) {
	st := p.Stanza
	switch {
	case !wellFormed(st):
		h.router.Bounce(p.batch, st, stanza.BadRequest(""))
	case !st.To.IsZero():
		h.router.RouteIn(p.batch, st)
	case st.IsRequest():
		h.answer(p.batch, p.Account, st, p.Session)
	default:
		h.answered(p.batch, st)
	}
}
