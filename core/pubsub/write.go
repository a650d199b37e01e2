package pubsub

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// publication is what is to be stored at one node.
type publication struct {
	sender
	node    *Node
	items   []Item   // published in this order
	retract []string // ids of items that are removed after that
	nodes   *Nodes
	by      string
	changes []*Change // one for each of items and retract, if they are stored
}

func (p *publication) creates() bool { return p.nodes.Get(p.node.Name) == nil }

// size is that of the items.
func (p *publication) size() (bytes int64) {
	for i := range p.items {
		bytes += int64(len(p.items[i].Payload) + len(p.items[i].ID))
	}
	return bytes
}

// prepare makes the changes. A new node is stored with its first item.
func (p *publication) prepare(l Limits) {
	if p.creates() {
		p.changes = append(p.changes, &Change{Node: p.node.Name, Put: p.node, Create: true, Affiliations: p.node.Affiliations})
	}
	if !p.node.Config.Persist {
		return
	}
	for i := range p.items {
		if i > 0 || len(p.changes) == 0 {
			p.changes = append(p.changes, &Change{Node: p.node.Name})
		}
		c := p.changes[i]
		c.Item, c.Keep, c.Expired = &p.items[i], p.node.Config.items(l), p.node.expired()
	}
	for _, id := range p.retract {
		p.changes = append(p.changes, &Change{Node: p.node.Name, Retract: id})
	}
}

// store writes items, and their nodes if those are new, in one transaction, and notifies the subscribers. All are of one service.
func (e *Engine) store(ctx context.Context, list ...publication) error {
	var bytes int64
	for i := range list {
		if list[i].node.Config.Persist {
			bytes += list[i].size()
		}
	}
	var changes []*Change
	for i := range list {
		p := &list[i]
		if p.node.Config.Persist && len(p.items) > 0 {
			if err := e.fits(ctx, p, bytes); err != nil {
				return err
			}
		}
		p.prepare(e.Limits())
		changes = append(changes, p.changes...)
	}
	if len(changes) > 0 {
		if err := e.Store.Write(ctx, list[0].service, changes...); err != nil {
			return gone(err)
		}
	}
	out := &notices{engine: e}
	for i := range list {
		e.stored(ctx, &list[i], out)
	}
	out.send(ctx)
	return nil
}

// stored follows what was written, and adds the notifications to out.
func (e *Engine) stored(ctx context.Context, p *publication, out *notices) {
	var size int64
	for _, c := range p.changes {
		size += c.Result.Size
	}
	if create := p.creates(); create || size != 0 {
		e.Host.Change(p.service, func(nodes *Nodes) *Nodes {
			if create {
				nodes = nodes.with(p.node.Name, p.node)
			}
			nodes = nodes.withBytes(nodes.bytes + size)
			if known, ok := nodes.shares[p.node.Creator]; ok {
				nodes = nodes.withShare(p.node.Creator, known+size)
			}
			return nodes
		})
	}
	for i := range p.items {
		e.published(ctx, p, i, out)
	}
	for _, c := range p.changes {
		if c.Result.Retracted {
			out.send(ctx)
			e.removed(ctx, p.sender, p.node, removal{id: c.Retract, by: p.by, notify: p.node.Config.NotifyRetract})
		}
	}
}

// published tells others about an item that was stored, and about those that had to make room for it.
func (e *Engine) published(ctx context.Context, p *publication, i int, out *notices) {
	if e.Committed != nil {
		e.Committed(ctx, Committed{Service: p.service, Node: p.node, Name: p.node.Name, Item: &p.items[i], By: p.by, Route: p.route})
	}
	if p.node.Config.Notifications {
		out.add(ctx, p.sender, p.node, string(appendItems(nil, p.service, p.node, p.items[i:i+1], true)))
	}
	if i < len(p.changes) && len(p.changes[i].Result.Removed) > 0 && p.node.Config.Full == retractOldest && p.node.Config.NotifyRetract {
		out.add(ctx, p.sender, p.node, retraction(p.node.Name, p.changes[i].Result.Removed...)) // XEP-0060 §7.1.2.5
	}
}

// fits checks the limits of what is stored; size is that of all that the transaction stores.
func (e *Engine) fits(ctx context.Context, p *publication, size int64) error {
	limits := e.Limits()
	if p.node.Config.Full == rejectNew {
		ids := make([]string, len(p.items))
		for i := range p.items {
			ids[i] = p.items[i].ID
		}
		page, err := e.Store.Items(ctx, p.service, Query{Node: p.node.Name, IDs: ids, After: p.node.expired(), Bytes: maxRead})
		if err != nil {
			return err
		}
		if more := len(ids) - len(page.Items); more > 0 && page.Count+more > p.node.Config.items(limits) {
			e.Counters.Items.Add(1)
			return with(stanza.Conflict(""), "node-full") // XEP-0060 §7.1.3.4
		}
	}
	if !e.Accounts {
		if err := e.fitsShare(ctx, p, size); err != nil {
			return err
		}
	}
	if p.nodes == nil || p.nodes.bytes+size <= limits.Bytes {
		return nil
	}
	bytes, err := e.Store.Bytes(ctx, p.service) // what is known counts items that were replaced
	if err != nil {
		return err
	}
	e.Host.Change(p.service, func(n *Nodes) *Nodes { return n.withBytes(bytes) })
	if bytes+size > limits.Bytes {
		e.Counters.Bytes.Add(1)
		return stanza.ResourceConstraint("too much is stored here already")
	}
	return nil
}

// fitsShare checks that the nodes of one creator take no more than a share of the service: else one account could use all of it.
func (e *Engine) fitsShare(ctx context.Context, p *publication, size int64) error {
	limits, creator := e.Limits(), p.node.Creator
	most := max(limits.Bytes/serviceShare, int64(limits.Payload))
	if known, ok := p.nodes.shares[creator]; ok && known+size <= most {
		return nil
	}
	bytes, err := e.Store.BytesOf(ctx, p.service, creator) // what is known counts items that were replaced or removed
	if err != nil {
		return err
	}
	e.Host.Change(p.service, func(n *Nodes) *Nodes { return n.withShare(creator, bytes) })
	if bytes+size > most {
		e.Counters.Bytes.Add(1)
		return stanza.ResourceConstraint("too much is stored already at the nodes of " + creator.String())
	}
	return nil
}
