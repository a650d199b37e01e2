package pubsub

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Namespaces of XEP-0060.
const (
	NS      = "http://jabber.org/protocol/pubsub"
	NSOwner = "http://jabber.org/protocol/pubsub#owner"
	NSEvent = "http://jabber.org/protocol/pubsub#event"

	nsErrors         = "http://jabber.org/protocol/pubsub#errors"
	nsConfig         = "http://jabber.org/protocol/pubsub#node_config"
	nsPublishOptions = "http://jabber.org/protocol/pubsub#publish-options"
	nsOptions        = "http://jabber.org/protocol/pubsub#subscribe_options"
	nsAuthorization  = "http://jabber.org/protocol/pubsub#subscribe_authorization"
	nsMetadata       = "http://jabber.org/protocol/pubsub#meta-data"
)

// MaxName is the maximum length of the name of a node and of the id of an item, in bytes.
const MaxName = 1023

// Affiliation is what an entity may do at a node (XEP-0060 §4.1).
type Affiliation string

// The affiliations.
const (
	Owner       Affiliation = "owner"
	Publisher   Affiliation = "publisher"
	PublishOnly Affiliation = "publish-only"
	Member      Affiliation = "member"
	Outcast     Affiliation = "outcast"
	None        Affiliation = "none"
)

func (a Affiliation) known() bool {
	switch a {
	case Owner, Publisher, PublishOnly, Member, Outcast, None:
		return true
	}
	return false
}

// State is the state of a subscription (XEP-0060 §4.2).
type State string

// The states; a subscription that ends is NotSubscribed.
const (
	Subscribed    State = "subscribed"
	Pending       State = "pending"
	NotSubscribed State = "none"
)

// Subscription is one entity's subscription to a node.
type Subscription struct {
	JID   jid.JID // bare or full
	ID    string
	State State
	Mute  bool // pubsub#deliver is false: nothing is sent
}

// Item is a published item.
type Item struct {
	ID        string
	Publisher jid.JID // bare
	Payload   string  // XML of one element, or ""
	At        time.Time
}

// Node is a leaf node without its items. It is immutable.
type Node struct {
	Name          string
	Config        Config
	Creator       jid.JID // bare
	Created       time.Time
	Affiliations  map[jid.JID]Affiliation // by bare JID; the account itself is not in it
	Subscriptions []Subscription
}

// Nodes is what is known about a service. It is immutable; nil, like the zero value, is a service without nodes.
type Nodes struct {
	byName map[string]*Node
	bytes  int64 // at least the size of all items; see Engine.fits
	// shares are the same by the creator of the node, at a domain; see Engine.fitsShare.
	shares map[jid.JID]int64
	order  *order // of byName; nil in the zero value
}

// order is the nodes by name, made when somebody asks for it first.
type order struct {
	once sync.Once
	list []*Node
}

// NewNodes returns the nodes of a service, whose items have so many bytes together.
func NewNodes(list []*Node, bytes int64) *Nodes {
	n := &Nodes{byName: make(map[string]*Node, len(list)), bytes: bytes, order: &order{}}
	for _, node := range list {
		n.byName[node.Name] = node
	}
	return n
}

// Get returns a node, or nil.
func (n *Nodes) Get(name string) *Node {
	if n == nil {
		return nil
	}
	return n.byName[name]
}

// Len returns the number of nodes.
func (n *Nodes) Len() int {
	if n == nil {
		return 0
	}
	return len(n.byName)
}

// All returns the nodes by name. The list must not be modified.
func (n *Nodes) All() []*Node {
	if n == nil || n.order == nil {
		return nil
	}
	n.order.once.Do(func() {
		n.order.list = slices.SortedFunc(maps.Values(n.byName), func(a, b *Node) int { return strings.Compare(a.Name, b.Name) })
	})
	return n.order.list
}

// with returns a copy in which a node has another value; nil removes it.
func (n *Nodes) with(name string, node *Node) *Nodes {
	c := &Nodes{byName: map[string]*Node{}, order: &order{}}
	if n != nil {
		c.bytes, c.shares = n.bytes, n.shares
		maps.Copy(c.byName, n.byName)
	}
	if node == nil {
		delete(c.byName, name)
	} else {
		c.byName[name] = node
	}
	return c
}

// Without returns the nodes without the affiliations and subscriptions of an entity; n itself if it has none.
func (n *Nodes) Without(j jid.JID) *Nodes { return n.without(j, false) }

// without is Without; with owned, nodes that only the entity owns are removed.
func (n *Nodes) without(j jid.JID, owned bool) *Nodes {
	after := n
	for _, node := range n.All() {
		if owned && node.Affiliations[j] == Owner && node.owners() == 1 {
			after = after.with(node.Name, nil)
			continue
		}
		if _, ok := node.Affiliations[j]; ok || slices.ContainsFunc(node.Subscriptions, func(s Subscription) bool { return s.JID.Bare() == j }) {
			after = after.with(node.Name, node.withAffiliation(j, None).withoutSubscriptions(j))
		}
	}
	return after
}

// withBytes returns a copy with another size of the items.
func (n *Nodes) withBytes(bytes int64) *Nodes {
	if n == nil || n.bytes == bytes {
		return n
	}
	return &Nodes{n.byName, bytes, n.shares, n.order}
}

// withShare returns a copy with another size of the items at the nodes of one creator.
func (n *Nodes) withShare(creator jid.JID, bytes int64) *Nodes {
	c := &Nodes{n.byName, n.bytes, maps.Clone(n.shares), n.order}
	if c.shares == nil {
		c.shares = map[jid.JID]int64{}
	}
	c.shares[creator] = bytes
	return c
}

// Affiliation returns the affiliation of an entity, without regard to its resource.
func (n *Node) Affiliation(j jid.JID) Affiliation {
	if a, ok := n.Affiliations[j.Bare()]; ok {
		return a
	}
	return None
}

// subscription returns the subscription of exactly that JID, or nil.
func (n *Node) subscription(j jid.JID) *Subscription {
	for i := range n.Subscriptions {
		if n.Subscriptions[i].JID == j {
			return &n.Subscriptions[i]
		}
	}
	return nil
}

// subscribed reports whether an entity, by its bare or a full JID, has a subscription that is not pending.
func (n *Node) subscribed(j jid.JID) bool {
	return slices.ContainsFunc(n.Subscriptions, func(s Subscription) bool {
		return s.State == Subscribed && s.JID.Bare() == j.Bare()
	})
}

// withSubscription returns a copy with a subscription added or replaced; state NotSubscribed removes it.
func (n *Node) withSubscription(s Subscription) *Node {
	c := *n
	c.Subscriptions = slices.DeleteFunc(slices.Clone(n.Subscriptions), func(o Subscription) bool { return o.JID == s.JID })
	if s.State != NotSubscribed {
		c.Subscriptions = append(c.Subscriptions, s)
	}
	return &c
}

// withAffiliation returns a copy with an affiliation set; None removes it.
func (n *Node) withAffiliation(j jid.JID, a Affiliation) *Node {
	c := *n
	c.Affiliations = maps.Clone(n.Affiliations)
	if c.Affiliations == nil {
		c.Affiliations = map[jid.JID]Affiliation{}
	}
	if a == None {
		delete(c.Affiliations, j)
	} else {
		c.Affiliations[j] = a
	}
	return &c
}

// owners counts the entities with that affiliation.
func (n *Node) owners() int {
	count := 0
	for _, a := range n.Affiliations {
		if a == Owner {
			count++
		}
	}
	return count
}

// createdBy returns the number of nodes that an entity has created.
func (n *Nodes) createdBy(creator jid.JID) (count int) {
	for _, node := range n.All() {
		if node.Creator == creator {
			count++
		}
	}
	return count
}
