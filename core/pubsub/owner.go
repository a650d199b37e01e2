package pubsub

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxModifications is how many affiliations or subscriptions one request may change.
const maxModifications = 100

// maxAffiliations is how many affiliations a node may have.
const maxAffiliations = 1000

// create handles the creation of a node (XEP-0060 §8.1).
func (e *Engine) create(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	if !e.mayCreate(ctx, r) {
		return "", stanza.Forbidden("") // XEP-0060 §8.1.2
	}
	nodes, err := e.Host.Nodes(ctx, r.Service)
	if err != nil {
		return "", err
	}
	name := strings.Clone(x.Attr("node")) // it is kept, and the stanza is not
	instant := name == ""
	if instant {
		name = stanza.NewID() // XEP-0060 §8.1.2: an instant node
	}
	if nodes.Get(name) != nil {
		return "", stanza.Conflict("")
	}
	if err := e.roomForNode(r, nodes, name); err != nil {
		return "", err
	}
	c := e.Defaults()
	if configure := r.Payload.Child(NS, "configure"); configure != nil { // XEP-0060 §8.1.3
		f, _, err := submitted(configure, nsConfig)
		if err != nil {
			return "", err
		}
		if f != nil {
			if c, err = e.acceptable(c.apply(f)); err != nil {
				return "", notAcceptable(err)
			}
		}
	}
	n := e.created(r, name, c)
	if err := e.Store.Write(ctx, r.Service, &Change{Node: name, Put: n, Create: true, Affiliations: n.Affiliations}); err != nil {
		return "", gone(err)
	}
	e.Host.Change(r.Service, func(nodes *Nodes) *Nodes { return nodes.with(name, n) })
	if !instant {
		return "", nil
	}
	return stanza.NewElement(NS, "pubsub").Add(stanza.NewElement(NS, "create").With("node", name)).String(), nil
}

// notAcceptable turns the error of a form into that of the request (XEP-0060 §8.2.5.2).
func notAcceptable(err error) error {
	if f, ok := err.(*form.FieldError); ok {
		return f.Stanza()
	}
	return err
}

// getConfig answers with the configuration form of a node (XEP-0060 §8.2).
func (e *Engine) getConfig(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.owned(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	c := stanza.NewElement(NSOwner, "configure").With("node", n.Name).Add(n.Config.form().Element())
	return stanza.NewElement(NSOwner, "pubsub").Add(c).String(), nil
}

// defaultConfig answers with the configuration of a new node (XEP-0060 §8.3).
func (e *Engine) defaultConfig(context.Context, *Request, *stanza.Element) (answer, error) {
	c := e.Defaults()
	return stanza.NewElement(NSOwner, "pubsub").Add(stanza.NewElement(NSOwner, "default").Add(c.form().Element())).String(), nil
}

// setConfig changes the configuration of a node (XEP-0060 §8.2.4).
func (e *Engine) setConfig(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.owned(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	f, cancelled, err := submitted(x, nsConfig)
	switch {
	case err != nil || cancelled:
		return "", err
	case f == nil:
		return "", stanza.BadRequest("there is no form")
	}
	after := *n
	if after.Config, err = e.acceptable(n.Config.apply(f)); err != nil {
		return "", notAcceptable(err)
	}
	if err := e.Store.Write(ctx, r.Service, &Change{Node: n.Name, Put: &after}); err != nil {
		return "", gone(err)
	}
	e.Host.Change(r.Service, func(nodes *Nodes) *Nodes { return nodes.with(n.Name, &after) })
	if after.Config.NotifyConfig {
		e.notify(ctx, r.sender(), &after, after.configuration())
	}
	return "", nil
}

// configuration returns the content of a notification about a node's configuration (XEP-0060 §8.2.5.3).
func (n *Node) configuration() string {
	c := stanza.NewElement(NSEvent, "configuration").With("node", n.Name)
	if n.Config.Payloads {
		f := n.Config.form()
		f.Kind = form.Result
		c.Add(f.Element())
	}
	return string(c.Append(nil, NSEvent))
}

// getSubscriptions lists the subscriptions to a node (XEP-0060 §8.8.1).
func (e *Engine) getSubscriptions(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.owned(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	list := stanza.NewElement(NSOwner, "subscriptions").With("node", n.Name)
	for i := range n.Subscriptions {
		list.Add(ownerSubscription(&n.Subscriptions[i]))
	}
	return stanza.NewElement(NSOwner, "pubsub").Add(list).String(), nil
}

func ownerSubscription(s *Subscription) *stanza.Element {
	return stanza.NewElement(NSOwner, "subscription").With("jid", s.JID.String()).With("subid", s.ID).With("subscription", string(s.State))
}

// setSubscriptions changes subscriptions to a node (XEP-0060 §8.8.2). A request with an invalid entry changes nothing.
func (e *Engine) setSubscriptions(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.owned(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	wanted, err := e.readSubscriptions(n, x, r.Stanza.From.Bare())
	if err != nil {
		return "", err
	}
	for _, s := range wanted {
		if old := n.subscription(s.JID); old == nil && s.State == NotSubscribed || old != nil && old.State == s.State {
			continue
		}
		if err := e.moveSubscription(ctx, r, n, s, s.State); err != nil {
			return "", err
		}
		n = n.withSubscription(s)
	}
	return "", nil
}

// readSubscriptions reads the entries of an owner's request to change subscriptions. Nobody is subscribed without having asked:
// whoever publishes could send messages to any number of strangers.
func (e *Engine) readSubscriptions(n *Node, x *stanza.Element, owner jid.JID) ([]Subscription, error) {
	var list []Subscription
	more := 0
	for s := range x.Named(NSOwner, "subscription") {
		state := State(s.Attr("subscription"))
		if state == "" { // XEP-0060 §8.8.2.1: it stays as it is
			continue
		}
		j, err := jid.Parse(strings.Clone(s.Attr("jid")))
		switch {
		case err != nil:
			return nil, stanza.JIDMalformed("")
		case state != Subscribed && state != Pending && state != NotSubscribed || len(list) == maxModifications:
			return nil, stanza.NotAcceptable("")
		}
		next := Subscription{JID: j, ID: stanza.NewID(), State: state}
		if old := n.subscription(j); old != nil {
			next = *old
			next.State = state
		} else if state != NotSubscribed && j.Bare() != owner {
			return nil, stanza.NotAcceptable("")
		} else if state != NotSubscribed {
			more++
		}
		list = append(list, next)
	}
	if len(n.Subscriptions)+more > e.Limits().Subscriptions {
		e.Counters.Subscriptions.Add(1)
		return nil, with(stanza.PolicyViolation(""), "too-many-subscriptions")
	}
	return list, nil
}

// getAffiliations lists the affiliations of a node (XEP-0060 §8.9.1).
func (e *Engine) getAffiliations(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.owned(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	list := stanza.NewElement(NSOwner, "affiliations").With("node", n.Name)
	if e.Accounts {
		list.Add(ownerAffiliation(r.Service, Owner))
	}
	all := slices.SortedFunc(maps.Keys(n.Affiliations), func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	for _, j := range all {
		list.Add(ownerAffiliation(j, n.Affiliations[j]))
	}
	return stanza.NewElement(NSOwner, "pubsub").Add(list).String(), nil
}

func ownerAffiliation(j jid.JID, a Affiliation) *stanza.Element {
	return stanza.NewElement(NSOwner, "affiliation").With("jid", j.String()).With("affiliation", string(a))
}

// setAffiliations changes affiliations of a node (XEP-0060 §8.9.2). A request with an invalid entry changes nothing.
func (e *Engine) setAffiliations(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.owned(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	changes := map[jid.JID]Affiliation{}
	for a := range x.Named(NSOwner, "affiliation") {
		value := Affiliation(a.Attr("affiliation"))
		if value == "" {
			continue
		}
		j, err := jid.Parse(strings.Clone(a.Attr("jid")))
		switch {
		case err != nil:
			return "", stanza.JIDMalformed("")
		case !value.known() || len(changes) == maxModifications || e.Accounts && j.Bare() == r.Service:
			return "", stanza.NotAcceptable("")
		}
		changes[j.Bare()] = value
	}
	if len(changes) == 0 {
		return "", nil
	}
	after := n
	for j, a := range changes {
		after = after.withAffiliation(j, a)
		if a == Outcast { // XEP-0060 §8.9.2.4: it loses its subscriptions
			after = after.withoutSubscriptions(j)
		}
		if a == Owner || a == Publisher { // XEP-0060 §8.9.2.4: what it has asked for is granted
			after = after.approving(j)
		}
	}
	if !e.Accounts && after.owners() == 0 || len(after.Affiliations) > maxAffiliations { // XEP-0060 §8.9.2.4: one owner at least
		return "", stanza.NotAcceptable("")
	}
	c := &Change{Node: n.Name, Affiliations: changes, Subscriptions: moved(n, after)}
	if err := e.Store.Write(ctx, r.Service, c); err != nil {
		return "", gone(err)
	}
	e.Host.Change(r.Service, func(nodes *Nodes) *Nodes { return nodes.with(n.Name, after) })
	for i := range c.Subscriptions {
		r.Route(subscriptionChange(r.Service, n.Name, &c.Subscriptions[i]))
	}
	return "", nil
}

// withoutSubscriptions returns a copy without the subscriptions of an entity.
func (n *Node) withoutSubscriptions(j jid.JID) *Node {
	c := *n
	c.Subscriptions = slices.DeleteFunc(slices.Clone(n.Subscriptions), func(s Subscription) bool { return s.JID.Bare() == j })
	return &c
}

// approving returns a copy in which no subscription of an entity is pending.
func (n *Node) approving(j jid.JID) *Node {
	c := *n
	c.Subscriptions = slices.Clone(n.Subscriptions)
	for i := range c.Subscriptions {
		if s := &c.Subscriptions[i]; s.JID.Bare() == j {
			s.State = Subscribed
		}
	}
	return &c
}

// moved returns the subscriptions whose state a change sets; those that it ends are NotSubscribed.
func moved(before, after *Node) []Subscription {
	var list []Subscription
	for _, s := range before.Subscriptions {
		now := after.subscription(s.JID)
		switch {
		case now == nil:
			s.State = NotSubscribed
			list = append(list, s)
		case now.State != s.State:
			list = append(list, *now)
		}
	}
	return list
}
