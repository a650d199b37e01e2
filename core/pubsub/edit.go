package pubsub

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Edits are changes of several items that a part of the server makes in the name of an account or a domain: all of them or none.
type Edits struct {
	Service jid.JID
	Route   func(*stanza.Stanza)
	Nodes   []Edit
}

// Edit is what is changed at one node. Each node is in one Edit of Edits.
type Edit struct {
	Node    string
	Config  Config   // of the node, if it does not exist
	By      string   // copied to Committed
	Items   []Item   // published in this order
	Retract []string // ids of items that are removed then, if they exist
}

// Edit makes changes. It waits for the mailbox of the service: do not call it from Committed.
func (e *Engine) Edit(ctx context.Context, edits Edits) error {
	return e.inOrder(ctx, edits.Service, func() error { return e.EditWithin(ctx, edits) })
}

// EditWithin is Edit for Options.Committed: it runs in the mailbox of the service already.
func (e *Engine) EditWithin(ctx context.Context, edits Edits) error {
	nodes, err := e.Host.Nodes(ctx, edits.Service)
	if err != nil {
		return err
	}
	var list []publication
	created := 0
	for _, edit := range edits.Nodes {
		n := nodes.Get(edit.Node)
		switch {
		case n == nil && len(edit.Items) == 0 || len(edit.Items)+len(edit.Retract) == 0:
			continue
		case n == nil:
			n = e.newNode(edit.Node, edits.Service, edit.Config)
			if created++; nodes.Len()+created > e.Limits().Nodes {
				e.Counters.Nodes.Add(1)
				return errTooManyNodes()
			}
		}
		for i := range edit.Items {
			edit.Items[i].Publisher = edits.Service
		}
		list = append(list, publication{sender: sender{service: edits.Service, route: edits.Route}, node: n, items: edit.Items, retract: edit.Retract, nodes: nodes, by: edit.By})
	}
	if len(list) == 0 {
		return nil
	}
	return e.store(ctx, list...)
}
