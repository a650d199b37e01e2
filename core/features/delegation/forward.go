package delegation

import (
	"context"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// senderShare is which part of the questions that the host could still ask one sender's requests may be.
const senderShare = 8

// delegate implements router.Delegate. Accounts cannot delegate what the configuration delegates.
func (d *Delegation) delegate(ctx context.Context, q *router.IQ) bool {
	if g, ok := d.grantFor(ctx, q); ok {
		if q.Stanza.From.Domain() == g.By.Domain() || q.By.Domain() == g.By.Domain() { // XEP-0355 §4.3.1
			return false
		}
		d.forward(g, q, d.space(g.By))
		return true
	}
	if d.consents == nil {
		return false
	}
	g, ok := d.consents.grant(q)
	if ok {
		d.forward(g, q, NS)
	}
	return ok
}

// grantFor returns the grant that a request falls under.
func (d *Delegation) grantFor(ctx context.Context, q *router.IQ) (Grant, bool) {
	switch space := q.Payload.Space; space {
	case disco.NSInfo, disco.NSItems:
		return d.discoGrant(ctx, q)
	default:
		g, ok := d.grants[space]
		for _, name := range g.Attributes {
			if _, has := q.Payload.LookupAttr("", name); !has { // XEP-0355 §4.3 N.B.3
				return Grant{}, false
			}
		}
		return g, ok
	}
}

// discoGrant returns the grant for what nobody else knows about an account (XEP-0355 §7.2.4, §7.2.5). Who may not see the account's
// presence gets the same answer as for an address without an account (XEP-0030 §8).
func (d *Delegation) discoGrant(ctx context.Context, q *router.IQ) (Grant, bool) {
	name := NS + bareInfo
	if q.Payload.Space == disco.NSItems {
		name = NS + bareItems
	}
	g, ok := d.grants[name]
	if !ok || q.Account == nil || q.Stanza.Type != stanza.TypeGet || d.discovery == nil {
		return Grant{}, false
	}
	visible, known := d.discovery.Answers(ctx, q)
	if !visible {
		return Grant{}, false
	}
	if q.Payload.Attr("node") == "" {
		return g, q.Payload.Space == disco.NSItems
	}
	return g, !known
}

// forward sends a request to the entity that manages it, which speaks one version of the protocol, and its answer to the sender (XEP-0355 §4.3).
func (d *Delegation) forward(g Grant, q *router.IQ, space string) {
	request := q.Stanza.Copy()
	sender := d.counted(request.From)
	if !d.begin(sender) {
		q.Route(request.ErrorReply(stanza.ResourceConstraint("too many requests wait for an answer")))
		return
	}
	wrapped := stanza.NewElement(space, "delegation").Add(stanza.NewElement(nsForward, "forwarded").Add(request.Element()))
	st := stanza.NewIQ(g.By, d.host.Domain(), stanza.TypeSet, wrapped)
	asked := d.host.Request(st, q.Route, func(answer *stanza.Stanza, route func(*stanza.Stanza)) {
		d.end(sender)
		route(result(request, answer, space))
	})
	if !asked {
		d.end(sender)
		q.Route(request.ErrorReply(stanza.ResourceConstraint("")))
	}
}

// result returns the stanza that answers a request: what the component has answered, if that is a result for just this request, or else an
// error (XEP-0355 §4.3).
func result(request, answer *stanza.Stanza, space string) *stanza.Stanza {
	unavailable := request.ErrorReply(stanza.ServiceUnavailable(""))
	if answer == nil || answer.Type != stanza.TypeResult {
		return unavailable
	}
	x := answer.Child(space, "delegation").Child(nsForward, "forwarded").Child(stanza.NSClient, "iq")
	if x == nil || x.Attr("id") != request.ID || x.Attr("type") != stanza.TypeResult ||
		!is(x, "to", request.From) || x.Attr("from") != "" && !is(x, "from", request.To) {
		return unavailable
	}
	var payload []*stanza.Element
	for e := range x.Elements() {
		payload = append(payload, e)
	}
	if len(payload) > 1 { // RFC 6120 §8.2.3
		return unavailable
	}
	return request.Result(payload...)
}

// is reports whether an attribute is an address. A request without a receiver is one to the account of the sender.
func is(x *stanza.Element, attr string, address jid.JID) bool {
	j, err := jid.Parse(x.Attr(attr))
	if err != nil {
		return false
	}
	return j == address || address.IsZero()
}

// space returns the version of the protocol that a component speaks.
func (d *Delegation) space(by jid.JID) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.component(by).space
}

// counted is whose requests are counted together: those of an account, or of another server, which can make up as many addresses as it likes.
func (d *Delegation) counted(from jid.JID) jid.JID {
	if d.host.Router().Serves(from) {
		return from.Bare()
	}
	return from.Host()
}

// begin counts a request of a sender that waits; false if there are too many. A sender has at most a share of what is left for all, so
// that some senders together leave room for another one whatever the limit is.
func (d *Delegation) begin(sender jid.JID) bool {
	limit, share := int(d.limit.Load()), d.host.Askable()/senderShare
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.waiting[sender]; limit > 0 && n >= limit || n >= share {
		d.crowded.Add(1)
		return false
	}
	d.waiting[sender]++
	return true
}

// end ends what begin began.
func (d *Delegation) end(sender jid.JID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting[sender]--; d.waiting[sender] <= 0 {
		delete(d.waiting, sender)
	}
}
