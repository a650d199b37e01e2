package portable

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/nodes"
)

// NodePart is a part of what a node of the account is (XEP-0227 §4.9.1): an element of pubsub.Node.Exported.
type NodePart struct {
	Node string
	XML  *stanza.Element
}

// NodeItem is an item of a node of the account (XEP-0227 §4.9.2).
type NodeItem struct {
	Node string
	pubsub.Item
}

// itemsAtOnce is how many items of a node are read at once, and itemBytes about their size.
const (
	itemsAtOnce = 100
	itemBytes   = 4 << 20
)

// nodes reads the nodes of the account: first all of what they are, then the items.
func (e *exporter) nodes(ctx context.Context) error {
	table := nodes.Open(e.store)
	list, err := table.Nodes(ctx, e.account)
	if err != nil {
		return err
	}
	for _, n := range list.All() {
		for _, x := range n.Exported() {
			e.record(Record{Node: &NodePart{n.Name, x}})
		}
	}
	for _, n := range list.All() {
		page := paging.Request{Max: itemsAtOnce, Index: -1}
		for !e.stopped {
			got, err := table.Items(ctx, e.account, pubsub.Query{Node: n.Name, Page: page, Bytes: itemBytes, Uncounted: true})
			if err != nil {
				return err
			}
			if len(got.Items) == 0 {
				break
			}
			for _, i := range got.Items {
				e.record(Record{Item: &NodeItem{n.Name, i}})
			}
			page.After = got.Items[len(got.Items)-1].ID
		}
	}
	return nil
}

// nodeParts reads what the nodes are.
func (r *xmlReader) nodeParts(f *xmlFile, e xml.StartElement) error {
	x, err := f.element(e)
	if err != nil {
		return err
	}
	return r.record(Record{Node: &NodePart{x.Attr("node"), x}})
}

// nodeItems reads the items of one node.
func (r *xmlReader) nodeItems(f *xmlFile, e xml.StartElement) error {
	node := attr(e, "node")
	if !is(e, pubsub.NS, "items") {
		return f.skip()
	}
	return f.children(func(e xml.StartElement) error {
		x, err := f.element(e)
		if err != nil {
			return err
		}
		if !x.Is(pubsub.NS, "item") {
			return nil
		}
		payload := ""
		for p := range x.Elements() {
			payload = p.String()
		}
		return r.record(Record{Item: &NodeItem{node, pubsub.Item{ID: x.Attr("id"), Payload: payload}}})
	})
}

// nodesOf are the nodes of the account that is being imported.
type nodesOf struct {
	table *nodes.Nodes
	had   *pubsub.Nodes           // before; nil: they have not been read
	made  map[string]*pubsub.Node // by this import
	bytes int64
}

// openNodes reads the nodes of the account once.
func (im *Importer) openNodes(ctx context.Context) (*nodesOf, error) {
	n := &im.nodes
	if n.had != nil {
		return n, nil
	}
	n.table, n.made = nodes.Open(im.store), map[string]*pubsub.Node{}
	had, err := n.table.Nodes(ctx, im.account)
	if err != nil {
		return nil, err
	}
	n.bytes, err = n.table.Bytes(ctx, im.account)
	n.had = had
	return n, err
}

// node imports a part of a node. A node that was there before stays as it is.
func (im *Importer) node(ctx context.Context, p *NodePart) error {
	n, err := im.openNodes(ctx)
	if err != nil {
		return err
	}
	if n.had.Get(p.Node) != nil {
		return nil
	}
	made := n.made[p.Node]
	if made == nil {
		if made, err = im.makeNode(ctx, n, p.Node); made == nil {
			return err
		}
	}
	after := *made
	if !after.ParseExported(p.XML) {
		im.Report.skip(im.account, fmt.Sprintf("<%s/> of the node %.100q is not imported", p.XML.Local, p.Node))
		return nil
	}
	if limit := im.options.Nodes.Subscriptions; len(after.Subscriptions) > limit {
		after.Subscriptions = after.Subscriptions[:limit]
	}
	c := &pubsub.Change{Node: p.Node, Put: &after, Affiliations: after.Affiliations, Subscriptions: after.Subscriptions}
	if err := n.table.Write(ctx, im.account, c); err != nil {
		return err
	}
	n.made[p.Node] = &after
	return nil
}

// makeNode makes a node that only the account sees, until its configuration is known. It returns nil if it is not made.
func (im *Importer) makeNode(ctx context.Context, n *nodesOf, name string) (*pubsub.Node, error) {
	switch {
	case name == "" || len(name) > pubsub.MaxName:
		im.Report.skip(im.account, "a node without a name, or with a long one, is not imported")
		return nil, nil
	case n.had.Len()+len(n.made) >= im.options.Nodes.Nodes:
		im.Report.skip(im.account, fmt.Sprintf("the node %.100q is not imported: pubsub.nodes allows %d", name, im.options.Nodes.Nodes))
		return nil, nil
	}
	name = strings.Clone(name)
	c := pubsub.AccountDefaults()
	c.Access, c.MaxItems = pubsub.Whitelist, pubsub.Max
	node := &pubsub.Node{Name: name, Config: c, Creator: im.account, Created: time.Now().UTC().Truncate(time.Second)}
	if err := n.table.Write(ctx, im.account, &pubsub.Change{Node: name, Put: node, Create: true}); err != nil {
		return nil, err
	}
	n.made[name] = node
	return node, nil
}

// item imports an item. A node that was there before gets those that it lacks, if it has room: none of its items is removed for them.
func (im *Importer) item(ctx context.Context, i *NodeItem) error {
	n, err := im.openNodes(ctx)
	if err != nil {
		return err
	}
	node := n.had.Get(i.Node)
	if node == nil {
		node = n.made[i.Node]
	}
	if node == nil {
		if node, err = im.makeNode(ctx, n, i.Node); node == nil {
			return err
		}
	}
	size := len(i.ID) + len(i.Payload)
	switch {
	case i.ID == "" || len(i.ID) > pubsub.MaxName || len(i.Payload) > im.options.Nodes.Payload:
		im.Report.skip(im.account, fmt.Sprintf("an item of the node %.100q is not imported: it has %d bytes, of which pubsub.payload allows %d, or no id", i.Node, size, im.options.Nodes.Payload))
		return nil
	case n.bytes+int64(size) > im.options.Nodes.Bytes:
		im.Report.skip(im.account, fmt.Sprintf("an item of the node %.100q is not imported: pubsub.bytes allows %d bytes", i.Node, im.options.Nodes.Bytes))
		return nil
	}
	keep := node.Keep(im.options.Nodes)
	page, err := n.table.Items(ctx, im.account, pubsub.Query{Node: i.Node, IDs: []string{i.ID}, Bytes: 1})
	if err != nil || len(page.Items) > 0 {
		return err
	}
	if n.had.Get(i.Node) != nil && page.Count >= keep {
		return nil
	}
	item := i.Item
	item.Publisher = im.account
	if item.At.IsZero() {
		item.At = time.Now()
	}
	err = n.table.Write(ctx, im.account, &pubsub.Change{Node: i.Node, Item: &item, Keep: keep})
	if errors.Is(err, pubsub.ErrGone) {
		return nil
	}
	n.bytes += int64(size)
	return err
}
