package router

import (
	"github.com/dragoman-im/dragoman/core/stanza"
)

// message applies messageRules to a message for an account.
func (h *Host) message(b *Batch, account *Account, st *stanza.Stanza) {
	p := h.newPass(b, account, st)
	defer p.free()
	p.Session = b.sender(st)
	var a action
	a, p.Targets = chooseTargets(st, account.Sessions(), p.Targets)
	switch a {
	case ignore:
		h.router.Counters.Dropped.Add(1)
		if st.Type == stanza.TypeError && st.To.IsBare() {
			for _, failed := range h.session.failed {
				failed(account, st.From)
			}
		}
	case refuse:
		h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
	case one, every:
		if h.run(p, inbound) {
			for _, to := range p.Targets {
				to.deliver(b, p.Stanza)
			}
		}
	case keep:
		if h.run(p, inbound) {
			h.undelivered(p)
		}
	}
}

// messageToNobody handles messages to addresses without an account. Senders of this server get an error, as they
// should notice a typo; others get the answer of an account without sessions that has stored the message (RFC 6121
// §8.5.1).
func (h *Host) messageToNobody(b *Batch, st *stanza.Stanza) {
	if a, _ := chooseTargets(st, nil, nil); a == refuse || !h.strict.Unknown && h.router.Serves(st.From) {
		h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
		return
	}
	h.router.Counters.Dropped.Add(1)
}

// undelivered runs the Undelivered stages for a message that no session gets; if none of them takes it, it
// is refused.
func (h *Host) undelivered(p *Pass) {
	if h.run(p, undelivered) {
		h.router.Bounce(p.batch, p.Stanza, stanza.ServiceUnavailable(""))
	}
}

// restore handles a stanza that a session could not take; see Host.Return and Host.Keep.
func (h *Host) restore(b *Batch, account *Account, st *stanza.Stanza, m mode) {
	if st.Kind != stanza.Message {
		if st.IsRequest() {
			h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
		}
		return
	}
	p := h.newPass(b, account, st)
	defer p.free()
	p.Session = b.sender(st)
	if m == keeping {
		h.keep(p)
		return
	}
	var a action
	a, p.Targets = chooseTargets(st, account.Sessions(), p.Targets)
	switch {
	case st.From == account.jid: // a carbon copy or an archive result was for that session only
		h.router.Counters.Dropped.Add(1)
	case a == every && st.To.IsBare():
		h.router.Counters.Dropped.Add(1)
	case a == one || a == every:
		for _, to := range p.Targets {
			to.deliver(b, st)
		}
	default:
		h.keep(p)
	}
}

// keep runs the Undelivered stages for a message that had been accepted for a session, if its type may be
// stored.
func (h *Host) keep(p *Pass) {
	switch typeOf(p.Stanza.Type) {
	case normal, chat:
		h.undelivered(p)
	case groupchat:
		h.router.Bounce(p.batch, p.Stanza, stanza.ServiceUnavailable(""))
	default:
		h.router.Counters.Dropped.Add(1)
	}
}

// messageToHost handles messages to the domain, with or without a resource.
func (h *Host) messageToHost(b *Batch, st *stanza.Stanza) {
	p := h.newPass(b, nil, st)
	defer p.free()
	p.Session = b.sender(st)
	for i := range h.features {
		handle := h.features[i].HostMessage
		if handle == nil {
			continue
		}
		if err := handle(b.context(), p); err != nil {
			h.end(p, err, "message to host")
			return
		}
	}
	h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
}
