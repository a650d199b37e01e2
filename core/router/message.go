package router

import (
	"github.com/dragoman-im/dragoman/core/stanza"
)

// message delivers a message to an account, or to the domain itself.
func (h *Host) message(b *Batch, st *stanza.Stanza) {
	if st.To.Local() == "" {
		h.messageToHost(b, st)
		return
	}
	p := h.newPass(b, st)
	defer p.free()
	p.Account = st.To.Bare()
	sessions := h.directory.Sessions(p.Account)
	var a action
	a, p.Targets = choose(st, sessions, p.Targets)
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
		p.Unknown = len(sessions) == 0 && !h.known(p)
		if h.run(p, inbound) {
			h.undelivered(p)
		}
	}
}

// known looks the account up. An account that cannot be looked up counts as known: its
// message then meets the same store and the sender gets that error.
func (h *Host) known(p *Pass) bool {
	ok, err := h.Exists(p.batch.context(), p.Account)
	if err != nil {
		h.log.Error("account not looked up", "account", p.Account, "err", err)
		return true
	}
	return ok
}

// undelivered is the end of the way for a message that nobody was there for.
func (h *Host) undelivered(p *Pass) {
	if h.run(p, undelivered) {
		h.router.Bounce(p.batch, p.Stanza, stanza.ServiceUnavailable(""))
	}
}

// Return takes back what was delivered to a session that has ended before its client had
// it (XEP-0198 §5). A message goes to the account's other sessions or to the Undelivered
// stages; one for the bare address has been delivered to the others already, if there are
// any. The Inbound stages have seen it before and are passed over. Other kinds are
// answered as if the session had not been there. Unbind the session first.
func (h *Host) Return(st *stanza.Stanza) {
	if st.Kind != stanza.Message {
		h.Keep(st)
		return
	}
	p := h.newPass(nil, st)
	defer p.free()
	p.Account = st.To.Bare()
	var a action
	a, p.Targets = choose(st, h.directory.Sessions(p.Account), p.Targets)
	switch {
	case st.From == p.Account: // a carbon copy or an answer of the archive was for that session alone
		h.router.Counters.Dropped.Add(1)
	case a == every && st.To.IsBare():
		h.router.Counters.Dropped.Add(1)
	case a == one || a == every:
		for _, to := range p.Targets {
			to.deliver(nil, st)
		}
	default:
		h.keep(p)
	}
}

// Keep is Return for a stanza that a session cannot take although it has not ended yet:
// no session gets it, so that two full ones do not pass it to each other.
func (h *Host) Keep(st *stanza.Stanza) {
	if st.Kind != stanza.Message {
		if st.IsRequest() {
			h.router.Bounce(nil, st, stanza.ServiceUnavailable(""))
		}
		return
	}
	p := h.newPass(nil, st)
	defer p.free()
	p.Account = st.To.Bare()
	h.keep(p)
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
	h.mu.RLock()
	handlers := h.messages
	h.mu.RUnlock()
	p := h.newPass(b, st)
	defer p.free()
	for _, handle := range handlers {
		if err := handle(b.context(), p); err != nil {
			h.end(p, err, "message to host")
			return
		}
	}
	h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
}
