package pubsub

import (
	"context"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// retract handles the removal of an item (XEP-0060 §7.2).
func (e *Engine) retract(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.node(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	a := affiliation(r.Service, n, r.Stanza.From)
	if a != Owner && !mayPublish(r.Service, n, r.Stanza.From) || a == PublishOnly {
		return "", e.hide(n, stanza.Forbidden(""))
	}
	item := x.Child(NS, "item")
	id := ""
	if item != nil {
		id = item.Attr("id")
	}
	switch {
	case id == "" || len(id) > MaxName:
		return "", with(stanza.BadRequest(""), "item-required") // XEP-0060 §7.2.3.4
	case !n.Config.Persist:
		return "", unsupported("persistent-items")
	}
	if a != Owner && a != Publisher { // publish model open or subscribers: only what the sender has published
		page, err := e.Store.Items(ctx, r.Service, Query{Node: n.Name, IDs: []string{id}, Bytes: 1})
		if err != nil {
			return "", err
		}
		if len(page.Items) > 0 && page.Items[0].Publisher != r.Stanza.From.Bare() {
			return "", stanza.Forbidden("")
		}
	}
	wanted, _ := form.ParseBool(x.Attr("notify"))
	return "", e.remove(ctx, r.sender(), n, removal{id: id, notify: wanted || n.Config.NotifyRetract})
}

// removal is an item that is to be removed.
type removal struct {
	id, by string
	notify bool
}

func (e *Engine) remove(ctx context.Context, s sender, n *Node, r removal) error {
	c := &Change{Node: n.Name, Retract: r.id}
	if err := e.Store.Write(ctx, s.service, c); err != nil {
		return gone(err)
	}
	if !c.Result.Retracted {
		return stanza.ItemNotFound("")
	}
	e.removed(ctx, s, n, r)
	return nil
}

// removed tells others about an item that was removed.
func (e *Engine) removed(ctx context.Context, s sender, n *Node, r removal) {
	if e.Committed != nil {
		e.Committed(ctx, Committed{Service: s.service, Node: n, Name: n.Name, Retract: r.id, By: r.by, Route: s.route})
	}
	if r.notify && n.Config.Notifications {
		e.notify(ctx, s, n, retraction(n.Name, r.id)) // XEP-0060 §7.2.2.1
	}
}

// purge removes all items of a node (XEP-0060 §8.5).
func (e *Engine) purge(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.owned(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	if !n.Config.Persist {
		return "", unsupported("persistent-items") // XEP-0060 §8.5.3.3
	}
	if err := e.Store.Write(ctx, r.Service, &Change{Node: n.Name, Purge: true}); err != nil {
		return "", gone(err)
	}
	if e.Committed != nil {
		e.Committed(ctx, Committed{Service: r.Service, Node: n, Name: n.Name, Route: r.Route})
	}
	if n.Config.Notifications {
		e.notify(ctx, r.sender(), n, string(stanza.AppendAttr([]byte("<purge"), "node", n.Name))+"/>")
	}
	return "", nil
}

// delete deletes a node (XEP-0060 §8.4).
func (e *Engine) delete(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.owned(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	if err := e.Store.Write(ctx, r.Service, &Change{Node: n.Name, Delete: true}); err != nil {
		return "", gone(err)
	}
	e.Host.Change(r.Service, func(nodes *Nodes) *Nodes { return nodes.with(n.Name, nil) })
	if e.Committed != nil {
		e.Committed(ctx, Committed{Service: r.Service, Name: n.Name, Route: r.Route})
	}
	if !n.Config.NotifyDelete {
		return "", nil
	}
	dst := stanza.AppendAttr([]byte("<delete"), "node", n.Name)
	if to := x.Child(NSOwner, "redirect"); to != nil && len(to.Attr("uri")) <= maxText && to.Attr("uri") != "" {
		dst = append(stanza.AppendAttr(append(dst, "><redirect"...), "uri", to.Attr("uri")), "/></delete>"...)
	} else {
		dst = append(dst, "/>"...)
	}
	e.deliver(ctx, r.sender(), n, []*stanza.Stanza{event(r.Service, n, string(dst))}, Subscribed, Pending) // XEP-0060 §8.4.2
	return "", nil
}
