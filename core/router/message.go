package router

import (
	"github.com/dragoman-im/dragoman/core/stanza"
)

// message delivers a message to an account.
func (h *Host) message(b *Batch, account *Account, st *stanza.Stanza) {
	p := h.newPass(b, account, st)
	defer p.free()
	p.Session = b.sender(st)
	var a action
	a, p.Targets = choose(st, account.Sessions(), p.Targets)
	switch a {
	case ignore:
		h.router.Counters.Dropped.Add(1)
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

// messageToNobody answers as for an account without sessions (RFC 6121 §8.5.1).
func (h *Host) messageToNobody(b *Batch, st *stanza.Stanza) {
	p := h.newPass(b, nil, st)
	defer p.free()
	p.Session = b.sender(st)
	switch a, _ := choose(st, nil, nil); a {
	case refuse:
		h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
	case keep:
		if h.run(p, nobody) {
			h.router.Bounce(b, p.Stanza, stanza.ServiceUnavailable(""))
		}
	default:
		h.router.Counters.Dropped.Add(1)
	}
}

// undelivered is for a message that no session took.
func (h *Host) undelivered(p *Pass) {
	if h.run(p, undelivered) {
		h.router.Bounce(p.batch, p.Stanza, stanza.ServiceUnavailable(""))
	}
}

// restore handles a stanza that a session did not take; see Host.Return and Host.Keep.
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
	a, p.Targets = choose(st, account.Sessions(), p.Targets)
	switch {
	case st.From == account.jid: // a carbon copy or an answer of the archive was for that session alone
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

// keep gives a message that had been accepted to the Undelivered stages.
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

// messageToHost is for messages to the domain, with a resource or without.
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
