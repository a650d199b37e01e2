package router

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// The namespaces of the IQs by which a server tells a client what has changed: clients believe them.
const (
	nsRoster   = "jabber:iq:roster"
	nsBlocking = "urn:xmpp:blocking"
)

// ErrAnswered is returned by an IQHandler that has sent the answer itself.
var ErrAnswered = errors.New("request was answered")

// IQ is a request to the host or to one of its accounts.
type IQ struct {
	Stanza  *stanza.Stanza
	Payload *stanza.Element // its only child; must not be modified
	Host    *Host
	Session *Bound   // the sender's; nil if the sender is not a local session
	Account *Account // nil for a request to the host itself
	// By is the entity that sends the request in the name of the account that is its sender (RequestAs); zero if none does.
	By jid.JID

	batch *Batch
}

// IQHandler handles a request. It returns the payload of the result (nil for an empty result), a
// *stanza.Error for the sender, or another error, which is logged and answered with internal-server-error.
// It runs in the sender's goroutine and may wait for a commit; no later stanza of that sender is handled
// before it returns (RFC 6120 §10.1); see IQ.Gather for one that is handled with those that came with it.
//
// Requests to an account come from its own sessions and from everybody else; the handler checks IQ.Own. To
// others it must answer service-unavailable, or as the handler of Host.AnswerNobody does, wherever another answer would reveal that the
// account exists. It is not called for accounts that do not exist.
type IQHandler func(ctx context.Context, q *IQ) (*stanza.Element, error)

// target says to whom an IQ is addressed.
type target uint8

const (
	toHost target = iota
	toAccount
	toNobody     // an address without an account
	targets  int = iota
)

// Own reports whether the sender is the addressed account: one of its sessions, or an entity in its name, of which there is no
// Session.
func (q *IQ) Own() bool {
	if q.Session != nil {
		return q.Session.account == q.Account
	}
	return !q.By.IsZero() && q.Account != nil && q.Stanza.From == q.Account.jid
}

// Route routes another stanza, before the answer is sent.
func (q *IQ) Route(st *stanza.Stanza) { q.Host.router.RouteIn(q.batch, st) }

// Refuse answers the request with an error, as one that the handler returns: for requests that are answered later.
func (q *IQ) Refuse(err error) {
	q.Host.router.Bounce(q.batch, q.Stanza, q.Host.errorFor(err, q.Payload.Space))
}

// Deliver delivers a stanza to one session without applying rules or stages, before the answer is sent.
func (q *IQ) Deliver(to *Bound, st *stanza.Stanza) { to.deliver(q.batch, st) }

// Own returns a handler that calls h for the account itself only. Others get service-unavailable,
// as for a namespace without a handler.
func Own(h IQHandler) IQHandler {
	return func(ctx context.Context, q *IQ) (*stanza.Element, error) {
		if !q.Own() {
			return nil, stanza.ServiceUnavailable("")
		}
		return h(ctx, q)
	}
}

// OwnSession is Own for requests that are about the session that sends them.
func OwnSession(h IQHandler) IQHandler {
	return Own(func(ctx context.Context, q *IQ) (*stanza.Element, error) {
		if q.Session == nil {
			return nil, stanza.ServiceUnavailable("")
		}
		return h(ctx, q)
	})
}

// iqToHost handles IQs to the domain, with or without a resource.
func (h *Host) iqToHost(b *Batch, st *stanza.Stanza) {
	switch {
	case !wellFormed(st):
		h.router.Bounce(b, st, stanza.BadRequest(""))
	case !st.IsRequest():
		h.answered(b, st)
	case st.To.IsFull(): // a resource of the domain: there are none
		h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
	default:
		h.answer(b, nil, st, b.sender(st))
	}
}

// iqToAccount handles IQs to an account or to one of its sessions.
func (h *Host) iqToAccount(b *Batch, a *Account, st *stanza.Stanza) {
	switch {
	case !wellFormed(st):
		h.router.Bounce(b, st, stanza.BadRequest(""))
	case st.To.IsFull():
		h.iqToSession(b, a, st)
	case !st.IsRequest():
		h.answered(b, st)
	default:
		p := h.newPass(b, a, st)
		defer p.free()
		p.Session = b.sender(st)
		if own := p.Session != nil && p.Session.account == a; own || h.run(p, inbound) {
			h.answer(b, a, st, p.Session)
		}
	}
}

// iqToNobody answers as an account without a handler for the namespace would (RFC 6121 §8.5.1).
func (h *Host) iqToNobody(b *Batch, st *stanza.Stanza) {
	switch {
	case !wellFormed(st):
		h.router.Bounce(b, st, stanza.BadRequest(""))
	case st.IsRequest() && st.To.IsBare():
		h.answerTo(b, toNobody, &IQ{Stanza: st, Host: h, Session: b.sender(st), batch: b})
	case st.IsRequest():
		h.router.Bounce(b, st, stanza.ServiceUnavailable(""))
	default:
		h.router.Counters.Dropped.Add(1)
	}
}

// wellFormed checks RFC 6120 §8.2.3: a request has an id and exactly one child, and the type is known.
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

// iqToSession handles IQs to full JIDs (RFC 6121 §8.5.3).
func (h *Host) iqToSession(b *Batch, a *Account, st *stanza.Stanza) {
	to := a.Session(st.To)
	switch {
	case to == nil && !st.IsRequest():
		return
	case to == nil, st.IsRequest() && !h.mayQuery(b, to, st):
		// The answer is the same whether the session exists or not (RFC 6121 §11).
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

// mayQuery reports whether a request is delivered to a session: the sender must be allowed to see the
// session's presence (RFC 6121 §8.5.3.1), or be an account, component or gateway of this server, where clients and
// gateways ask each other. A roster push is accepted only from the account itself (RFC 6121
// §2.1.6), and so is a change of the block list (XEP-0191 §3.3).
func (h *Host) mayQuery(b *Batch, to *Bound, st *stanza.Stanza) bool {
	account := to.account
	if st.Type == stanza.TypeSet {
		switch st.FirstChild().Space {
		case nsRoster, nsBlocking:
			return st.From == account.jid
		}
	}
	if !h.strict.Requests && h.router.Serves(st.From) {
		return true
	}
	if st.From.Bare() == account.jid || st.From == h.domain || to.sentDirectedTo(st.From) {
		return true
	}
	return h.presence == nil || h.presence.Shares(b.context(), account, st.From)
}

// answer handles a request to the host (a is nil) or to an account (RFC 6121 §8.5.2).
func (h *Host) answer(b *Batch, a *Account, st *stanza.Stanza, session *Bound) {
	to := toAccount
	if a == nil {
		to = toHost
	}
	h.answerTo(b, to, &IQ{Stanza: st, Host: h, Session: session, Account: a, batch: b})
}

// answerTo calls the handler of a request.
func (h *Host) answerTo(b *Batch, to target, q *IQ) {
	st := q.Stanza
	q.Payload = st.FirstChild()
	if f := h.requests.delegate; f != nil && to != toNobody && f(b.context(), q) {
		return
	}
	handler := h.requests.handlers[to][q.Payload.Space]
	if handler == nil {
		h.router.Bounce(b, st, stanza.ServiceUnavailable("")) // RFC 6121 §8.5.2.1.3
		return
	}
	answer, err := handler(b.context(), q)
	switch {
	case errors.Is(err, ErrAnswered):
	case err != nil:
		h.router.Bounce(b, st, h.errorFor(err, q.Payload.Space))
	default:
		h.router.RouteIn(b, st.Result(answer))
	}
}
