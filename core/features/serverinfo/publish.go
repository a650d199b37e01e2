package serverinfo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of what is published.
const (
	maxConnections = 2000
	maxPayload     = 100_000 // bytes of names
)

// publish publishes the connections if they are not as in last, which was published before, and returns what is published now.
func (i *Info) publish(ctx context.Context, last string, now time.Time) string {
	payload := stanza.Encode(i.document(i.connections(), now))
	if payload == last {
		return last
	}
	if own, err := i.own(ctx); err != nil || !own {
		if ctx.Err() == nil {
			i.Log.Warn("connections with other servers are not published: the node is somebody else's, or cannot be read", "service", i.Service, "node", node, "err", err)
		}
		return last
	}
	config := pubsub.ServiceDefaults()
	config.Access, config.MaxItems, config.Title = pubsub.Open, 1, "Server information" // XEP-0485 §5
	err := i.Nodes.Publish(ctx, pubsub.Publish{
		Service: i.Service, Node: node, Config: config, Item: pubsub.Item{ID: item, Payload: payload, At: now}, Route: i.host.Router().Route,
	})
	if err != nil {
		if ctx.Err() == nil {
			i.Log.Warn("connections with other servers are not published", "service", i.Service, "err", err)
		}
		return last
	}
	return payload
}

// own reports whether the node is the server's, or does not exist: accounts may create nodes, and must not speak for the server (XEP-0485 §7).
func (i *Info) own(ctx context.Context) (bool, error) {
	nodes, err := i.Nodes.Host.Nodes(ctx, i.Service)
	if err != nil {
		return false, err
	}
	n := nodes.Get(node)
	return n == nil || n.Creator == i.Service, nil
}

// withdraw removes what was published while the settings said so.
func (i *Info) withdraw(ctx context.Context) {
	if i.Service.IsZero() {
		return
	}
	nodes, err := i.Nodes.Host.Nodes(ctx, i.Service)
	if err == nil && nodes.Get(node) != nil && nodes.Get(node).Creator == i.Service {
		err = i.Nodes.Retract(ctx, pubsub.Publish{Service: i.Service, Node: node, Item: pubsub.Item{ID: item}, Route: i.host.Router().Route})
		if e, ok := err.(*stanza.Error); ok && e.Condition == stanza.ItemNotFound("").Condition {
			err = nil // it was removed before
		}
	}
	if err != nil && ctx.Err() == nil {
		i.Log.Warn("connections with other servers that were published are not removed", "service", i.Service, "err", err)
	}
}

// document returns what is published about connections (XEP-0485 §4).
func (i *Info) document(list []Connection, now time.Time) *stanza.Element {
	host := i.host.Domain().String()
	list = append(slices.Clone(list[:min(len(list), maxConnections)]), Connection{Ours: host})
	named := i.consenting(list, now)
	name := func(c Connection) string { // domains without a name come last: their order must not say where they are in the alphabet
		if c.Theirs != "" && !named[c.Theirs] {
			return "~"
		}
		return c.Theirs
	}
	slices.SortFunc(list, func(a, b Connection) int {
		return cmp.Or(cmp.Compare(a.Ours, b.Ours), cmp.Compare(name(a), name(b)), cmp.Compare(a.Theirs, b.Theirs), cmp.Compare(a.Direction, b.Direction))
	})
	info := stanza.NewElement(NS, "serverinfo")
	var federation, remote *stanza.Element
	var before Connection
	size := 0
	for _, c := range list {
		if c.Ours != before.Ours {
			federation = stanza.NewElement(NS, "federation")
			info.Add(stanza.NewElement(NS, "domain").With("name", c.Ours).Add(federation))
		}
		if c.Theirs == "" {
			before = c
			continue
		}
		if c.Ours != before.Ours || c.Theirs != before.Theirs {
			remote = stanza.NewElement(NS, "remote-domain")
			if size += len(c.Theirs); named[c.Theirs] && size <= maxPayload {
				remote.With("name", c.Theirs)
			}
			federation.Add(remote)
		}
		remote.Add(stanza.NewElement(NS, "connection").With("type", c.Direction))
		before = c
	}
	return info
}
