package pubsub

import (
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Exported returns what an export of an account has of a node besides its items (XEP-0227 §4.9.1).
func (n *Node) Exported() []*stanza.Element {
	list := []*stanza.Element{stanza.NewElement(NSOwner, "configure").With("node", n.Name).Add(n.Config.form().Element())}
	if len(n.Affiliations) > 0 {
		x := stanza.NewElement(NSOwner, "affiliations").With("node", n.Name)
		for _, j := range slices.SortedFunc(maps.Keys(n.Affiliations), func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) }) {
			x.Add(stanza.NewElement(NSOwner, "affiliation").With("jid", j.String()).With("affiliation", string(n.Affiliations[j])))
		}
		list = append(list, x)
	}
	if len(n.Subscriptions) > 0 {
		x := stanza.NewElement(NSOwner, "subscriptions").With("node", n.Name)
		for i := range n.Subscriptions {
			x.Add(ownerSubscription(&n.Subscriptions[i]))
		}
		list = append(list, x)
	}
	return list
}

// ParseExported reads one element of Exported into a node, which has that name already if it is not new. Settings that are not known
// are left out; an access model that is not known becomes Whitelist, so that nobody sees what another server has not shown (XEP-0227
// §4.9.1). It returns false if the element is none of Exported.
func (n *Node) ParseExported(x *stanza.Element) bool {
	switch x.Local {
	case "configure":
		n.Config = AccountDefaults()
		n.Config.Access = Whitelist // if it says nothing else
		if given := x.Child(form.NS, "x"); given != nil {
			if f, err := form.Parse(given); err == nil {
				n.Config = n.Config.portable(f)
			}
		}
	case "affiliations":
		for a := range x.Named(NSOwner, "affiliation") {
			j, err := jid.Parse(strings.Clone(a.Attr("jid")))
			if value := Affiliation(strings.Clone(a.Attr("affiliation"))); err == nil && value.known() && value != None && len(n.Affiliations) < maxAffiliations {
				n.Affiliations = n.withAffiliation(j.Bare(), value).Affiliations
			}
		}
	case "subscriptions":
		for s := range x.Named(NSOwner, "subscription") {
			j, err := jid.Parse(strings.Clone(s.Attr("jid")))
			state := State(strings.Clone(s.Attr("subscription")))
			if err == nil && (state == Subscribed || state == Pending) && len(n.Subscriptions) < maxExported {
				id := strings.Clone(s.Attr("subid"))
				if id == "" || len(id) > MaxName {
					id = stanza.NewID()
				}
				n.Subscriptions = n.withSubscription(Subscription{JID: j, ID: id, State: state}).Subscriptions
			}
		}
	default:
		return false
	}
	return x.Space == NSOwner
}

// maxExported is how many subscriptions of a node are imported.
const maxExported = 1000

// portable returns the configuration with the values of a form of any server.
func (c Config) portable(f *form.Form) Config {
	for i := range f.Fields {
		field := f.Fields[i]
		changed, err := c.apply(&form.Form{Fields: []form.Field{field}})
		switch {
		case err == nil:
			c = changed
		case field.Var == "pubsub#access_model":
			c.Access = Whitelist
		case field.Var == "pubsub#max_items":
			c.MaxItems = Max
		}
	}
	return c
}

// Keep returns how many items the node keeps.
func (n *Node) Keep(l Limits) int { return n.Config.items(l) }
