package router

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/stanza"
)

const nsRoster = "jabber:iq:roster"

// ErrAnswered is returned by an IQHandler that sends the answer itself.
var ErrAnswered = errors.New("request was answered")

// IQ is a request to the host or to one of its accounts.
type IQ struct {
	Stanza  *stanza.Stanza
	Payload *stanza.Element // its only child; read it only
	Host    *Host
	Session *Bound   // of the sender; nil where it is not a session of this host's reader
	Account *Account // nil where the host itself was addressed

	batch *Batch
}

// IQHandler answers a request: with an element (or nil for an empty result), a
// *stanza.Error for the sender, or another error, which is logged and becomes
// internal-server-error. It runs in the sender's goroutine, may wait for a commit, and
// no later stanza of that sender is handled before it returns (RFC 6120 §10.1).
//
// An account is addressed by its own sessions and by everybody else; the handler checks
// with Own. To others it must answer service-unavailable wherever another answer would
// tell that the account exists. It is not called for accounts that do not exist.
type IQHandler func(ctx context.Context, q *IQ) (*stanza.Element, error)

// target is to whom an IQ is.
type target uint8

const (
	toHost target = iota
	toAccount
	targets int = iota
)

// Own reports whether the sender is a session of the account that was addressed.
func (q *IQ) Own() bool { return q.Session != nil && q.Session.account == q.Account }

// Route sends another stanza on its way, before the answer.
func (q *IQ) Route(st *stanza.Stanza) { q.Host.router.RouteIn(q.batch, st) }

// Deliver gives a stanza to one session, past all rules and stages, before the answer.
func (q *IQ) Deliver(to *Bound, st *stanza.Stanza) { to.deliver(q.batch, st) }

// Own lets h answer an account's own sessions only; others get what a namespace that
// nobody handles gets.
func Own(h IQHandler) IQHandler {
	return func(ctx context.Context, q *IQ) (*stanza.Element, error) {
		if !q.Own() {
			return nil, stanza.ServiceUnavailable("")
		}
		return h(ctx, q)
	}
}

// iqToHost is for IQs to the domain, with a resource or without.
func (h *Host) iqToHost(b *Batch, st *stanza.Stanza) {
	switch {
	case !wellFormed(st):
		h.router.Bounce(b, st, stanza.BadRequest(""))
	case !st.IsRequest():
		h.router.Counters.Dropped.Add(1) // RFC 6120 §8.2.3: nobody asked
	case st.To.IsFull(): // a resource of the domain: there are none
		h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
	default:
		h.answer(b, nil, st, b.sender(st))
	}
}

// iqToAccount is for IQs to an account or to one of its sessions.
func (h *Host) iqToAccount(b *Batch, a *Account, st *stanza.Stanza) {
	switch {
	case !wellFormed(st):
		h.router.Bounce(b, st, stanza.BadRequest(""))
	case st.To.IsFull():
		h.iqToSession(b, a, st)
	case !st.IsRequest():
		h.router.Counters.Dropped.Add(1) // RFC 6120 §8.2.3: nobody asked
	default:
		p := h.newPass(b, a, st)
		defer p.free()
		p.Session = b.sender(st)
		if own := p.Session != nil && p.Session.account == a; own || h.run(p, inbound) {
			h.answer(b, a, st, p.Session)
		}
	}
}

// iqToNobody answers as for an account that has nothing to say (RFC 6121 §8.5.1).
func (h *Host) iqToNobody(b *Batch, st *stanza.Stanza) {
	switch {
	case !wellFormed(st):
		h.router.Bounce(b, st, stanza.BadRequest(""))
	case st.IsRequest():
		h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
	default:
		h.router.Counters.Dropped.Add(1)
	}
}

// wellFormed is RFC 6120 §8.2.3: an id, a known type, and one child in a request.
func wellFormed(st *stanza.Stanza) bool {
	switch st.Type {
	case stanza.TypeResult, stanza.TypeError:
		return true
	case stanza.TypeGet, stanza.TypeSet:
		children := 0
		for range st.Tree().Elements() {
			children++
		}
		return st.ID != "" && children == 1
	}
	return false
}

// iqToSession is for full addresses (RFC 6121 §8.5.3).
func (h *Host) iqToSession(b *Batch, a *Account, st *stanza.Stanza) {
	to := a.Session(st.To)
	switch {
	case to == nil && !st.IsRequest():
		return
	case to == nil, st.IsRequest() && !h.mayAsk(b, to, st):
		// The same answer whether the session is there or not (RFC 6121 §11).
		h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
		return
	}
	p := h.newPass(b, a, st)
	defer p.free()
	p.Session = b.sender(st)
	if h.run(p, inbound) {
		to.deliver(b, p.Stanza)
	}
}

// mayAsk is RFC 6121 §8.5.3.1: a request reaches a session only where the requester may
// see its presence. A roster push comes from the account itself or not at all (§2.1.6).
func (h *Host) mayAsk(b *Batch, to *Bound, st *stanza.Stanza) bool {
	account := to.account
	if st.Type == stanza.TypeSet && st.Payload1().Space == nsRoster {
		return st.From == account.jid
	}
	if st.From.Bare() == account.jid || st.From == h.domain || to.knows(st.From) {
		return true
	}
	return h.presence == nil || h.presence.Shares(b.context(), account, st.From)
}

// answer answers on behalf of the host (no account) or of an account (RFC 6121 §8.5.2).
func (h *Host) answer(b *Batch, a *Account, st *stanza.Stanza, session *Bound) {
	q := &IQ{Stanza: st, Payload: st.Payload1(), Host: h, Session: session, Account: a, batch: b}
	to := toAccount
	if a == nil {
		to = toHost
	}
	handler := h.handlers[to][q.Payload.Space]
	if handler == nil {
		h.router.Bounce(b, st, stanza.ServiceUnavailable("")) // RFC 6121 §8.5.2.1.3
		return
	}
	answer, err := handler(b.context(), q)
	switch {
	case errors.Is(err, ErrAnswered):
	case err != nil:
		h.router.Bounce(b, st, h.condition(err, q.Payload.Space))
	default:
		h.router.RouteIn(b, st.Result(answer))
	}
}
