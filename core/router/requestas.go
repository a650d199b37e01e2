package router

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Delegate passes a request on to an entity that answers it in place of the handlers (XEP-0355). It returns false if the
// handlers are to answer. It runs in the sender's goroutine and must not block.
type Delegate func(ctx context.Context, q *IQ) bool

// Delegate sets the Delegate of the host. Call it before the host is attached.
func (h *Host) Delegate(f Delegate) { h.requests.delegate = f }

// RequestAs sends a request in the name of the account that q is addressed to, which no session of it does (XEP-0356 §6): as for
// a request of a session, the outbound stages run and it is delivered. The answer goes to answered. st was made by
// stanza.NewIQ, so that its id cannot be guessed. The returned error, of a stage or because too many requests wait, is for the
// sender of q: the account has sent nothing that could be refused.
func (q *IQ) RequestAs(st *stanza.Stanza, answered Answered) error {
	h, a := q.Host, q.Account
	p := h.newPass(q.batch, a, st)
	defer p.free()
	if where, err := h.runStages(p, outbound); errors.Is(err, ErrStop) {
		return stanza.ServiceUnavailable("")
	} else if err != nil {
		return h.errorFor(err, where)
	}
	by := q.Stanza.From
	if !h.Request(p.Stanza, func(st *stanza.Stanza) { h.routeAs(q.batch, a, by, st) }, answered) {
		return stanza.ResourceConstraint("too many requests wait for an answer")
	}
	return nil
}

// routeAs delivers a request in the name of an account, to which the account itself and the hosts of this server answer as to a
// session of it.
func (h *Host) routeAs(b *Batch, a *Account, by jid.JID, st *stanza.Stanza) {
	if st.To == a.jid {
		h.answerTo(b, toAccount, &IQ{Stanza: st, Host: h, Account: a, By: by, batch: b})
	} else if to := h.router.Host(st.To); to != nil && st.To.IsHost() {
		to.answerTo(b, toHost, &IQ{Stanza: st, Host: to, By: by, batch: b})
	} else {
		h.router.RouteIn(b, st)
	}
}
