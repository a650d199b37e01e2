package privilege

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// refused answers requests that are addressed to nobody in whose name something can be sent (XEP-0356 §6.3).
func refused(context.Context, *router.IQ) (*stanza.Element, error) { return nil, stanza.Forbidden("") }

// toSession refuses what an entity sends in an account's name if it is addressed to a session of it (XEP-0356 §6.3): the client
// would get it.
func toSession(_ context.Context, p *router.Pass) error {
	st := p.Stanza
	if st.Kind == stanza.IQ && st.To.IsFull() && st.IsRequest() && st.MayHave(NS, "privileged_iq") && st.FirstChild().Is(NS, "privileged_iq") {
		return stanza.Forbidden("this goes to the account, not to a session of it")
	}
	return nil
}

// request sends the request that a privileged domain has wrapped in one to an account (XEP-0356 §6.3). Whoever has no such
// privilege gets the same answer for every address.
func (p *Privileges) request(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	by := q.Stanza.From
	may := p.of(by)
	if !q.Payload.Is(NS, "privileged_iq") || len(may.Requests) == 0 {
		return nil, stanza.Forbidden("")
	}
	inner, err := unwrapRequest(q, may.Requests)
	if err != nil {
		return nil, err
	}
	if !p.begin(by) {
		return nil, stanza.ResourceConstraint("too many requests wait for an answer")
	}
	id := inner.ID
	inner.ID = stanza.NewID() // so that nobody but the receiver can answer
	original := q.Stanza.Copy()
	err = q.RequestAs(inner, func(answer *stanza.Stanza, route func(*stanza.Stanza)) {
		p.end(by)
		route(wrapAnswer(original, answer, id))
	})
	if err != nil {
		p.end(by)
		return nil, err
	}
	return nil, router.ErrAnswered
}

// unwrapRequest returns the request in the name of an account.
func unwrapRequest(q *router.IQ, allowed map[string]Access) (*stanza.Stanza, error) {
	account := q.Account.JID()
	x, n := (*stanza.Element)(nil), 0
	for e := range q.Payload.Elements() {
		x = e
		n++
	}
	if n != 1 || !x.Is(stanza.NSClient, "iq") {
		return nil, stanza.Forbidden("there is no request in jabber:client")
	}
	if from, given := x.LookupAttr("", "from"); given {
		if j, err := jid.Parse(from); err != nil || j != account {
			return nil, stanza.Forbidden("the sender is not the account")
		}
	}
	inner, err := stanza.FromElement(x)
	if err != nil {
		return nil, stanza.JIDMalformed("")
	}
	payload := inner.FirstChild()
	switch {
	case inner.Type != q.Stanza.Type:
		return nil, stanza.Forbidden("the types of the two requests differ")
	case payload == nil || !allowed[payload.Space].allows(inner.Type):
		return nil, stanza.Forbidden("this request is not among the privileges")
	case inner.ID == "" || countChildren(inner) != 1: // RFC 6120 §8.2.3
		return nil, stanza.BadRequest("")
	}
	inner.From = account
	if inner.To.IsZero() { // RFC 6120 §10.3.3
		inner.To = account
	}
	if inner.To.IsFull() && inner.To.Bare() == account {
		// Clients believe what comes from their account, such as a change of the roster. A session could not send that to another one.
		return nil, stanza.Forbidden("a session of the account is no receiver")
	}
	return inner, nil
}

func countChildren(st *stanza.Stanza) int {
	n := 0
	for range st.Tree().Elements() {
		n++
	}
	return n
}

// wrapAnswer returns the answer to the domain that has sent original, with the answer to the request in it (XEP-0356 §6.3).
// answer is nil if there was none; id is that of the request.
func wrapAnswer(original, answer *stanza.Stanza, id string) *stanza.Stanza {
	if answer == nil {
		return original.ErrorReply(stanza.RemoteServerTimeout("there was no answer"))
	}
	inner := answer.Copy()
	inner.ID = id
	forwarded := stanza.NewElement(nsForward, "forwarded").Add(inner.Element())
	return original.Result(stanza.NewElement(NS, "privilege").Add(forwarded))
}

// begin counts a request of a domain that waits for an answer; false if there are too many.
func (p *Privileges) begin(domain jid.JID) bool {
	limit := p.limits.Load().Requests
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit > 0 && p.pending[domain] >= limit {
		p.crowded.Add(1)
		return false
	}
	p.pending[domain]++
	return true
}

// end ends what begin began.
func (p *Privileges) end(domain jid.JID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending[domain]--; p.pending[domain] <= 0 {
		delete(p.pending, domain)
	}
}
