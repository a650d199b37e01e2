package pubsub

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
)

// Read returns the items of a node that an entity may retrieve, the oldest first; none if it may not, or if there is no such
// node. count limits them to the newest; 0 is all. found reports whether the node exists and may be read.
func (e *Engine) Read(ctx context.Context, q Reading) (items []Item, found bool, err error) {
	nodes, err := e.Host.Nodes(ctx, q.Service)
	if err != nil {
		return nil, false, err
	}
	n := nodes.Get(q.Node)
	if n == nil || !n.Config.Persist || q.Shared && n.Config.Access != Open && n.Config.Access != Presence {
		return nil, false, nil
	}
	if _, readable, err := e.Readable(ctx, q); !readable || err != nil {
		return nil, false, err
	}
	query := e.newest(n, q.Count)
	switch {
	case q.ID != "":
		query.IDs = []string{q.ID}
	case q.Count == 0:
		query.Page = paging.All()
		query.Page.Max, query.Bytes = e.Limits().Items, maxRead
	}
	page, err := e.Store.Items(ctx, q.Service, query)
	return page.Items, err == nil, err
}

// Readable reports whether a node exists, and whether an entity may retrieve its items. No items are read.
func (e *Engine) Readable(ctx context.Context, q Reading) (exists, readable bool, err error) {
	nodes, err := e.Host.Nodes(ctx, q.Service)
	if err != nil {
		return false, false, err
	}
	n := nodes.Get(q.Node)
	if n == nil {
		return false, false, nil
	}
	rel, err := e.relation(ctx, q.Service, n, q.Reader)
	if err != nil {
		return true, false, err
	}
	return true, !rel.Blocked && n.admits(affiliation(q.Service, n, q.Reader), n.subscribed(q.Reader), rel) == nil, nil
}

// maxRead is how many bytes of payloads Read returns.
const maxRead = 8 << 20

// Reading is what Read reads.
type Reading struct {
	Service jid.JID
	Node    string
	Reader  jid.JID // who reads
	ID      string  // only this item
	Count   int     // only so many, the newest; 0: all
	Shared  bool    // only if all contacts may read the node
}
