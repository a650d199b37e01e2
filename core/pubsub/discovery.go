package pubsub

import (
	"context"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// features are those of XEP-0060 §10 that every service has.
var features = []string{
	"auto-create", "config-node", "config-node-max", "create-and-configure", "create-nodes", "delete-items", "delete-nodes", "instant-nodes",
	"item-ids", "manage-subscriptions", "member-affiliation", "meta-data", "modify-affiliations", "multi-items", "outcast-affiliation",
	"persistent-items", "publish", "publish-node-full", "publish-only-affiliation", "publish-options", "publisher-affiliation", "purge-nodes",
	"retract-items", "retrieve-affiliations", "retrieve-default", "retrieve-default-sub", "retrieve-items", "retrieve-subscriptions", "rsm",
	"subscribe", "subscription-notifications", "subscription-options",
}

// accountFeatures are those that need the presence of contacts.
var accountFeatures = []string{
	"auto-subscribe", "filtered-notifications", "last-published", "presence-notifications", "presence-subscribe",
}

// Discovery returns what a service shows about itself in service discovery.
func (e *Engine) Discovery() disco.Info {
	list := []string{NS, NS + "#access-" + string(e.Defaults().Access)} // the default one (XEP-0060 §10)
	for _, f := range features {
		list = append(list, NS+"#"+f)
	}
	if !e.Accounts {
		list = append(list, NS+"#get-pending") // by the commands of package spaces
		return disco.Info{Identities: []disco.Identity{{Category: "pubsub", Type: "service"}}, Features: list}
	}
	for _, f := range accountFeatures {
		list = append(list, NS+"#"+f)
	}
	return disco.Info{Identities: []disco.Identity{{Category: "pubsub", Type: "pep"}}, Features: list} // XEP-0163 §6.1
}

// DiscoInfo implements disco.Source for the nodes of q.To.
func (e *Engine) DiscoInfo(ctx context.Context, q disco.Query) (disco.Info, error) {
	n, err := e.visible(ctx, q)
	if err != nil {
		return disco.Info{}, err
	}
	f := form.New(form.Result, nsMetadata, "")
	for i := range settings {
		if s := &settings[i]; s.metadata {
			if v := s.get(&n.Config); len(v) > 0 {
				f.Add(form.Field{Var: s.name, Type: s.kind, Label: s.label, Values: v})
			}
		}
	}
	f.Text("pubsub#creation_date", "When the node was created", n.Created.UTC().Format(time.RFC3339))
	f.Text("pubsub#creator", "Who created the node", n.Creator.String())
	var owners []string
	for _, j := range e.owners(q.To, n) {
		owners = append(owners, j.String())
	}
	f.Add(form.Field{Var: "pubsub#owner", Type: form.JIDMulti, Values: owners})
	f.Text("pubsub#num_subscribers", "Number of subscribers", strconv.Itoa(len(n.Subscriptions)))
	return disco.Info{
		Identities: []disco.Identity{{Category: "pubsub", Type: "leaf", Name: n.Config.Title}},
		Features:   []string{NS}, Forms: []*form.Form{f},
	}, nil
}

// visible returns a node that the sender may know about. Others look as if they did not exist.
func (e *Engine) visible(ctx context.Context, q disco.Query) (*Node, error) {
	if q.Node == "" {
		return nil, stanza.ItemNotFound("")
	}
	nodes, err := e.Host.Nodes(ctx, q.To)
	if err != nil {
		return nil, err
	}
	n := nodes.Get(q.Node)
	if n == nil {
		return nil, stanza.ItemNotFound("")
	}
	shown, err := e.shows(ctx, q, n)
	if err != nil || !shown {
		return nil, stanza.ItemNotFound("")
	}
	return n, nil
}

// shows reports whether the sender may know that a node exists: whoever may subscribe, if only after approval.
func (e *Engine) shows(ctx context.Context, q disco.Query, n *Node) (bool, error) {
	rel, err := e.relation(ctx, q.To, n, q.From)
	if err != nil {
		return false, err
	}
	return n.admits(affiliation(q.To, n, q.From), true, rel) == nil, nil
}

// DiscoItems implements disco.Source: the nodes of a service, and the items of a node (XEP-0060 §5.2, §5.5).
func (e *Engine) DiscoItems(ctx context.Context, q disco.Query) ([]disco.Item, error) {
	if q.Node != "" {
		return e.itemNames(ctx, q)
	}
	nodes, err := e.Host.Nodes(ctx, q.To)
	if err != nil {
		return nil, err
	}
	var list []disco.Item
	for _, n := range nodes.All() {
		shown, err := e.shows(ctx, q, n)
		if err != nil {
			return nil, err
		}
		if shown {
			list = append(list, disco.Item{JID: q.To, Node: n.Name, Name: n.Config.Title})
		}
	}
	return list, nil
}

// itemNames lists the ids of a node's items for those who may retrieve them.
func (e *Engine) itemNames(ctx context.Context, q disco.Query) ([]disco.Item, error) {
	n, err := e.visible(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := e.mayRead(ctx, q.To, n, q.From); err != nil {
		return nil, err
	}
	all := paging.All()
	all.Max = e.Limits().Items
	page, err := e.Store.Items(ctx, q.To, Query{Node: n.Name, Page: all, After: n.expired(), Bytes: NoPayload})
	if err != nil {
		return nil, err
	}
	var list []disco.Item
	for _, i := range page.Items {
		list = append(list, disco.Item{JID: q.To, Name: i.ID})
	}
	return list, nil
}
