package pubsub

import (
	"context"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Names of fields of the form by which owners decide about a subscription (XEP-0060 §16.4.1).
const (
	fieldNode       = "pubsub#node"
	fieldSubscriber = "pubsub#subscriber_jid"
	fieldSubID      = "pubsub#subid"
	fieldAllow      = "pubsub#allow"
)

// askOwners sends the owners of a node a request for a subscription (XEP-0060 §8.6).
func (e *Engine) askOwners(r *Request, n *Node, s Subscription) {
	f := s.authorization(n.Name)
	for _, to := range e.owners(r.Service, n) {
		r.Route(stanza.NewMessage(to, r.Service, "", f.Element()))
	}
}

// authorization returns the form by which an owner decides about a subscription.
func (s *Subscription) authorization(node string) *form.Form {
	f := form.New(form.Ask, nsAuthorization, "Subscription request")
	f.Add(form.Field{Var: fieldSubID, Type: form.Hidden, Values: []string{s.ID}})
	f.Text(fieldNode, "Node", node)
	f.Add(form.Field{Var: fieldSubscriber, Type: form.JIDSingle, Label: "Subscriber", Values: []string{s.JID.String()}})
	return f.Bool(fieldAllow, "Allow this address to subscribe?", false)
}

// Waiting lists the nodes of an owner that have subscriptions which wait for a decision. owns reports whether it owns any node.
func (e *Engine) Waiting(ctx context.Context, service, owner jid.JID) (list []string, owns bool, err error) {
	nodes, err := e.Host.Nodes(ctx, service)
	if err != nil {
		return nil, false, err
	}
	for _, n := range nodes.All() {
		if affiliation(service, n, owner) != Owner {
			continue
		}
		owns = true
		if slices.ContainsFunc(n.Subscriptions, func(s Subscription) bool { return s.State == Pending }) {
			list = append(list, n.Name)
		}
	}
	return list, owns, nil
}

// SendPending sends the sender of a request, which is an owner of the node, the subscriptions that wait for a decision (XEP-0060 §8.7). It
// returns how many there are.
func (e *Engine) SendPending(ctx context.Context, r *Request, node string) (count int, err error) {
	n, err := e.owned(ctx, r, node)
	if err != nil {
		return 0, err
	}
	for i := range n.Subscriptions {
		if s := &n.Subscriptions[i]; s.State == Pending {
			count++
			r.Route(stanza.NewMessage(r.Stanza.From, r.Service, "", s.authorization(n.Name).Element()))
		}
	}
	return count, nil
}

// owners lists the owners of a node.
func (e *Engine) owners(service jid.JID, n *Node) []jid.JID {
	var owners []jid.JID
	if e.Accounts {
		owners = append(owners, service)
	}
	for j, a := range n.Affiliations {
		if a == Owner {
			owners = append(owners, j)
		}
	}
	slices.SortFunc(owners, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	return owners
}

// notifyOwners tells the owners of a node that somebody else has subscribed or unsubscribed (XEP-0060 §8.2.1, pubsub#notify_sub). Who only asks to
// be subscribed is told by askOwners.
func (e *Engine) notifyOwners(r *Request, n *Node, s *Subscription) {
	if !n.Config.NotifySub || s.State == Pending {
		return
	}
	for _, to := range e.owners(r.Service, n) {
		if to != s.JID.Bare() {
			st := subscriptionChange(r.Service, n.Name, s)
			st.To = to
			r.Route(st)
		}
	}
}

// Decision reports whether a message to a service is an owner's decision about a subscription, which Decide handles.
func Decision(st *stanza.Stanza) bool {
	return st.Kind == stanza.Message && st.Type != stanza.TypeError && st.MayHave(form.NS, nsAuthorization) && decision(st) != nil
}

func decision(st *stanza.Stanza) *form.Form {
	f := form.Find(st.Tree(), nsAuthorization)
	if f == nil || f.Kind != form.Submit {
		return nil
	}
	return f
}

// Decide handles an owner's decision about a subscription (XEP-0060 §8.6). A decision of somebody else, or about a
// subscription that does not wait for one, is an error.
func (e *Engine) Decide(ctx context.Context, r *Request) error {
	f := decision(r.Stanza)
	if f == nil {
		return stanza.BadRequest("")
	}
	return e.inOrder(ctx, r.Service, func() error {
		n, err := e.owned(ctx, r, f.Get(fieldNode))
		if err != nil {
			return err
		}
		j, ok := f.JID(fieldSubscriber)
		if !ok {
			return stanza.JIDMalformed("")
		}
		s := n.subscription(j)
		if s == nil || s.State != Pending || f.Get(fieldSubID) != "" && f.Get(fieldSubID) != s.ID {
			return stanza.ItemNotFound("")
		}
		state := NotSubscribed
		if f.IsTrue(fieldAllow) {
			state = Subscribed
		}
		return e.moveSubscription(ctx, r, n, *s, state)
	})
}

// moveSubscription changes the state of a subscription and notifies the subscriber (XEP-0060 §8.6, §8.8.4).
func (e *Engine) moveSubscription(ctx context.Context, r *Request, n *Node, s Subscription, state State) error {
	s.State = state
	if _, err := e.setSubscription(ctx, r, n, s); err != nil {
		return err
	}
	r.Route(subscriptionChange(r.Service, n.Name, &s))
	return nil
}

// subscriptionChange returns the notification of a subscriber about the state of its subscription (XEP-0060 §12.14).
func subscriptionChange(service jid.JID, node string, s *Subscription) *stanza.Stanza {
	st := stanza.NewMessage(s.JID, service, stanza.TypeHeadline)
	st.Payload = "<event xmlns='" + NSEvent + "'>" + subscriptionXML(node, s) + "</event>"
	return st
}
