package pubsub

import (
	"context"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// subscriber reads the JID that a request is about: the sender's, with or without a resource (XEP-0060 §6.1.3.1).
func subscriber(r *Request, x *stanza.Element) (jid.JID, error) {
	text := x.Attr("jid")
	if text == "" {
		return jid.JID{}, with(stanza.BadRequest(""), "jid-required")
	}
	j, err := jid.Parse(strings.Clone(text)) // it is kept, and the stanza is not
	if err != nil || j.Bare() != r.Stanza.From.Bare() || j.IsFull() && j != r.Stanza.From {
		return jid.JID{}, with(stanza.BadRequest(""), "invalid-jid")
	}
	return j, nil
}

// subscribe handles a subscription (XEP-0060 §6.1).
func (e *Engine) subscribe(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	j, err := subscriber(r, x)
	if err != nil {
		return "", err
	}
	n, err := e.node(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	if old := n.subscription(j); old != nil && old.State == Pending {
		return "", with(stanza.NotAuthorized(""), "pending-subscription") // XEP-0060 §6.1.3.7
	}
	state, err := e.admit(ctx, r, n)
	if err != nil {
		return "", err
	}
	s := Subscription{JID: j, ID: stanza.NewID(), State: state}
	known := n.subscription(j)
	if known != nil { // XEP-0060 §6.1.6: there is one subscription for each JID
		s = *known
	}
	if options := r.Payload.Child(NS, "options"); options != nil { // XEP-0060 §6.3.7
		if s, err = s.configured(options); err != nil {
			return "", err
		}
	}
	if known == nil && len(n.Subscriptions) >= e.Limits().Subscriptions {
		e.Counters.Subscriptions.Add(1)
		return "", with(stanza.PolicyViolation(""), "too-many-subscriptions") // XEP-0060 §6.1.3.9
	}
	if known == nil || *known != s {
		if n, err = e.setSubscription(ctx, r, n, s); err != nil {
			return "", err
		}
	}
	if state == Pending && known == nil {
		e.askOwners(r, n, s)
	}
	xml := "<pubsub xmlns='" + NS + "'>" + subscriptionXML(n.Name, &s) + "</pubsub>"
	if state != Subscribed || n.Config.SendLast == never || !n.Config.Persist || known != nil {
		return xml, nil
	}
	return xml, e.Last(ctx, r.Service, n, j, r.Route) // XEP-0060 §6.1.7
}

// admit returns the state of a new subscription of the sender.
func (e *Engine) admit(ctx context.Context, r *Request, n *Node) (State, error) {
	a := affiliation(r.Service, n, r.Stanza.From)
	rel, err := e.relation(ctx, r.Service, n, r.Stanza.From)
	if err != nil {
		return NotSubscribed, err
	}
	pending := n.Config.Access == Authorize && a == None && !n.subscribed(r.Stanza.From)
	if refusal := n.admits(a, pending || n.subscribed(r.Stanza.From), rel); refusal != nil {
		return NotSubscribed, e.hide(n, refusal)
	}
	if !n.Config.Subscribe {
		return NotSubscribed, unsupported("subscribe") // XEP-0060 §6.1.3.10
	}
	if pending {
		return Pending, nil
	}
	return Subscribed, nil
}

// setSubscription stores a subscription; NotSubscribed ends it. It returns the changed node.
func (e *Engine) setSubscription(ctx context.Context, r *Request, n *Node, s Subscription) (*Node, error) {
	if err := e.Store.Write(ctx, r.Service, &Change{Node: n.Name, Subscriptions: []Subscription{s}}); err != nil {
		return nil, gone(err)
	}
	after := n.withSubscription(s)
	e.Host.Change(r.Service, func(nodes *Nodes) *Nodes { return nodes.with(n.Name, after) })
	if old := n.subscription(s.JID); old == nil || old.State != s.State {
		e.notifyOwners(r, after, &s)
	}
	return after, nil
}

func subscriptionXML(node string, s *Subscription) string {
	dst := stanza.AppendAttr([]byte("<subscription"), "node", node)
	dst = stanza.AppendAttr(dst, "jid", s.JID.String())
	dst = stanza.AppendAttr(dst, "subid", s.ID)
	return string(append(stanza.AppendAttr(dst, "subscription", string(s.State)), "/>"...))
}

// unsubscribe ends a subscription (XEP-0060 §6.2).
func (e *Engine) unsubscribe(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, s, err := e.mine(ctx, r, x)
	if err != nil {
		return "", err
	}
	s.State = NotSubscribed
	_, err = e.setSubscription(ctx, r, n, s)
	return "", err
}

// mine returns the subscription of the sender that a request is about.
func (e *Engine) mine(ctx context.Context, r *Request, x *stanza.Element) (*Node, Subscription, error) {
	var none Subscription
	if x.Attr("jid") == "" {
		return nil, none, with(stanza.BadRequest(""), "jid-required") // XEP-0060 §6.3.4.3
	}
	j, err := jid.Parse(x.Attr("jid"))
	if err != nil {
		return nil, none, with(stanza.BadRequest(""), "invalid-jid")
	}
	n, err := e.node(ctx, r, x.Attr("node"))
	if err != nil {
		return nil, none, err
	}
	if j.Bare() != r.Stanza.From.Bare() {
		return nil, none, e.hide(n, stanza.Forbidden("")) // XEP-0060 §6.2.3.3
	}
	s := n.subscription(j)
	if s == nil {
		return nil, none, e.hide(n, with(stanza.UnexpectedRequest(""), "not-subscribed")) // XEP-0060 §6.2.3.2
	}
	if id := x.Attr("subid"); id != "" && id != s.ID {
		return nil, none, with(stanza.NotAcceptable(""), "invalid-subid") // XEP-0060 §6.2.3.5
	}
	return n, *s, nil
}

// configured returns the subscription with the options of a form (XEP-0060 §6.3.5).
func (s Subscription) configured(options *stanza.Element) (Subscription, error) {
	f, _, err := submitted(options, nsOptions)
	if err != nil {
		return s, err
	}
	if f == nil {
		return s, nil
	}
	accepted, err := s.form().Accept(f)
	if err != nil {
		return s, with(stanza.BadRequest(""), "invalid-options")
	}
	if accepted.Has(optionDeliver) {
		s.Mute = !accepted.IsTrue(optionDeliver)
	}
	return s, nil
}

const optionDeliver = "pubsub#deliver"

// form returns the options of a subscription (XEP-0060 §16.4.2).
func (s *Subscription) form() *form.Form {
	return form.New(form.Ask, nsOptions, "").Bool(optionDeliver, "Whether notifications are delivered", !s.Mute)
}

// getOptions answers with the options of a subscription (XEP-0060 §6.3.2).
func (e *Engine) getOptions(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, s, err := e.mine(ctx, r, x)
	if err != nil {
		return "", err
	}
	o := stanza.NewElement(NS, "options").With("node", n.Name).With("jid", s.JID.String()).With("subid", s.ID)
	return stanza.NewElement(NS, "pubsub").Add(o.Add(s.form().Element())).String(), nil
}

// setOptions changes the options of a subscription (XEP-0060 §6.3.5).
func (e *Engine) setOptions(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, s, err := e.mine(ctx, r, x)
	if err != nil {
		return "", err
	}
	after, err := s.configured(x)
	if err != nil || after == s {
		return "", err
	}
	_, err = e.setSubscription(ctx, r, n, after)
	return "", err
}

// defaultOptions answers with the options of a new subscription (XEP-0060 §6.4).
func (e *Engine) defaultOptions(_ context.Context, _ *Request, x *stanza.Element) (answer, error) {
	d := stanza.NewElement(NS, "default").With("node", x.Attr("node")).Add((&Subscription{}).form().Element())
	return stanza.NewElement(NS, "pubsub").Add(d).String(), nil
}

// mySubscriptions lists the sender's subscriptions (XEP-0060 §5.6).
func (e *Engine) mySubscriptions(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	nodes, err := e.Host.Nodes(ctx, r.Service)
	if err != nil {
		return "", err
	}
	name := x.Attr("node")
	if name != "" && !e.Accounts && nodes.Get(name) == nil { // an account does not tell which nodes it has
		return "", errNoNode()
	}
	dst := stanza.AppendAttr([]byte("<pubsub xmlns='"+NS+"'><subscriptions"), "node", name)
	dst = append(dst, '>')
	for _, n := range nodes.All() {
		if name != "" && n.Name != name {
			continue
		}
		for i := range n.Subscriptions {
			if s := &n.Subscriptions[i]; s.JID.Bare() == r.Stanza.From.Bare() {
				dst = append(dst, subscriptionXML(n.Name, s)...)
			}
		}
	}
	return string(append(dst, "</subscriptions></pubsub>"...)), nil
}

// myAffiliations lists the sender's affiliations (XEP-0060 §5.7).
func (e *Engine) myAffiliations(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	nodes, err := e.Host.Nodes(ctx, r.Service)
	if err != nil {
		return "", err
	}
	list := stanza.NewElement(NS, "affiliations").With("node", x.Attr("node"))
	for _, n := range nodes.All() {
		if x.Attr("node") != "" && n.Name != x.Attr("node") {
			continue
		}
		if a := affiliation(r.Service, n, r.Stanza.From); a != None && (a != Outcast || !e.Accounts) { // an account does not tell which nodes it has
			list.Add(stanza.NewElement(NS, "affiliation").With("node", n.Name).With("affiliation", string(a)))
		}
	}
	return stanza.NewElement(NS, "pubsub").Add(list).String(), nil
}
